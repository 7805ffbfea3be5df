"""What figures take from elsewhere than the event log: the district, its calendar, and what was approved to be left out.

Kept with every computation of a month, so that the same figures can be made again whatever has changed since.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.errors import ConfigError
from domain.exclusions import Approved, Exclusions
from domain.kpi_load import Frame
from domain.rates import Dimension, Grouping, Period
from domain.worktime import Calendar, is_working_day
from service.admin_plans import capacity
from service.desk import Desk
from service.places import OVERLOADED, local_date
from store import exclusions as stored

_ONE = timedelta(microseconds=1)


class Inputs(BaseModel):
    """As JSON it stands beside the figures that were made from it; `groupings` are those that were kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exclusions: tuple[Approved, ...] = ()
    unit_capacity: dict[str, int] = {}
    worker_capacity: int = 0
    working_days: tuple[date, ...] = ()
    grades: dict[str, str] = {}
    groupings: tuple[tuple[Dimension, ...], ...] = ()

    def frame(self) -> Frame:
        return Frame(
            self.unit_capacity, self.worker_capacity, self.working_days, self.grades, Exclusions(self.exclusions)
        )  # fmt: skip


async def inputs_of(desk: Desk, period: Period, at: datetime) -> Inputs:
    """For a period by the district as it is today, with the exclusions that counted at `at`.

    Capacity is that of the period's last day: resources are valid from a day to a day.
    """
    first, last = (
        local_date(period.start, desk.district),
        local_date(max(period.end - _ONE, period.start), desk.district),
    )
    directory = desk.district.directory
    calendar = _calendar(desk, first, last)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1 if period.end > period.start else 0))
    return Inputs(
        exclusions=tuple(await stored.approved(desk.pool, f"{first:%Y-%m}", f"{last:%Y-%m}", at)),
        unit_capacity={id: room for id, unit in directory.units.items() if (room := capacity(unit, last))},
        worker_capacity=OVERLOADED,
        working_days=tuple(day for day in days if is_working_day(calendar, day)),
        grades={id: one.property_grade for id, one in directory.compounds.items() if one.property_grade},
    )


def _calendar(desk: Desk, first: date, last: date) -> Calendar:
    """Of those years; where no holiday table is known, weeks without holidays."""
    try:
        return desk.almanac.calendar_for(first.year, last.year)
    except ConfigError:
        return desk.calendar


def grouping(desk: Desk, by: tuple[Dimension, ...], frame: Frame, level: int = 1) -> Grouping:
    def grade(compound: str | None) -> str | None:
        return frame.grades.get(compound) if compound else None

    return Grouping(by, ZoneInfo(desk.district.timezone), grade, level)
