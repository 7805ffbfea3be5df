"""The supervisor's board: what is about to break first, as tiles that lead to their lists and a table in the order of due."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from domain.needs import Need
from service import board, rates_now
from service.desk import Desk
from service.views import View
from web.board_asked import Asked, key_of, link, read_asked, written
from web.board_choices import choices
from web.board_views import ready_views
from web.page import Known, PageRoute, desk_of, page, render
from web.visitor import Visitor

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE_SIZE, MOST_ROWS = 50, 500


@router.get("/board")
@page(Need.SEE_DEMANDS)
async def show_board(request: Request, visitor: Known) -> Response:
    """`after` is the key of a row (the next page), `rows` how many a page that stays open already shows."""
    desk, asked = desk_of(request), read_asked(request)
    rows, more = await _rows(desk, visitor, asked)
    return render(
        request, visitor, "board/board.html", asked=asked, rows=rows, more=more, link=link,
        counts=await _counts(desk, visitor, asked), choices=choices(desk, visitor, asked),
        views=ready_views(visitor), people=_people(desk, visitor, rows),
    )  # fmt: skip


@router.get("/board/rates")
@page(Need.SEE_RATES)
async def show_rates(request: Request, visitor: Known) -> Response:
    """The tiles of this month's rates, fetched by the board after it is there: they are computed from the whole log."""
    answer = await rates_now.this_month(desk_of(request), visitor.staff)
    group = answer["groups"][0]["figures"]
    return render(request, visitor, "board/rates.html", figures=group, period=answer["period"])


async def _rows(desk: Desk, visitor: Visitor, asked: Asked) -> tuple[list[View], str | None]:
    """The rows of this page, and the address of the next one."""
    limit = min(asked.rows or PAGE_SIZE, MOST_ROWS)
    if asked.day is None:
        after = key_of(asked.after)
        found = await board.open_rows(desk, visitor.staff, asked.wanted(), after=after, limit=limit + 1)
        rows, last = [row for row, _ in found[:limit]], written(found[limit - 1][1]) if len(found) > limit else None
    else:
        wanted = asked.of_day(*board.today(desk))
        rows = await board.day_rows(desk, visitor.staff, wanted, after=asked.after, limit=limit + 1)
        last = rows[limit - 1]["number"] if len(rows) > limit else None
        rows = rows[:limit]
    return rows, None if last is None else link(asked, after=last)


async def _counts(desk: Desk, visitor: Visitor, asked: Asked) -> dict[str, Any]:
    """Each figure of the tiles, asked with the filter of the list that it leads to."""
    actor, of_place = visitor.staff, asked.of_place()
    counted = await board.open_count(desk, actor, of_place.wanted())
    unaccepted = await board.open_count(desk, actor, of_place.with_(clock="accept").wanted())
    days = {
        day: await board.day_count(desk, actor, of_place.with_(day=day).of_day(*board.today(desk)))
        for day in ("opened", "closed")
    }
    shown = counted if asked.day is None else {}
    if asked.day is None and (asked.clock or asked.sla_class or asked.stage):
        shown = await board.open_count(desk, actor, asked.wanted())
    total = days[asked.day] if asked.day else shown[asked.state or "all"]
    return {**counted, "unaccepted": unaccepted["all"], **days, "total": total}


def _people(desk: Desk, visitor: Visitor, rows: list[View]) -> dict[str, list[View]]:
    communities = sorted(
        {row["community"]["id"] for row in rows if row["community"] and "reassign" in row["permitted"]}
    )
    return board.people_by_community(desk, communities)
