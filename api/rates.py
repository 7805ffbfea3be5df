"""Figures over HTTP: rates with their definitions, the events behind them, and months kept and computed again."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.rates import DIMENSIONS, Dimension
from service import rate_answers, rate_months, rates
from service.rates import Asked, Traced
from service.views import instant

router = APIRouter(prefix="/api/v1/rates", tags=["rates"], route_class=StrictRoute)

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Version = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9._-]{1,32}$", description="The definition to count by; without it the one in force."),
]


def _month_in_path(text: str) -> str:
    if not re.fullmatch(MONTH[1:-1], text, re.ASCII):
        raise problem("not_found")
    return text


MonthInPath = Annotated[str, AfterValidator(_month_in_path)]


def _asked(
    month: Annotated[str | None, Query(pattern=MONTH, description="A local month; or else `from` and `until`.")] = None,
    first: Annotated[date | None, Query(alias="from", description="The first local day.")] = None,
    last: Annotated[date | None, Query(alias="until", description="The last local day.")] = None,
    by: Annotated[
        str,
        Query(
            max_length=60,
            description=f"What to group by, separated by commas, at most three of {', '.join(DIMENSIONS)}.",
        ),
    ] = "",
    level: Annotated[int, Query(ge=1, le=6, description="How many levels of categories, from the top.")] = 1,
    definition: Version = None,
) -> Asked:
    return Asked(rates.days_of(month, first, last), _dimensions(by), level, definition)


def _dimensions(by: str) -> tuple[Dimension, ...]:
    named = [word.strip() for word in by.split(",") if word.strip()]
    found: tuple[Dimension, ...] = tuple(d for word in named for d in get_args(Dimension) if d == word)
    if len(found) < len(named) or len(set(found)) < len(found) or len(found) > 3:
        raise problem("invalid_filter", "`by` names at most three different groupings.", allowed=list(DIMENSIONS))
    return found


AskedFor = Annotated[Asked, Depends(_asked)]


@router.get(
    "",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/csv": {"schema": {"type": "string"}}}}},
)
async def read_rates(
    asked: AskedFor,
    caller: Caller,
    request: Request,
    compare: Annotated[bool, Query(description="Also the values of the month before the period.")] = False,
    format: Annotated[Literal["json", "csv"], Query(description="`csv` opens in a spreadsheet.")] = "json",
) -> dict[str, Any] | Response:
    """Figures of a month or of days, computed from the event log as it stood at their end (or stands now).

    Each has its numerator, its denominator, and beside it what is excluded, by reason; `value` is null where there is no
    case. Groups come in the order of their ids. Supervisors, auditors and admins see everything, a secretary the
    community, a liaison the cases of the unit."""
    desk = request.app.state.desk
    counted = await rates.figures(desk, caller, asked, compare=compare)
    if format == "json":
        return rate_answers.answer(desk, counted)
    name = f"rates-{asked.days.first}-{asked.days.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(rate_answers.as_csv(desk, counted), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/definitions")
async def read_rate_definitions(caller: Caller, request: Request, definition: Version = None) -> dict[str, Any]:
    """What each figure counts (口径), in Chinese and English, for people inside."""
    desk = request.app.state.desk
    rates.scope_of(caller)
    return rate_answers.definitions(desk, rates.definition_of(desk, definition))


@router.get("/trace")
async def trace_rate(
    asked: AskedFor,
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    figure: Annotated[str, Query(max_length=40)],
    side: Literal["numerator", "denominator", "excluded"] = "numerator",
    key: Annotated[
        str | None, Query(max_length=200, description="The group's key: one for each of `by`, separated by commas.")
    ] = None,
) -> list[dict[str, Any]]:
    """The events behind one side of a figure, each with the demand's number and its place in that demand's log.

    An empty part of `key` stands for null, as for demands without a unit."""
    after: Any = page.after
    parts = tuple(part or None for part in (key or "").split(",")) if asked.by else ()
    found: list[dict[str, Any]] = await rates.trace(
        request.app.state.desk, caller, asked, Traced(figure, side, parts), after=after, limit=page.limit + 1
    )
    if len(found) > page.limit:
        last = found[page.limit - 1]
        page.link_next(response, (last["number"], last["seq"]))
    return [{**one, "at": instant(one["at"])} for one in found[: page.limit]]


@router.post("/months/{month}", status_code=201)
async def keep_month(
    month: MonthInPath, caller: Caller, request: Request, response: Response, definition: Version = None
) -> dict[str, Any]:
    """Compute the figures of a month that is over and keep them, for admins and supervisors.

    What is kept already is answered with 200 and stays as it is; another `definition` is kept beside it."""
    view, new = await rate_months.keep(request.app.state.desk, caller, month, definition)
    response.status_code = 201 if new else 200
    return view


@router.get("/months/{month}/check")
async def check_month(
    month: MonthInPath, caller: Caller, request: Request, definition: Version = None
) -> dict[str, Any]:
    """Compute a kept month again from the event log and compare: `agrees`, or which figures differ and how."""
    return await rate_months.check(request.app.state.desk, caller, month, definition)
