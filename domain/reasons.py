"""In what words a stretch of time counts or does not: the lines of `domain.worktime.explain`, Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.calendar import MIDNIGHT, ONE_DAY, Table

Unit = Literal["working_hours", "working_days", "hours", "calendar_days"]
Kind = Literal[
    "window",
    "working_day",
    "make_up",
    "start_day",
    "break",
    "closed",
    "weekend",
    "holiday",
    "clock_time",
    "unpublished",
]
Stretch = tuple[datetime, datetime, Kind, str | None]
"""From, until, why, and the name of the holiday it belongs to where that is known."""

ONE_HOUR = timedelta(hours=1)
COUNTED: frozenset[Kind] = frozenset({"window", "working_day", "make_up"})

# A break counts as lunch when it begins around noon, see `_line`.
WORDS: dict[Kind, tuple[str, str]] = {
    "window": ("工作时段", "working hours"),
    "working_day": ("工作日", "working day"),
    "make_up": ("调休上班日", "make-up working day"),
    "start_day": ("受理当日，次日起算", "day of receipt, counting starts on the next working day"),
    "break": ("工间休息", "break"),
    "closed": ("非工作时间", "outside working hours"),
    "weekend": ("周末休息", "weekend"),
    "holiday": ("法定节假日", "public holiday"),
    "clock_time": ("按自然时间连续计算", "runs without interruption"),
    "unpublished": (
        "该日期的放假安排尚未公布，公布后将重新计算",
        "holidays of this date are not published; recomputed when they are",
    ),
}
UNIT_WORDS: dict[Unit, tuple[str, str]] = {
    "working_hours": ("工作时", "working hours"),
    "working_days": ("个工作日", "working days"),
    "hours": ("小时", "hours"),
    "calendar_days": ("个自然日", "calendar days"),
}
# The seven holidays of the whole nation (全国年节及纪念日放假办法). A notice joins two that fall together: 国庆节、中秋节.
HOLIDAYS_EN = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}


class Line(BaseModel):
    """One stretch of an explanation; `counted` is what it used of the budget, in the unit of the budget.

    `name` is the holiday of a day off, or the one for which a make-up day is worked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_at: datetime
    until_at: datetime
    kind: Kind
    text_zh: str
    text_en: str
    counted: float
    name: str | None = None


def _counted_by(stretch: Stretch, unit: Unit) -> float:
    """What a stretch uses of a budget in working hours or working days."""
    begin, end, kind, _ = stretch
    if kind not in COUNTED:
        return 0.0
    return 1.0 if unit == "working_days" else (end - begin) / ONE_HOUR


def lines_of(table: Table, stretches: Iterable[Stretch], unit: Unit) -> Iterator[Line]:
    """The lines of stretches that follow each other, counted in working hours or working days."""
    last: Wall | None = None
    for stretch in stretches:
        first, last = last or _wall(table, stretch[0]), _wall(table, stretch[1])
        yield _line(stretch, first, last, unit, _counted_by(stretch, unit))


def plain_line(table: Table, begin: datetime, end: datetime, unit: Unit, counted: float) -> Line:
    """The one line of a budget that runs without interruption."""
    return _line((begin, end, "clock_time", None), _wall(table, begin), _wall(table, end), unit, counted)


def line_of(table: Table, stretch: Stretch, unit: Unit, counted: float) -> Line:
    """One line whose sum the caller knows: a run of whole days, told in hours."""
    return _line(stretch, _wall(table, stretch[0]), _wall(table, stretch[1]), unit, counted)


class Wall(NamedTuple):
    """An instant by the local clock; a year's explanation has a thousand of them, so their texts are made once."""

    local: datetime
    day: str
    minute: str

    @property
    def is_midnight(self) -> bool:
        return self.minute == "00:00" and self.local.time() == MIDNIGHT


def _wall(table: Table, at: datetime) -> Wall:
    local = table.local(at)
    return Wall(local, str(local.date()), f"{local.hour:02}:{local.minute:02}")


def _line(stretch: Stretch, first: Wall, last: Wall, unit: Unit, counted: float) -> Line:
    begin, end, kind, name = stretch
    zh, en = _named(kind, name) if name else WORDS[kind]
    if kind == "break" and 11 <= first.local.hour < 14:
        zh, en = "午休", "lunch break"
    span = _span(first, last)
    if counted:
        amount = f"{counted:g}"
        sum_zh, sum_en = UNIT_WORDS[unit]
        zh += f"，计 {amount} {sum_zh}"
        en += f", counts {amount} {sum_en.removesuffix('s') if counted == 1 else sum_en}"
    elif kind != "unpublished":
        zh, en = f"{zh}，不计", f"{en}, not counted"
    return Line(
        from_at=begin, until_at=end, kind=kind, text_zh=f"{span} {zh}", text_en=f"{span} {en}", counted=counted,
        name=name,
    )  # fmt: skip


def english(name: str) -> str | None:
    """The English name of a holiday, or of several joined by 、; None where one of them is not of the nation's seven."""
    known = [HOLIDAYS_EN.get(part) for part in name.split("、")]
    return " and ".join(part for part in known if part) if all(known) else None


def _named(kind: Kind, name: str) -> tuple[str, str]:
    """Days of a holiday by its name; whose name English does not know keeps the plain word there."""
    zh, en = WORDS[kind]
    foreign = english(name)
    if kind == "make_up":
        return f"{name}{zh}", f"{en} for {foreign}" if foreign else en
    return f"{name} {zh}", f"{foreign}, {en}" if foreign else en


def _span(first: Wall, last: Wall) -> str:
    """Local wall-clock text; whole days without the hours."""
    if last.is_midnight and first.is_midnight and first.local < last.local:
        ends = str(last.local.date() - ONE_DAY)
        return first.day if first.day == ends else f"{first.day} – {ends}"
    if first.local == last.local:
        return f"{first.day} {first.minute}"
    if first.day == last.day:
        return f"{first.day} {first.minute}–{last.minute}"
    return f"{first.day} {first.minute} – {last.day} {last.minute}"
