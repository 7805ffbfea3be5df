"""The working calendar over HTTP: what a day is, and a calculator of due times."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.auth import Caller
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import calendar_answers
from service.calendar_answers import DueForm

router = APIRouter(prefix="/api/v1/calendar", tags=["calendar"], route_class=StrictRoute)


def _written_out(value: object) -> object:
    """A year, a month and a day; pydantic would also take a count of seconds for a date."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise PydanticCustomError("date_parsing", "not a date")
    return value


Day = Annotated[date, BeforeValidator(_written_out), Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


# Plain functions: they only compute, up to some tens of milliseconds, and run beside the event loop.
@router.get("")
@needs(Need.SEE_DISTRICT)
def list_calendar_days(
    caller: Caller, request: Request, first: Annotated[Day, Query(alias="from")], until: Day
) -> list[dict[str, Any]]:
    """Every date from `from` to `until`, both included, at most 400."""
    return calendar_answers.days_view(request.app.state.desk, first, until)


@router.post("/due")
@needs(Need.SEE_DISTRICT)
def calculate_due(form: DueForm, caller: Caller, request: Request) -> dict[str, Any]:
    """When `amount` of `unit` from `start` on is used up; each line of `explanation` is a stretch of time on the way."""
    return calendar_answers.due_view(request.app.state.desk, form)


@router.get("/{date}")
@needs(Need.SEE_DISTRICT)
def read_calendar_day(day: Annotated[Day, Path(alias="date")], caller: Caller, request: Request) -> dict[str, Any]:
    """A local date: `kind` is workday, weekend, holiday or make_up, `name` the holiday of a day off or made up.

    `weekday` runs from 1 (Monday) to 7 (Sunday); `windows` are by the local clock; `provisional` says that the holidays
    of that date are not published yet."""
    return calendar_answers.day_view(request.app.state.desk, day)
