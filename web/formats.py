"""How instants, spans and places are written for people: local time, working time in words, lamps."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from web.words import Say

_DURATION = re.compile(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def instant(value: datetime | str) -> datetime:
    """Of an API view or a row; aware, in UTC."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC)


def span(value: timedelta | str) -> timedelta:
    """Of an ISO 8601 duration as the API writes it (`PT26H30M`)."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("a duration is written as PT1H30M")
    sign, hours, minutes, seconds = found.groups()
    amount = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return -amount if sign else amount


class Formats:
    """The filters of the templates, for one language, one time zone and one present instant."""

    def __init__(self, t: Say, zone: str, now: datetime) -> None:
        self._t, self._zone, self._now = t, ZoneInfo(zone), now

    def local(self, value: datetime | str) -> datetime:
        return instant(value).astimezone(self._zone)

    def when(self, value: datetime | str | None) -> str:
        """`今天 14:50`, `明天 09:00`, `11月27日 17:30`; with the year where it is another."""
        if value is None:
            return "–"
        at, today = self.local(value), self._now.astimezone(self._zone).date()
        return f"{self.day(at.date(), today)} {at:%H:%M}"

    def day(self, on: date | str, today: date | None = None) -> str:
        on = date.fromisoformat(on) if isinstance(on, str) else on
        today = today or self._now.astimezone(self._zone).date()
        near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((on - today).days)
        if near is not None:
            return self._t(f"shell.time.{near}")
        name = "day" if on.year == today.year else "day_of_year"
        return self._t(f"shell.time.{name}", year=on.year, month=on.month, day=on.day, short=on.strftime("%b"))

    def clock(self, value: datetime | str) -> str:
        return f"{self.local(value):%H:%M}"

    def exact(self, value: datetime | str) -> str:
        """To the second, for logs and for `as of`."""
        return f"{self.local(value):%Y-%m-%d %H:%M:%S}"

    def machine(self, value: datetime | str) -> str:
        """For `<time datetime>`."""
        return instant(value).isoformat().replace("+00:00", "Z")

    def hours(self, value: timedelta | str | None) -> str:
        """Working time in words: `42 分钟`, `6 小时 20 分`, `12 小时`. Days are no unit of working time."""
        if value is None:
            return "–"
        minutes = max(0, int(abs(span(value)).total_seconds() // 60))
        if minutes < 60:
            return self._t("shell.time.minutes", n=minutes)
        if minutes % 60 == 0 or minutes >= 20 * 60:
            return self._t("shell.time.hours", n=minutes // 60)
        return self._t("shell.time.hours_minutes", h=minutes // 60, m=minutes % 60)

    def ago(self, value: datetime | str) -> str:
        passed = self._now - instant(value)
        if passed < timedelta(minutes=1):
            return self._t("shell.time.just_now")
        if passed < timedelta(hours=1):
            return self._t("shell.time.minutes_ago", n=int(passed.total_seconds() // 60))
        if passed < timedelta(days=1):
            return self._t("shell.time.hours_ago", n=int(passed.total_seconds() // 3600))
        return self.when(value)


def percent(share: float | None, digits: int = 1) -> str:
    """`96.4%`; a dash where there is nothing to divide."""
    return "–" if share is None else f"{100 * share:.{digits}f}%"
