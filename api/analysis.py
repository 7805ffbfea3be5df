"""Counts for maps and charts over HTTP. Figures with a definition stand in `/rates`; these are plain counts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from api.auth import Caller
from api.bulletins import Month
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import analysis

router = APIRouter(prefix="/api/v1/analysis", tags=["rates"], route_class=StrictRoute)

Community = Annotated[str | None, Query(max_length=64, description="Only there.")]


@router.get("/grids")
@needs(Need.SEE_RATES)
async def count_by_grid(caller: Caller, request: Request, community: Community = None) -> dict[str, Any]:
    """What is open in each grid now, and how much of it is overdue (has broken a clock), within the caller's scope.

    Duplicates count with the demand they follow. `not_located` are those that nobody has put into a grid yet. The shape of
    each grid is told by `GET /api/v1/grids`."""
    return await analysis.grids(request.app.state.desk, caller, community)


@router.get("/hours")
@needs(Need.SEE_RATES)
async def count_by_hour(month: Month, caller: Caller, request: Request, community: Community = None) -> dict[str, Any]:
    """How many demands were taken in at each local hour of each weekday (1 is Monday) of a month, within the caller's scope.

    An hour without a demand is left out."""
    return await analysis.hours(request.app.state.desk, caller, month, community)
