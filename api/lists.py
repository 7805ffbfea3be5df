"""The living lists over HTTP: resources, demands by need, and the match between them in both directions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import Code, Number
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.projects import Day
from service import lists, reading
from store.queries import Filter

router = APIRouter(prefix="/api/v1", tags=["lists"], route_class=StrictRoute)

Prefix = Annotated[str | None, Query(pattern=r"^([0-9]{2}){1,6}$", description="A category, or a whole branch.")]


@router.get("/lists/resources")
@needs(Need.SEE_RESOURCES)
async def list_resources(
    caller: Caller,
    request: Request,
    community: Code = None,
    unit: Code = None,
    category: Prefix = None,
    on: Annotated[Day | None, Query(description="Only what is valid on that local date.")] = None,
) -> list[dict[str, Any]]:
    """The resource list 资源清单: which unit offers what, how many tasks at a time, how much of it is in use now.

    Every open task of a unit, led or helped with, takes one place of one resource that covers its category;
    `unit_tasks_without_resource` counts those that none covers."""
    desk = request.app.state.desk
    return await lists.resources(desk, caller, community=community, unit=unit, category=category, on=on)


@router.get("/lists/demands")
@needs(Need.SEE_DEMANDS)
async def list_needs(
    caller: Caller, request: Request, community: Code = None, grid: Code = None, category: Prefix = None
) -> list[dict[str, Any]]:
    """The demand list 需求清单: open demands in the caller's scope by category, the hottest need first.

    Heat counts one for each reporter, each broken clock and each whole day overdue."""
    desk = request.app.state.desk
    return await lists.needs(desk, caller, community=community, grid=grid, category=category)


@router.get("/lists/demands/items")
@needs(Need.SEE_DEMANDS)
async def list_need_items(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    community: Code = None,
    grid: Code = None,
    category: Prefix = None,
) -> list[dict[str, Any]]:
    """The open demands behind the demand list, soonest due first."""
    wanted = Filter(community=community, grid=grid, category=category)
    desk = request.app.state.desk
    views = await reading.listed(desk, caller, wanted, order="due", after=page.after, limit=page.limit + 1)
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, [last["due_at"], last["number"]])
    return views[: page.limit]


@router.get("/demands/{number}/resources")
@needs(Need.SEE_ROUTING)
async def list_demand_resources(number: Number, caller: Caller, request: Request) -> dict[str, Any]:
    """Which units' resources meet this demand; those that could take it first, each with its reasons."""
    return await lists.resources_for(request.app.state.desk, caller, number)


@router.get("/units/{unit}/matches")
@needs(Need.SEE_UNIT_MATCHES)
async def list_unit_matches(
    unit: str, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """Which open demands this unit could take, soonest due first. For its liaison, the secretaries of its communities
    and supervisors."""
    after = None
    if page.after:
        due_at, number = page.after
        after = (None if due_at is None else datetime.fromisoformat(str(due_at)), str(number))
    views = await lists.demands_for(request.app.state.desk, caller, unit, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, [last["due_at"], last["number"]])
    return views[: page.limit]
