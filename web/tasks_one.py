"""One task on one screen: how long is left, what, where, whom to call, what was there before, and the next step at the thumb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.needs import Need
from domain.outgoing import TYPES
from domain.vocabulary import ClockName, Stage
from domain.worktime import add_working
from service import clock_answers, duplicates, files, lists, reading, reporters, tasks, words
from service.clock_list import calendars_of
from service.desk import Desk
from service.views import View, demand_view
from web.case_sentences import Sentences, actor_of, entry_of
from web.formats import Formats
from web.need import page
from web.page import Known, PageRoute, desk_of, render
from web.tasks_views import category_of, first_line, map_link, place_of
from web.visitor import Visitor
from web.words import catalogue

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN_EVENTS, MOST_LIKELY = 6, 3
TOLD_TOO = frozenset(
    {"files_attached", "extension_requested", "urged", "call_back_made", "reporter_asked", "info_received"}
)
ASKED = (ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.FOLLOW_UP)


class _Number(Convertor[str]):
    """The number of a demand, so that no other page of the tasks is taken for one."""

    regex = r"\d{8}-\d{6,12}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("demand", _Number())


@router.get("/tasks/{number:demand}")
@page(Need.SEE_TEXTS)
async def one_task(request: Request, visitor: Known, number: str) -> Response:
    """All that is needed in a stairwell."""
    desk, actor = desk_of(request), visitor.staff
    demand = await reading.find(desk, actor, number)
    view = demand_view(desk, demand, actor)
    permitted: list[str] = view["permitted"]
    said = (await words.words_of(desk, actor, number))["texts"]
    door = await tasks.door(desk, actor, demand)
    text = next((one["text"] for one in said if one["kind"] == "demand"), None)
    place = place_of(visitor, desk.district, demand, door.building)
    photos = await _photos(desk, visitor, number)
    return render(
        request, visitor, "tasks/one.html", demand=demand, view=view, permitted=permitted, text=text,
        title=first_line(visitor, text), place=place, door=door,
        category=category_of(visitor, desk.district, demand.category),
        map=map_link(door.point, place) if door.point else None,
        lamp_now=await _lamp(desk, actor, demand), clocks=await _promises(desk, visitor, number),
        reporter=await reporters.reporter(desk, actor, number, reveal=False, reason=None),
        photos=photos, notes=_notes(desk, said), reply=_reply(said),
        near=[(one, first_line(visitor, line)) for one, line in await tasks.history(desk, actor, demand)],
        likely=(await duplicates.of_demand(desk, actor, number))["suggestions"][:MOST_LIKELY],
        story=await _story(desk, visitor, demand), step=next_step(demand, permitted, said),
        units=await _units(desk, actor, demand, permitted), stream_types=" ".join(TYPES),
        pause_limit=_pause_limit(visitor, demand), redo=await _redo(desk, actor, demand),
        names={unit.id: unit.name for unit in desk.district.units},
    )  # fmt: skip


def next_step(d: Demand, permitted: Sequence[str], said: Sequence[View]) -> str | None:
    """What the button at the thumb does: the next of accept, arrive, contact, resolve that is still to be done."""
    if "accept" in permitted:
        return "accept"
    if "resume" in permitted:
        return "resume"
    if d.stage is Stage.FEEDBACK:
        return next((step for step in ("verify", "confirm", "call_back") if step in permitted), None)
    if "resolve" in permitted and not _arrived(said):
        return "arrive"
    if "contact" in permitted and _open(d, ClockName.CONTACT):
        return "contact"
    return "resolve" if "resolve" in permitted else None


def _arrived(said: Sequence[View]) -> bool:
    """Whether somebody has said so with the one tap; in either language."""
    return any(one["kind"] == "note" and one["text"] in catalogue()["tasks.do.arrived_note"] for one in said)


def _open(d: Demand, name: ClockName) -> bool:
    clock = d.clocks.get(name)
    return clock is not None and clock.stopped_at is None


def _pause_limit(visitor: Visitor, d: Demand) -> str | None:
    """How long the clocks may stand still, in words."""
    budget = d.terms.budget_of(ClockName.PAUSE)
    return None if budget is None else f"{budget.amount:g} {visitor.t('tasks.span.' + budget.unit)}"


async def _lamp(desk: Desk, actor: Actor, d: Demand) -> tasks.Lamp | None:
    calendar = (await calendars_of(desk, {d.terms.calendar})).get(d.terms.calendar, desk.calendar)
    now = desk.now()
    return tasks.pressing(d, actor, calendar, now, add_working(desk.calendar, now, tasks.SOON))


async def _promises(desk: Desk, visitor: Visitor, number: str) -> list[dict[str, Any]]:
    """The clocks that were promised to the resident, each with the lines that made its due instant."""
    found = await clock_answers.clocks_view(desk, visitor.staff, number, explained=True)
    language = "text_en" if visitor.english else "text_zh"
    by_name = {clock["name"]: clock for clock in found["clocks"]}
    return [
        {
            **by_name[name],
            "why": _steps(by_name[name], language),
        }
        for name in ASKED
        if name in by_name
    ]  # fmt: skip


def _steps(clock: View, language: str) -> list[tuple[str, list[str]]]:
    """Each step of the explanation with its lines."""
    steps = clock["explanation"]["steps"]
    return [(step[language], [line[language] for line in step["lines"]]) for step in steps]


async def _photos(desk: Desk, visitor: Visitor, number: str) -> list[View]:
    if not visitor.may(Need.LIST_FILES):
        return []
    return await files.files_of(desk, visitor.staff, number)


def _notes(desk: Desk, said: Sequence[View]) -> list[dict[str, Any]]:
    """Newest first, without what only says that somebody has arrived."""
    people = desk.district.directory.people
    arrived = catalogue()["tasks.do.arrived_note"]
    return [
        {**one, "by": people[one["author"]].name if one["author"] in people else None}
        for one in reversed(said)
        if one["kind"] == "note" and one["text"] not in arrived
    ]


def _reply(said: Sequence[View]) -> str | None:
    return next((str(one["text"]) for one in reversed(said) if one["kind"] == "reply"), None)


async def _events(desk: Desk, actor: Actor, d: Demand) -> list[View]:
    return await reading.log_of(desk, actor, d.number, after=0, limit=2_000)


async def _story(desk: Desk, visitor: Visitor, d: Demand) -> list[View]:
    """The last milestones, newest first, each with who made it."""
    said = Sentences(desk, visitor, Formats(visitor.t, desk.district.timezone, desk.now()))
    told = [
        {**entry_of(said, one), "who": actor_of(desk, visitor, d, one["actor"])}
        for one in await _events(desk, visitor.staff, d)
    ]
    return [one for one in reversed(told) if one["milestone"] or one["type"] in TOLD_TOO][:SHOWN_EVENTS]


async def _redo(desk: Desk, actor: Actor, d: Demand) -> Mapping[str, Any] | None:
    """Why it came back, and what the resident answered before that; None where it is done, or never was."""
    if not d.redos or d.stage in (Stage.FEEDBACK, Stage.CLOSED):
        return None
    events = await _events(desk, actor, d)
    ordered = next((one for one in reversed(events) if one["type"] == "redo_ordered"), None)
    answered = next((one for one in reversed(events) if one["type"] == "feedback_given"), None)
    if ordered is None:
        return None
    fits = answered is not None and ordered["data"]["reason"] in ("not_solved", "dissatisfied")
    return {
        "count": d.redos,
        "reason": ordered["data"]["reason"],
        "answers": answered["data"] if fits and answered else None,
    }


async def _units(desk: Desk, actor: Actor, d: Demand, permitted: Sequence[str]) -> Mapping[str, Any] | None:
    """Whom it could be handed to: those whose resources meet it, and the rest of the community's units."""
    if "hand_off" not in permitted or d.place is None or not roles.holds(actor, Need.SEE_ROUTING):
        return None
    matches = (await lists.resources_for(desk, actor, d.number))["matches"]
    named = {match["unit"]["id"] for match in matches}
    others = [unit for unit in desk.district.units_of(d.place.community) if unit.id not in named]
    return {"fits": [m for m in matches if m["fits"]], "not": [m for m in matches if not m["fits"]], "others": others}
