"""Figures over HTTP: rates with their definitions, the events behind them, and months kept and computed again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.exclusions import MONTH, Reason
from domain.needs import Need
from domain.rates import DIMENSIONS, Dimension
from service import rate_answers, rate_months, rates
from service.forms import Instant
from service.rates import Asked, Traced
from service.views import instant

router = APIRouter(prefix="/api/v1/rates", tags=["rates"], route_class=StrictRoute)

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
    as_of: Annotated[
        Instant | None,
        Query(description="As the answer was at this instant, by the exclusions that counted then; without it, now."),
    ] = None,
) -> Asked:
    return Asked(rates.days_of(month, first, last), _dimensions(by), level, definition, as_of)


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
@needs(Need.SEE_RATES)
async def read_rates(
    asked: AskedFor,
    caller: Caller,
    request: Request,
    compare: Annotated[bool, Query(description="Also the values of the same days a month earlier.")] = False,
    rank: Annotated[
        str | None,
        Query(max_length=40, description="Order by this rate, only within a property grade: `by=property_grade,grid`."),
    ] = None,
    format: Annotated[Literal["json", "csv"], Query(description="`csv` opens in a spreadsheet.")] = "json",
) -> dict[str, Any] | Response:
    """Figures of a month or of days, computed from the event log as it stood at their end (or stands now).

    Each has its numerator, its denominator, and beside it what is excluded, by reason; `value` is null where there is no
    case. Groups come in the order of their ids, or with `rank` in order of a rate within each property grade. Supervisors,
    auditors and admins see everything, a secretary the community, a liaison the cases of the unit."""
    desk = request.app.state.desk
    counted = await rates.figures(desk, caller, replace(asked, rank=rank), compare=compare)
    if format == "json":
        return rate_answers.answer(desk, counted)
    name = f"rates-{asked.days.first}-{asked.days.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(rate_answers.as_csv(desk, counted), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/definitions")
@needs(Need.SEE_RATES)
async def read_rate_definitions(caller: Caller, request: Request, definition: Version = None) -> dict[str, Any]:
    """What each figure counts (口径), in Chinese and English, for people inside."""
    desk = request.app.state.desk
    rates.scope_of(caller)
    return rate_answers.definitions(desk, rates.definition_of(desk, definition))


@router.get("/trace")
@needs(Need.SEE_RATES)
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
    """The events behind one side of a figure, each with the demand's number and its place in that demand's log; of
    `excluded` also the `reason`, and the id of the `exclusion` where it was approved.

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
@needs(Need.KEEP_MONTHS)
async def keep_month(
    month: MonthInPath, caller: Caller, request: Request, response: Response, definition: Version = None
) -> dict[str, Any]:
    """Compute the figures of a month that is over and keep them, for admins and supervisors.

    What is kept already is answered with 200 and stays as it is; another `definition` is kept beside it."""
    view, new = await rate_months.keep(request.app.state.desk, caller, month, definition)
    response.status_code = 201 if new else 200
    return view


class Recomputing(BaseModel):
    """Why a month is computed once more, in words for whoever reads its figures; nothing personal belongs there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


@router.get("/months/{month}")
@needs(Need.SEE_MONTHS)
async def read_month(month: MonthInPath, caller: Caller, request: Request) -> dict[str, Any]:
    """Every computation of a month that is kept, oldest first: when, by whom, why, and which exclusions it counted.

    Of the newest also which were approved or revoked since."""
    return await rate_months.computations(request.app.state.desk, caller, month)


@router.post("/months/{month}/computations", status_code=201)
@needs(Need.KEEP_MONTHS)
async def recompute_month(
    month: MonthInPath,
    form: Recomputing,
    caller: Caller,
    request: Request,
    definition: Version = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Compute a kept month once more, with a reason; what was kept stays beside it. Answers which figures changed."""
    desk = request.app.state.desk
    taken = await rate_months.recompute(desk, caller, month, definition, form.reason, idempotency_key)
    headers = {"Idempotency-Replayed": "true"} if taken.repeated else {}
    return Response(taken.body, status_code=201, headers=headers, media_type="application/json")


@router.get("/months/{month}/check")
@needs(Need.SEE_MONTHS)
async def check_month(
    month: MonthInPath, caller: Caller, request: Request, definition: Version = None
) -> dict[str, Any]:
    """Compute a kept month again from the event log, with the exclusions that it counted, and compare: `agrees`, or which
    figures differ and how. `exclusions_since` were approved or revoked later, and count once it is recomputed."""
    return await rate_months.check(request.app.state.desk, caller, month, definition)
