"""Clocks across demands over HTTP: the supervisor's list of what is about to break, and its counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import Caller
from api.demands import Code
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.categories import SlaClass
from domain.needs import Need
from domain.vocabulary import ClockName, Stage
from service import clock_list
from service.clock_list import Wanted
from store.clock_queries import Key
from store.queries import Filter

router = APIRouter(prefix="/api/v1/clocks", tags=["clocks"], route_class=StrictRoute)

Within = Annotated[
    float, Query(gt=0, le=1_000, allow_inf_nan=False, description="How many working hours ahead `due_soon` looks.")
]
Kinds = Annotated[
    list[ClockName | Literal["co_due", "co_window"]] | None,
    Query(description="Only these clocks, any number of them; without it all that somebody owes."),
]


def _wanted(
    caller: Caller,
    clock: Kinds = None,
    within: Within = 2.0,
    stage: Stage | None = None,
    community: Code = None,
    grid: Code = None,
    unit: Code = None,
    category: Code = None,
    holder: Code = None,
    sla_class: SlaClass | None = None,
    once: Annotated[
        bool,
        Query(
            description="Each demand once, by its clock that worries most; without `clock` no open demand is missing."
        ),
    ] = False,
) -> Wanted:
    demands = Filter(
        stage=stage, community=community, grid=grid, unit=unit, category=category,
        holder=caller.id if holder == "me" else holder,
    )  # fmt: skip
    return Wanted(kinds=tuple(clock or ()), within=within, sla_class=sla_class, once=once, demands=demands)


Asked = Annotated[Wanted, Depends(_wanted)]


@router.get("")
@needs(Need.SEE_DEMANDS)
async def list_clocks(
    caller: Caller,
    asked: Asked,
    request: Request,
    response: Response,
    page: PageAsked,
    state: Literal["running", "due_soon", "breached", "paused", "all"] = "all",
) -> list[dict[str, Any]]:
    """Clocks in the caller's scope, soonest due first and paused ones last (`state=paused`: longest paused first).

    A clock is `running`, `breached` (broken, and still running) or `paused`. `due_soon` are those `running` that are
    due `within` so many working hours. Durations are in the clock's own time: working time, unless it runs in plain
    hours or calendar days. A caller who is only a resident sees `accept`, `contact`, `resolve` and `follow_up`."""
    found = await clock_list.listed(
        request.app.state.desk, caller, replace(asked, state=state), after=_key(page.after), limit=page.limit + 1
    )
    if len(found) > page.limit:
        page.link_next(response, found[page.limit - 1][1])
    return [view for view, _ in found[: page.limit]]


@router.get("/summary")
@needs(Need.SEE_DEMANDS)
async def count_clocks(caller: Caller, asked: Asked, request: Request) -> dict[str, Any]:
    """How many clocks `GET /api/v1/clocks` lists in each state under the same filters, in all and by kind of clock."""
    return await clock_list.summary(request.app.state.desk, caller, asked)


def _key(after: tuple[Any, ...] | None) -> Key | None:
    """Only cursors that this list has signed come this far."""
    return None if after is None else cast("Key", after)
