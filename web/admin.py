"""Administration: what stands and what is to come, units with their resources, stewards of grids, rosters."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Request, Response

from domain.district import District
from domain.needs import Need
from domain.rotation_order import Periods
from domain.units import Unit, UnitKind
from service import admin_trail, publishing
from service.admin_plans import tasks_of
from service.admin_views import standing_view
from service.desk import Desk
from service.places import local_date
from service.publish_district import ROSTER, STEWARDSHIP, UNIT
from service.views import View
from web.admin_frame import shown
from web.page import Known, PageRoute, desk_of, page

router = APIRouter(prefix="/admin", route_class=PageRoute, include_in_schema=False)

KINDS: tuple[UnitKind, ...] = (
    "member_unit", "property_service_station", "community_company", "self_governance_group", "department",
)  # fmt: skip
LAST_CHANGES = 8
PAGE = 30


def newest_body(view: View) -> View:
    """What an editor starts from: the last version that was published, also where it is yet to take effect."""
    body: View = view["scheduled"][-1]["body"] if view["scheduled"] else view["in_force"]
    return body


@router.get("")
@page(Need.SEE_PUBLICATIONS)
async def overview(request: Request, visitor: Known) -> Response:
    desk = desk_of(request)
    ahead = await publishing.ahead(desk, visitor.staff)
    found = await admin_trail.changes(desk, visitor.staff, kind=None, key=None, after=None, limit=LAST_CHANGES)
    return shown(
        request, visitor, "overview.html", "overview", ahead=ahead, changes=[view for view, _ in found],
        calendar=desk.calendar, years=desk.almanac.years,
    )  # fmt: skip


# ---- units


@router.get("/units")
@page(Need.MANAGE_UNITS)
async def units(
    request: Request,
    visitor: Known,
    q: str = "",
    kind: str = "",
    community: str = "",
    retired: bool = False,
    start: int = 0,
) -> Response:
    d = desk_of(request).district
    found = [u for u in d.units if _wanted(d, u, q.strip(), kind, community) and (retired or u.retired is None)]
    start = max(start, 0)
    return shown(
        request, visitor, "units.html", "units", units=found[start : start + PAGE], count=len(found), start=start,
        more=start + PAGE if start + PAGE < len(found) else None, q=q, kind=kind, community=community, retired=retired,
        kinds=KINDS,
    )  # fmt: skip


def _wanted(district: District, unit: Unit, q: str, kind: str, community: str) -> bool:
    liaison = district.directory.people.get(unit.liaison)
    said = (unit.id, unit.name, liaison.name if liaison else "", *(r.what for r in unit.resources))
    fits = (not kind or unit.kind == kind) and (not community or community in unit.communities)
    return fits and any(q.lower() in one.lower() for one in said)


@router.get("/units/{id}")
@page(Need.MANAGE_UNITS)
async def unit(request: Request, visitor: Known, id: str) -> Response:
    desk = desk_of(request)
    view = await standing_view(desk, visitor.staff, UNIT, id)
    names = {c.code: c.name for c in (*desk.district.categories, *desk.district.category_groups)}
    return shown(
        request, visitor, "unit.html", "units", view=view, unit=newest_body(view), kinds=KINDS, names=names,
        tasks=await tasks_of(desk, id), today=_today(desk),
        others=[u for u in desk.district.units if u.retired is None and u.id != id],
    )  # fmt: skip


def _today(desk: Desk) -> date:
    return local_date(desk.now(), desk.district)


# ---- who takes care of a grid


@router.get("/stewards")
@page(Need.MANAGE_STEWARDS)
async def stewards(request: Request, visitor: Known, community: str = "") -> Response:
    desk = desk_of(request)
    d, today = desk.district, _today(desk)
    chosen = community or d.communities[0].id
    rows = []
    for grid in d.grids_of(chosen):
        turns = sorted(d.directory.stewards_of.get(grid.id, ()), key=lambda one: one.starts_on)
        now = next((one for one in turns if one.covers(today)), None)
        rows.append((grid, now, [one for one in turns if one.starts_on > today]))
    return shown(request, visitor, "stewards.html", "stewards", rows=rows, community=chosen)


@router.get("/stewards/{grid}")
@page(Need.MANAGE_STEWARDS)
async def steward(request: Request, visitor: Known, grid: str) -> Response:
    desk = desk_of(request)
    view = await standing_view(desk, visitor.staff, STEWARDSHIP, grid)
    place = desk.district.grid(grid)
    units = [u for u in desk.district.units if u.retired is None and place.community in u.communities]
    return shown(
        request, visitor, "steward.html", "stewards", view=view, turns=newest_body(view)["turns"], grid=place,
        units=units, today=_today(desk),
    )  # fmt: skip


# ---- who chairs


@router.get("/rosters")
@page(Need.MANAGE_ROSTERS)
async def rosters(request: Request, visitor: Known) -> Response:
    desk = desk_of(request)
    today = _today(desk)
    rows = [(rotation, rotation.unit_on(today)) for rotation in desk.district.rotations]
    return shown(request, visitor, "rosters.html", "rosters", rows=rows)


@router.get("/rosters/{community}")
@page(Need.MANAGE_ROSTERS)
async def roster(request: Request, visitor: Known, community: str) -> Response:
    desk = desk_of(request)
    view = await standing_view(desk, visitor.staff, ROSTER, community)
    known = next(r for r in desk.district.rotations if r.community == community)
    periods, today = Periods.of(known), _today(desk)
    following = periods.first_day(periods.number(max(today, known.starts_on)) + 1)
    units = [u for u in desk.district.units if u.retired is None and community in u.communities]
    return shown(
        request, visitor, "roster.html", "rosters", view=view, roster=newest_body(view), starts_on=following, units=units,
        now_unit=known.unit_on(today), latest=today + timedelta(days=3 * 366),
    )  # fmt: skip
