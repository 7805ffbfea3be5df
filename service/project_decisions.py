"""A joint meeting's decision `project`: it names an open project, or a new one opens by itself.

decide ──> prepare: the project is there ──> decision, with its id ──> the demand's log ties the two together
                         └── refused ──> a project that was opened for it is taken back
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.projects import Milestone, Project, ProjectState
from domain.vocabulary import DecisionKind
from service.desk import Desk
from service.forms import DecisionForm
from service.places import local_date
from service.projects import put_new
from service.reading import current
from store import projects as storing


@dataclass(frozen=True)
class Prepared:
    """The decision with its project named; `opened` is the one that was opened for it, `fresh` by this very call."""

    form: DecisionForm
    opened: str | None = None
    fresh: bool = False

    async def take_back(self, desk: Desk, *, earlier: bool) -> None:
        """The decision was refused. With `earlier` also what an undecided try before this one opened."""
        if self.opened is not None and (self.fresh or earlier):
            await storing.forget(desk.pool, self.opened)


async def prepare(desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str) -> Prepared:
    """See to it that the project of the decision exists; `key` is the decision's, the same for every repetition.

    Raises DomainError: `unknown_project` for one that does not exist, has ended or belongs elsewhere, `unknown_unit`.
    """
    if form.project is not None:
        await _must_be_open(desk, form.number, form.project)
        return Prepared(form)
    if form.kind is not DecisionKind.PROJECT or form.unit is None:
        return Prepared(form)
    id = await storing.by_origin(desk.pool, key)
    fresh = id is None
    if id is None:
        id = await _open(desk, actor, meeting, form, key)
    return Prepared(form.model_copy(update={"project": id}), opened=id, fresh=fresh)


async def _must_be_open(desk: Desk, number: str, id: str) -> None:
    demand, project = await current(desk, number), await storing.one(desk.pool, id)
    if project is None:
        raise DomainError("unknown_project", "There is no project with this id.", field="/project")
    if number in project.decided:  # a repetition of what was decided: whatever has become of the project since
        return
    if project.state is not ProjectState.OPEN:
        raise DomainError("unknown_project", "That project has ended. Reopen it, or name another.", field="/project")
    if project.community not in (None, demand.community):
        raise DomainError("unknown_project", "That project belongs to another community.", field="/project")


async def _open(desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str) -> str:
    d, demand, now = desk.district, await current(desk, form.number), desk.now()
    assert form.unit is not None
    steps = (Milestone(seq=n, title=m.what, due_on=local_date(m.due_at, d)) for n, m in enumerate(form.milestones, 1))
    project = Project(
        id=await storing.next_id(desk.pool), community=None if meeting == d.id else meeting,
        title=_title(desk, demand), meeting=meeting, lead_unit=d.unit(form.unit).id,
        due_on=local_date(form.due_at, d) if form.due_at else None, opened_at=now, opened_by=actor.id, seq=1,
        milestones=tuple(steps),
    )  # fmt: skip
    async with storing.changing(desk.pool) as transaction:
        kept = await put_new(transaction, project, origin=key)
    if kept:
        return project.id
    twin = await storing.by_origin(desk.pool, key)
    return twin or project.id


def _title(desk: Desk, demand: Demand) -> str:
    """What it is about and where: words that are public anyway."""
    d = desk.district
    what = d.category(demand.category).name
    if demand.place is None:
        return what
    compound = demand.place.compound
    where = d.compound(compound).name if compound else d.grid(demand.place.grid).name
    return f"{what}（{where}）"
