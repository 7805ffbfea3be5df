"""The wall screen 大屏: the board's worries, the map and the rates in big letters on dark ground, in turns, by themselves."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from domain.kpi_words import COUNTS
from domain.needs import Need
from service import analysis, board, rate_answers
from service.analysis import Chosen
from service.clock_list import Wanted
from service.rates import definition_of
from store.queries import Filter
from web.analysis import SHOWN
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WORRIES = 12


@router.get("/wall")
@page(Need.SEE_RATES)
async def show_wall(request: Request, visitor: Known) -> Response:
    """`live.js` has the page fetch itself again when something happens; the rates come by `/wall/rates`."""
    desk, actor = desk_of(request), visitor.staff
    wanted = Wanted(once=True, demands=Filter(without_duplicates=True))
    found = await board.open_rows(desk, actor, wanted, after=None, limit=WORRIES)
    worst = await board.open_rows(desk, actor, replace(wanted, state="breached"), after=None, limit=WORRIES)
    rows = [row for row, _ in (worst + [one for one in found if one[0]["state"] != "breached"])][:WORRIES]
    return render(
        request, replace(visitor, theme="dark"), "wall/wall.html", rows=rows,
        counts=await board.open_count(desk, actor, wanted), grids=await analysis.grids(desk, actor),
    )  # fmt: skip


@router.get("/wall/rates")
@page(Need.SEE_RATES)
async def show_wall_rates(request: Request, visitor: Known) -> Response:
    desk, actor = desk_of(request), visitor.staff
    month = analysis.this_month(desk)
    trend = await analysis.trend(desk, actor, Chosen(month), SHOWN)
    book = rate_answers.definitions(desk, definition_of(desk, None))
    return render(
        request, visitor, "wall/rates.html", trend=trend, shown=SHOWN, words=analysis.definitions_by_id(book),
        version=book["version"], reasons={}, counts=COUNTS,
    )  # fmt: skip
