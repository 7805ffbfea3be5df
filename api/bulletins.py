"""The monthly bulletin over HTTP: a workbook for people, lines for programs."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.needs import needs
from api.rates import Version
from api.strict_json import StrictRoute
from domain.exclusions import MONTH
from domain.needs import Need
from service import bulletin
from service.forms import Instant

router = APIRouter(prefix="/api/v1/rates", tags=["rates"], route_class=StrictRoute)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Month = Annotated[str, Query(pattern=MONTH, description="A local month.")]
AsOf = Annotated[Instant | None, Query(description="As it was at this instant, by the exclusions that counted then.")]


@router.get(
    "/bulletin.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
)
@needs(Need.SEE_RATES)
async def read_bulletin(
    month: Month, caller: Caller, request: Request, definition: Version = None, as_of: AsOf = None
) -> Response:
    """The bulletin of a month as a workbook: all figures with the month before and what they count, by community, grid
    within its property grade, unit, grid worker, category, channel and day, the exclusions, and the definitions.

    For those who may read rates, within what they may see. Made to be printed on A4."""
    from service import bulletin_files

    desk = request.app.state.desk
    made = await bulletin.bulletin(desk, caller, month, definition, as_of)
    content = await asyncio.to_thread(bulletin_files.workbook, desk, made)
    return Response(content, media_type=XLSX, headers=_named(f"bulletin-{month}.xlsx"))


@router.get(
    "/bulletin.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
@needs(Need.SEE_RATES)
async def read_bulletin_lines(
    month: Month, caller: Caller, request: Request, definition: Version = None, as_of: AsOf = None
) -> Response:
    """The figures of the bulletin as CSV (RFC 4180, UTF-8 with a byte order mark), a line for each."""
    from service import bulletin_files

    desk = request.app.state.desk
    made = await bulletin.bulletin(desk, caller, month, definition, as_of)
    text = await asyncio.to_thread(bulletin_files.as_csv, desk, made)
    return Response(text, media_type="text/csv; charset=utf-8", headers=_named(f"bulletin-{month}.csv"))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
