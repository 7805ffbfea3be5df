"""The four lists as living views: resources, demands by need, projects, and individual needs for those who look after them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.project_steps import may_steer
from domain.projects import ProjectState
from domain.vocabulary import Role
from service import care, lists, projects, reading
from service.desk import Desk
from service.places import local_date
from service.views import View
from store.care import Wanted as WantedCare
from store.projects import Wanted
from store.queries import Filter
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(prefix="/lists", route_class=PageRoute, include_in_schema=False)

MOST, MOST_ITEMS = 100, 60
Code = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._:-]*$")]


def tabs(actor: Actor) -> list[str]:
    """The lists that somebody may open."""
    found = [("resources", Need.SEE_RESOURCES), ("demands", Need.SEE_DEMANDS), ("projects", Need.SEE_PROJECTS)]
    return [name for name, need in found if roles.holds(actor, need)] + (
        ["care"] if roles.holds(actor, Need.CARE) else []
    )


@router.get("")
@page(Need.SEE_INSIDE)
async def resource_list(
    request: Request, visitor: Known, community: Code = None, category: Code = None, valid: bool = True
) -> Response:
    """资源清单: which unit offers what, and how much of it is free now."""
    desk, actor = desk_of(request), visitor.staff
    today = local_date(desk.now(), desk.district)
    found = await lists.resources(
        desk, actor, community=community or None, unit=None, category=category or None, on=today if valid else None
    )
    units: dict[str, list[View]] = {}
    for one in found:
        units.setdefault(one["unit"]["id"], []).append(one)
    may_match = {id for id in units if _may_match(desk, actor, id)}
    return render(
        request, visitor, "lists/resources.html", at="resources", tabs=tabs(actor), units=list(units.values()),
        community=community or "", category=category or "", valid=valid, may_match=may_match,
        groups=_groups(desk), names=_category_names(desk),
    )  # fmt: skip


def _may_match(desk: Desk, actor: Actor, unit: str) -> bool:
    places = desk.district.unit(unit).communities
    return any(roles.may(actor, Need.SEE_UNIT_MATCHES, community=one, unit=unit) for one in places)


def _groups(desk: Desk) -> list[dict[str, str]]:
    return [{"code": one.code, "name": one.name} for one in desk.district.category_groups if len(one.code) == 2]


def _category_names(desk: Desk) -> dict[str, str]:
    d = desk.district.directory
    return {code: one.name for table in (d.groups, d.categories) for code, one in table.items()}


@router.get("/units/{unit}")
@page(Need.SEE_UNIT_MATCHES)
async def unit_matches(request: Request, visitor: Known, unit: str) -> Response:
    """Which open demands a unit could take: the match from a resource to demands."""
    desk, actor = desk_of(request), visitor.staff
    found = await lists.demands_for(desk, actor, unit, after=None, limit=MOST_ITEMS)
    return render(
        request,
        visitor,
        "lists/unit.html",
        at="resources",
        tabs=tabs(actor),
        unit=desk.district.unit(unit),
        found=found,
    )


@router.get("/demands")
@page(Need.SEE_DEMANDS)
async def demand_list(request: Request, visitor: Known, community: Code = None, category: Code = None) -> Response:
    """需求清单: open demands by need, the hottest first; one need opened shows its demands."""
    desk, actor = desk_of(request), visitor.staff
    found = await lists.needs(desk, actor, community=community or None, grid=None, category=None)
    items: list[View] = []
    if category:
        wanted = Filter(community=community or None, category=category)
        items = await reading.listed(desk, actor, wanted, order="due", after=None, limit=MOST_ITEMS)
    return render(
        request, visitor, "lists/demands.html", at="demands", tabs=tabs(actor), needs=found, items=items,
        community=community or "", category=category or "", may_match=roles.holds(actor, Need.SEE_ROUTING),
    )  # fmt: skip


@router.get("/demands/{number}")
@page(Need.SEE_ROUTING)
async def demand_matches(request: Request, visitor: Known, number: str) -> Response:
    """Which units could take a demand: the match from a demand to resources."""
    desk, actor = desk_of(request), visitor.staff
    found = await lists.resources_for(desk, actor, number)
    return render(request, visitor, "lists/demand.html", at="demands", tabs=tabs(actor), found=found)


# ---- projects


@router.get("/projects")
@page(Need.SEE_PROJECTS)
async def project_list(
    request: Request,
    visitor: Known,
    community: Code = None,
    state: ProjectState | None = ProjectState.OPEN,
    overdue: bool = False,
) -> Response:
    """项目清单: what the meetings turned into projects, with how far each has come."""
    desk, actor = desk_of(request), visitor.staff
    wanted = Wanted(community=community or None, state=state, unit=None, overdue=overdue or None)
    found = await projects.projects(desk, actor, wanted, before=None, limit=MOST)
    steers = [one.id for one in desk.district.communities if may_steer(one.id, actor)]
    return render(
        request, visitor, "lists/projects.html", at="projects", tabs=tabs(actor), projects=found,
        community=community or "", state=state, overdue=overdue, steers=steers, units=_units(desk, steers),
        committee=may_steer(None, actor),
    )  # fmt: skip


def _units(desk: Desk, communities: list[str]) -> list[dict[str, str]]:
    found = {one.id: one.name for c in communities for one in desk.district.units_of(c) if one.retired is None}
    return [{"id": id, "name": name} for id, name in found.items()]


@router.get("/projects/{id}")
@page(Need.SEE_PROJECTS)
async def one_project(request: Request, visitor: Known, id: str) -> Response:
    """A project with its milestones, activities and demands, and what the visitor may do with it."""
    desk, actor = desk_of(request), visitor.staff
    found = await projects.project(desk, actor, id)
    history = await projects.history(desk, actor, id, after=0, limit=MOST)
    community = found["community"]
    lead = found["lead_unit"]["id"]
    may = {
        "steer": may_steer(community, actor), "progress": actor.has(Role.UNIT_LIAISON, unit=lead),
        "hold": {
            one["seq"] for one in found["activities"] if actor.has(Role.UNIT_LIAISON, unit=one["unit"]["id"])
        },
    }  # fmt: skip
    communities = [community] if community else [one.id for one in desk.district.communities]
    return render(
        request, visitor, "lists/project.html", at="projects", tabs=tabs(actor), p=found, history=list(reversed(history)),
        may=may, units=_units(desk, communities), place=desk.district.community(community).name if community else None,
    )  # fmt: skip


# ---- individual needs


@router.get("/care")
@page(Need.CARE)
async def care_list(
    request: Request, visitor: Known, community: Code = None, group: Code = None, overdue: bool = False
) -> Response:
    """个性清单: whom the visitor looks after, without names; who owes the next check-in, and by when."""
    desk, actor = desk_of(request), visitor.staff
    wanted = WantedCare(
        community=community or None, grid=None, group=group or None, responsible=None, overdue=overdue or None
    )
    found = await care.entries(desk, actor, wanted, after=None, limit=MOST)
    return render(
        request, visitor, "lists/care.html", at="care", tabs=tabs(actor), entries=found, groups=care.groups(desk),
        community=community or "", group=group or "", overdue=overdue, grids=_grids(desk, actor),
        services=[{"id": one.id, "name": one.name} for one in desk.district.menu],
    )  # fmt: skip


def _grids(desk: Desk, actor: Actor) -> list[dict[str, str]]:
    """Where the visitor may put somebody on the list."""
    today, d = local_date(desk.now(), desk.district), desk.district
    return [
        {"id": one.id, "name": one.name}
        for one in d.grids
        if roles.may(actor, Need.CARE, community=one.community) or d.duty_worker(one.id, today) == actor.id
    ]


@router.get("/care/{id}")
@page(Need.CARE)
async def care_entry(request: Request, visitor: Known, id: str) -> Response:
    """One entry with its person. Opening the page leaves a trace, and the page says so."""
    desk, actor = desk_of(request), visitor.staff
    found = await care.entry(desk, actor, id)
    history = await care.history(desk, actor, id, after=0, limit=MOST)
    readings: list[tuple[int, dict[str, Any]]] | None = None
    if roles.may(actor, Need.OVERSEE_CARE, community=found["community"]):
        try:
            readings = await care.readings(desk, actor, id, before=None, limit=20)
        except DomainError:
            readings = None
    return render(
        request, visitor, "lists/care_entry.html", at="care", tabs=tabs(actor), e=found,
        history=list(reversed(history)), readings=readings, grid=desk.district.grid(found["grid"]).name,
    )  # fmt: skip
