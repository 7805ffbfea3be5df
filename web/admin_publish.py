"""What is published as a whole: routing rules with the rulings over them, promises, and the working calendar."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response

from domain import roles
from domain.needs import Need
from service import publishing, rulings
from service.calendar_answers import days_view
from service.desk import Desk
from service.places import local_date
from service.publish_in_force import ROUTING, SLA
from service.views import View
from store.rulings import Wanted
from web.admin_frame import shown
from web.page import Known, PageRoute, desk_of, page
from web.visitor import Visitor

router = APIRouter(prefix="/admin", route_class=PageRoute, include_in_schema=False)

MOST_RULINGS = 200
CLASSES = ("emergency", "livelihood", "ordinary", "complex")
TARGETS = ("accept", "contact", "resolve", "follow_up", "unit_due")
LIMITS = (
    "unit_due", "refusal_window", "reopen_window", "meeting_decide", "locate", "pause_limit", "final_reply_approve",
)  # fmt: skip
UNITS = ("working_hours", "working_days", "hours", "calendar_days")


async def _ahead(desk: Desk, visitor: Visitor, kind: str) -> list[View]:
    """What of this kind is yet to take effect, for whoever may read publications."""
    if not roles.may(visitor.staff, Need.SEE_PUBLICATIONS):
        return []
    return [one for one in await publishing.ahead(desk, visitor.staff) if one["kind"] == kind]


def _next_version(desk: Desk) -> str:
    """A name that nothing published so far has; whoever publishes may choose another."""
    return f"{desk.now():%Y.%m.%d-%H%M%S}"


@router.get("/rules")
@page(Need.SEE_RULES)
async def rules(request: Request, visitor: Known) -> Response:
    desk = desk_of(request)
    found = await rulings.listed(
        desk, visitor.staff, Wanted(None, None, None), in_force=True, after=None, limit=MOST_RULINGS
    )
    names = {c.code: c.name for c in (*desk.district.categories, *desk.district.category_groups)}
    routing = desk.district.routing
    candidate = _to_edit({**routing.model_dump(mode="json", exclude_none=True), "version": _next_version(desk)})
    ends = {one["id"] for one in found if _may_end(visitor, one)}
    return shown(
        request, visitor, "rules.html", "rules", routing=routing, names=names, rulings=found, ends=ends,
        candidate=candidate, ahead=await _ahead(desk, visitor, ROUTING),
        tries=roles.may(visitor.staff, Need.TRY_ROUTING), publishes=roles.may(visitor.staff, Need.PUBLISH_ROUTING),
    )  # fmt: skip


def _to_edit(rules: dict[str, Any]) -> str:
    """As JSON with one rule a line."""
    lines = ",\n".join(f"    {json.dumps(rule, ensure_ascii=False)}" for rule in rules["rules"])
    version, default = (json.dumps(rules[key], ensure_ascii=False) for key in ("version", "default"))
    return f'{{\n  "version": {version},\n  "rules": [\n{lines}\n  ],\n  "default": {default}\n}}'


def _may_end(visitor: Visitor, ruling: View) -> bool:
    return roles.may(visitor.staff, Need.END_RULING, community=ruling["community"])


@router.get("/promises")
@page(Need.SEE_PUBLICATIONS)
async def promises(request: Request, visitor: Known) -> Response:
    desk = desk_of(request)
    sla = desk.district.sla
    body = sla.model_dump(mode="json")
    kept = {key: body[key] for key in ("call_back", "ladders")}
    return shown(
        request, visitor, "promises.html", "promises", sla=body, kept=kept, next_version=_next_version(desk),
        ahead=await _ahead(desk, visitor, SLA), classes=CLASSES, targets=TARGETS, limits=LIMITS, units=UNITS,
        publishes=roles.may(visitor.staff, Need.PUBLISH_PROMISES),
    )  # fmt: skip


@router.get("/calendars")
@page(Need.SEE_INSIDE)
async def calendars(request: Request, visitor: Known, year: int | None = None) -> Response:
    desk = desk_of(request)
    this_year = local_date(desk.now(), desk.district).year
    known = {entry.year: entry for entry in desk.almanac.years}
    following = max(known) + 1
    chosen = year if year in known or year == following else this_year if this_year in known else max(known)
    entry = known.get(chosen)
    return shown(
        request, visitor, "calendars.html", "calendars", years=desk.almanac.years, chosen=chosen, entry=entry,
        following=following, months=_months(desk, chosen) if entry else [], units=UNITS, windows=desk.calendar.windows,
        published=entry.model_dump(mode="json", by_alias=True) if entry else None, version=desk.calendar.version,
        publishes=roles.may(visitor.staff, Need.PUBLISH_CALENDAR),
    )  # fmt: skip


def _months(desk: Desk, year: int) -> list[list[View]]:
    """The days of each month."""
    days = days_view(desk, date(year, 1, 1), date(year + 1, 1, 1) - timedelta(days=1))
    return [list(month) for _, month in groupby(days, key=lambda day: day["date"][:7])]
