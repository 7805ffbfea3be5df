"""The rotating chair: who sits in it in the year ahead, what was changed and why, and what each turn handed over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.vocabulary import Role
from service import rotation
from service.desk import Desk
from service.places import local_date
from service.views import View
from web.page import Known, PageRoute, desk_of, page, render
from web.visitor import Visitor

router = APIRouter(prefix="/rotation", route_class=PageRoute, include_in_schema=False)

YEAR = timedelta(days=366)


@router.get("")
@page(Need.SEE_INSIDE)
async def calendar(
    request: Request,
    visitor: Known,
    community: Annotated[str | None, Query(max_length=64)] = None,
    year: Annotated[int | None, Query(ge=2000, le=2199)] = None,
) -> Response:
    """The calendar of one community: the year ahead, or the year asked for."""
    desk, actor = desk_of(request), visitor.staff
    overview = rotation.overview(desk)
    if not overview:
        raise DomainError("not_found", "No community has a rotating chair.")
    chosen = community or _own(desk, visitor) or overview[0]["community"]
    today = local_date(desk.now(), desk.district)
    found = await rotation.community(desk, actor, chosen, year)
    turns = found["turns"] if year else await _ahead(desk, actor, chosen, found, today)
    changes = {one["id"]: one for one in found.get("changes", [])}
    units = [{"id": one.id, "name": one.name} for one in desk.district.units_of(chosen) if one.retired is None]
    return render(
        request, visitor, "rotation/rotation.html", overview=overview, r=found, turns=turns, changes=changes,
        year=year, this_year=today.year, today=today.isoformat(), units=units, chairs=_chairs(desk, chosen),
    )  # fmt: skip


async def _ahead(desk: Desk, actor: Actor, chosen: str, found: View, today: date) -> list[View]:
    """The turn that runs and those that begin within a year."""
    following = await rotation.community(desk, actor, chosen, found["year"] + 1)
    last, both = (today + YEAR).isoformat(), [*found["turns"], *following["turns"]]
    seen: dict[str, View] = {one["from"]: one for one in both}
    return [one for one in seen.values() if one["state"] != "past" and one["from"] <= last]


def _own(desk: Desk, visitor: Visitor) -> str | None:
    """The community that the visitor works in, where there is one."""
    known = desk.district.directory.rotations
    for grant in visitor.staff.grants:
        if grant.community in known:
            return grant.community
        if grant.unit is not None:
            places = [c for c in desk.district.unit(grant.unit).communities if c in known]
            if places:
                return places[0]
    return None


def _chairs(desk: Desk, community: str) -> list[dict[str, Any]]:
    """Who can be named by person: the chairs and the secretary of the community."""
    found = [
        *desk.district.people_with(Role.COMMUNITY_SECRETARY, community=community),
        *desk.district.people_with(Role.CHAIR, community=community),
    ]
    return [{"id": one.id, "name": one.name} for one in dict.fromkeys(found)]
