"""The page of one case: what it is, who owes the next step by when and why, what can be done, and all that happened."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from domain.demand import Demand
from domain.errors import DomainError
from domain.needs import Need
from service import (
    board,
    clock_answers,
    duplicates,
    exclusions,
    files,
    followers,
    forwardings,
    notices,
    reading,
    references,
    reporters,
    routing_answers,
    words,
)
from service.desk import Desk
from service.views import View, demand_view
from store.exclusions import Wanted
from web.case_actions import actions_for
from web.case_sentences import Sentences
from web.case_timeline import ZOOMS, as_json, compact, days, timeline
from web.formats import Formats
from web.page import Known, PageRoute, desk_of, page, render
from web.visitor import Visitor

router = APIRouter(prefix="/demands", route_class=PageRoute, include_in_schema=False)

MOST_EVENTS, MOST_NOTICES, MOST_FOLLOWERS = 2_000, 500, 100


@router.get("/{number}")
@page(Need.SEE_DEMANDS)
async def show_case(number: str, request: Request, visitor: Known) -> Response:
    """`zoom` of the timeline: compact, full, json."""
    desk, actor = desk_of(request), visitor.staff
    demand = await reading.find(desk, actor, number)
    view = demand_view(desk, demand, actor)
    zoom = request.query_params.get("zoom") or "compact"
    if zoom not in ZOOMS:
        raise DomainError("invalid_filter", "The timeline has no such zoom.", allowed=list(ZOOMS))
    said = await words.words_of(desk, actor, number)
    pictures = await files.files_of(desk, actor, number) if visitor.may(Need.LIST_FILES) else []
    shown = await _history(desk, visitor, demand, zoom, said["texts"], pictures)
    return render(
        request, visitor, "case/case.html", d=demand, view=view, row=board.row(desk, actor, demand, None), zoom=zoom,
        texts=said["texts"], withheld=said["withheld"], files=pictures, clocks=await _clocks(desk, visitor, demand),
        actions=await actions_for(desk, visitor, demand, view["permitted"]), **shown,
        primary=await followers.handled_with(desk, demand), **await _around(desk, visitor, demand),
        temporal=_temporal(request, number), worst_clock=board.worst_clock(demand),
    )  # fmt: skip


@router.get("/{number}/why")
@page(Need.SEE_DEMANDS)
async def show_why(number: str, request: Request, visitor: Known) -> Response:
    """Only the clocks with their explanations, for a sheet on another page."""
    desk = desk_of(request)
    demand = await reading.find(desk, visitor.staff, number)
    return render(request, visitor, "case/why.html", alone=True, d=demand, clocks=await _clocks(desk, visitor, demand))


@router.get("/{number}/similar")
@page(Need.SEE_DEMANDS)
async def show_similar(number: str, request: Request, visitor: Known) -> Response:
    """Likely duplicates to choose from, for the sheet that merges: fetched when that opens, because texts are compared."""
    found = await duplicates.of_demand(desk_of(request), visitor.staff, number)
    return render(request, visitor, "case/similar.html", found=found["suggestions"])


async def _clocks(desk: Desk, visitor: Visitor, demand: Demand) -> list[View]:
    """Each with its lamp, its explanation, the people that its ladder tells."""
    answer = await clock_answers.clocks_view(desk, visitor.staff, demand.number, explained=True)
    lamps = await board.lamps(desk, demand)
    return [
        one | {
            "lamp": lamps.get(one["name"], ("running", None)),
            "next": [step | {"people": board.people_named(desk, step["tell"])} for step in one["next"]],
            "unit": board.unit_of_clock(desk, one["name"]),
        }
        for one in answer["clocks"]
    ]  # fmt: skip


async def _history(
    desk: Desk, visitor: Visitor, demand: Demand, zoom: str, texts: list[View], pictures: list[View]
) -> dict[str, Any]:
    actor, number = visitor.staff, demand.number
    log = await reading.log_of(desk, actor, number, after=0, limit=MOST_EVENTS)
    sent = await notices.of_demand(desk, actor, number, after=0, limit=MOST_NOTICES)
    if zoom == "json":
        return {"days": [], "raw": as_json(log), "notices": sent, "events": len(log)}
    f = Formats(visitor.t, desk.district.timezone, desk.now())
    entries = timeline(
        desk, visitor, demand, Sentences(desk, visitor, f), log=log, texts=texts, files=pictures, notices=sent
    )
    chosen = compact(entries) if zoom == "compact" else entries
    return {"days": days(chosen, f), "raw": None, "notices": sent, "events": len(log)}


async def _around(desk: Desk, visitor: Visitor, demand: Demand) -> dict[str, Any]:
    """What stands beside the case, as far as the visitor may see it."""
    actor, number = visitor.staff, demand.number
    following, _ = await followers.listed(desk, actor, number, after=None, limit=MOST_FOLLOWERS)
    routing = await routing_answers.routing_view(desk, actor, number) if visitor.may(Need.SEE_ROUTING) else None
    asked = []
    if visitor.may(Need.SEE_EXCLUSIONS):
        asked = await exclusions.exclusions(desk, actor, Wanted(number=number), before=None, limit=50)
    return {
        "followers": following, "routing": routing, "exclusions": asked,
        "references": await references.references_of(desk, actor, number),
        "forwardings": await forwardings.of_demand(desk, actor, number) if visitor.may(Need.SEE_FORWARDINGS) else [],
        "reporter": await reporters.reporter(desk, actor, number, reveal=False, reason=None),
        "figures": exclusions.figures_to_exclude(desk) if visitor.may(Need.ASK_EXCLUSION) else [],
    }  # fmt: skip


def _temporal(request: Request, number: str) -> str | None:
    """The run in Temporal's own pages, where the installation says where they are."""
    settings = request.app.state.settings
    if settings.temporal_ui_url is None:
        return None
    return f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{settings.temporal_namespace}/workflows/{number}"
