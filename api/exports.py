"""Demands and their history as tables over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import Caller
from api.demands import Code, Reference, reference_of
from api.needs import must_open, needs
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.privacy import ReadingReason
from domain.vocabulary import Channel, Stage
from service.exports import DEMAND_COLUMNS, HISTORY_COLUMNS, Asked, Heads, as_csv, export_of
from store.queries import Filter

router = APIRouter(prefix="/api/v1/exports", tags=["exports"], route_class=StrictRoute)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {}}}}
_Day = Annotated[date | None, Query(description="A local day, as 2026-03-01.")]


async def filtered(
    request: Request,
    caller: Caller,
    stage: Stage | None = None,
    community: Code = None,
    grid: Code = None,
    unit: Code = None,
    category: Code = None,
    channel: Channel | None = None,
    holder: Code = None,
    meeting: Code = None,
    breached: bool | None = None,
    reference: Reference = None,
    opened_from: _Day = None,
    opened_until: _Day = None,
) -> Filter:
    """As the list of demands filters; besides, by the days on which they were taken in, both included."""
    return Filter(
        stage=stage, community=community, grid=grid, unit=unit, category=category, channel=channel,
        holder=caller.id if holder == "me" else holder, meeting=meeting, breached=breached,
        reference=reference_of(reference), opened_from=_midnight(request, opened_from),
        opened_until=_midnight(request, opened_until, days=1),
    )  # fmt: skip


def _midnight(request: Request, day: date | None, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    if not 2000 <= day.year <= 2199:
        raise problem("invalid_filter", "A day lies between 2000 and 2199.")
    return datetime.combine(day, time(), ZoneInfo(request.app.state.desk.district.timezone)) + timedelta(days=days)


Filtered = Annotated[Filter, Depends(filtered)]
_Heads = Annotated[Heads, Query(description="Headings: `code` for programs (times in UTC), `zh` for offices (local).")]


@router.get("/demands.csv", response_class=Response, responses=_CSV)
@needs(Need.EXPORT_DEMANDS)
async def export_demands_csv(
    caller: Caller,
    request: Request,
    wanted: Filtered,
    heads: _Heads = "code",
    personal: bool = False,
    reason: ReadingReason | None = None,
) -> Response:
    """Demands in the caller's scope, oldest first, one a line. `personal=true` with a `reason` adds text and reporter as
    far as the caller may open them; each opening is kept."""
    if personal:
        must_open(caller, Need.EXPORT_PERSONAL)
    if personal and reason is None:
        raise problem("reason_required", "Say why it is opened: `reason`.", reasons=[str(one) for one in ReadingReason])
    asked = Asked(wanted, heads, reason if personal else None)
    export = export_of(request.app.state.desk, caller, asked, DEMAND_COLUMNS)
    return await _streamed(as_csv(export.heads, export.demands()), "demands.csv")


@router.get("/demands.xlsx", response_class=Response, responses=_WORKBOOK)
@needs(Need.EXPORT_DEMANDS)
async def export_demands_xlsx(caller: Caller, request: Request, wanted: Filtered, heads: _Heads = "zh") -> Response:
    """The same as a workbook, without anything personal: that comes as CSV only, which is never kept on a disk here."""
    export = export_of(request.app.state.desk, caller, Asked(wanted, heads), DEMAND_COLUMNS)
    from service.export_workbook import as_workbook  # here: the writer of workbooks is no small thing to carry about

    size, content = await as_workbook(export.heads, export.demands())
    headers = {**_headers("demands.xlsx"), "Content-Length": str(size)}
    return StreamingResponse(content, headers=headers, media_type=XLSX)


@router.get("/history.csv", response_class=Response, responses=_CSV)
@needs(Need.EXPORT_DEMANDS)
async def export_history_csv(caller: Caller, request: Request, wanted: Filtered, heads: _Heads = "code") -> Response:
    """Every event of these demands, one a line, in order; each `hash` covers the one before, as in the log."""
    export = export_of(request.app.state.desk, caller, Asked(wanted, heads), HISTORY_COLUMNS)
    return await _streamed(as_csv(export.heads, export.history()), "history.csv")


async def _streamed(content: AsyncGenerator[bytes, None], name: str) -> Response:
    """The heading and the first lines are there before the answer begins, so that a refusal is still a problem."""
    heading = await anext(content)
    first = await anext(content, b"")

    async def rest() -> AsyncIterator[bytes]:
        async with aclosing(content):
            yield heading + first
            async for piece in content:
                yield piece

    return StreamingResponse(rest(), headers=_headers(name), media_type="text/csv; charset=utf-8")


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
