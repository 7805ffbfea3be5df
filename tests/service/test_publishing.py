"""What is in force, without a database: files, and over them what was published; and what a change would do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import ConfigError
from domain.vocabulary import ClockName
from service.calendars import HolidayYear, read_years
from service.pack import load_pack
from service.publish_impact import EXAMPLES, Tally
from service.publish_in_force import Base, almanac_of, in_force, wanted
from store.publications import Publication
from tests.store.builders import calendar, story

CONFIG = Path(__file__).parents[2] / "config"
YEARS = tuple(y for y in read_years(CONFIG / "calendar") if 2024 <= y.year <= 2027)
NOTICE = {
    "year": 2027, "source": "a notice for tests only", "provisional": False,
    "holiday": [{"name": "元旦", "from": "2027-01-01", "until": "2027-01-03", "work": []}],
}  # fmt: skip


AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def base() -> Base:
    return Base(YEARS, load_pack(CONFIG / "shengli-road"))


def published(id: int, body: dict[str, Any], kind: str = "holiday_year") -> Publication:
    key = str(body["year"]) if kind == "holiday_year" else ""
    return Publication(id, kind, key, "v", body, {"queued": 0}, "p-0008", AT, AT)


def test_files_alone_are_in_force_until_something_is_published(base: Base) -> None:
    found = in_force(base, [], AT)
    assert (found.as_of, found.almanac.years, found.sla, found.standing) == (0, YEARS, base.sla, ())
    assert found.superseded(2026) == []


def test_the_newest_publication_of_a_year_wins_over_the_file(base: Base) -> None:
    corrected = {**NOTICE, "source": "corrected"}
    found = in_force(base, [published(3, NOTICE), published(4, corrected)], AT)
    assert [y.source for y in found.almanac.years if y.year == 2027] == ["corrected"]
    assert found.calendar(2026).published_until.year == 2027 and not found.calendar(2026).provisional
    assert [p.id for p in found.standing] == [4] and found.as_of == 4
    before = in_force(base, [], AT)
    assert before.calendar(2026).version in found.superseded(2026)
    assert found.calendar(2026).version not in found.superseded(2026)


def test_a_year_beyond_the_files_is_added_at_the_turn_of_the_year_too(base: Base) -> None:
    later = {**NOTICE, "year": 2028, "provisional": True, "holiday": [{"name": "元旦", "from": "2028-01-01"}]}
    found = in_force(base, [published(1, later)], AT)
    assert found.calendar(2027).version.startswith("CN-2027-2028/")
    spans = {year: c.version.split("/")[0] for year, c in wanted(found.almanac, 2026).items()}
    assert spans == {2024: "CN-2024-2027", 2025: "CN-2025-2027", 2026: "CN-2026-2027", 2027: "CN-2027-2028"}
    spans = {year: c.version.split("/")[0] for year, c in wanted(found.almanac, 2027).items()}
    assert spans[2026] == "CN-2026-2028" and spans[2028] == "CN-2028"
    with pytest.raises(ConfigError, match="no holiday table for 2029"):
        found.calendar(2029)


def test_promises_published_win_and_lack_nothing_that_came_with_a_later_version(base: Base) -> None:
    body = base.sla.model_copy(update={"version": "2027.1", "redo_limit": 5}).model_dump(mode="json")
    del body["pause_limit"]
    found = in_force(base, [published(1, body, "sla")], AT)
    assert (found.sla.version, found.sla.redo_limit, found.sla.pause_limit) == ("2027.1", 5, base.sla.pause_limit)


@pytest.mark.parametrize(
    ("body", "place", "key"),
    [
        ({**NOTICE, "year": "2027"}, "publication 7", "year"),
        ({**NOTICE, "holidays": []}, "publication 7", "holidays"),
        ({**NOTICE, "year": 2029, "holiday": [{"name": "x", "from": "2029-01-01"}]}, "publication 7", "year"),
    ],
)
def test_a_publication_that_no_longer_fits_is_named(base: Base, body: dict[str, Any], place: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        in_force(base, [published(7, body)], AT)
    assert (refused.value.file, refused.value.key) == (place, key) and refused.value.remedy


def test_a_tally_tells_earlier_from_later_and_keeps_the_greatest_moves() -> None:
    """Seven working days from 2026-11-23: with a week off they end later, with every Saturday worked earlier."""
    demands = [story().demand for _ in range(EXAMPLES + 5)]
    clock = demands[0].clocks[ClockName.RESOLVE]
    off = calendar().model_copy(update={"version": "off", "off": (*calendar().off, clock.due_at.date())})
    worked = calendar().model_copy(update={"version": "work", "work": (*calendar().work, _saturday(clock.started_at))})
    tally = Tally(now=clock.started_at)
    for one in demands:
        tally.add(one, off)
    tally.add(demands[0], worked)
    tally.add(demands[0], calendar())
    figures = tally.figures()
    clocks = len(demands[0].clocks)
    assert figures["demands_changed"] == len(demands) + 1
    assert (figures["later"], figures["earlier"]) == (clocks * len(demands), clocks)
    assert figures["clocks_changed"] == clocks * (len(demands) + 1) and figures["overdue_at_once"] == 0
    shift = figures["shift"]
    assert shift["min"]["seconds"] < 0 < shift["median"]["seconds"] == shift["max"]["seconds"]
    assert shift["min"]["duration"].startswith("-P") and shift["max"]["duration"].startswith("P")
    assert len(figures["examples"]) == EXAMPLES
    moves = [datetime.fromisoformat(e["new_due_at"]) - datetime.fromisoformat(e["due_at"]) for e in figures["examples"]]
    assert sorted((abs(m) for m in moves), reverse=True) == [abs(m) for m in moves]


def _saturday(after: datetime) -> Any:
    day = after.date()
    return next(d for d in (day + timedelta(days=n) for n in range(7)) if d.weekday() == 5)


def test_what_would_lie_in_the_past_is_counted_unless_it_is_broken_already() -> None:
    demand = story().demand
    clock = demand.clocks[ClockName.RESOLVE]
    worked = calendar().model_copy(update={"version": "work", "work": (*calendar().work, _saturday(clock.started_at))})
    almost = Tally(now=clock.due_at - timedelta(minutes=1))
    almost.add(demand, worked)
    assert almost.overdue == len([c for c in demand.clocks.values() if c.due_at == clock.due_at])
    broken = demand.model_copy(
        update={"clocks": {n: c.model_copy(update={"breached": True}) for n, c in demand.clocks.items()}}
    )
    already = Tally(now=almost.now)
    already.add(broken, worked)
    assert (already.overdue, already.demands) == (0, 1)


def test_nothing_that_moves_is_no_shift() -> None:
    tally = Tally(now=datetime(2026, 11, 23, tzinfo=UTC))
    tally.add(story().demand, calendar())
    figures = tally.figures()
    assert (figures["shift"], figures["examples"], figures["demands_changed"]) == (None, [], 0)


def test_a_year_in_which_nobody_would_ever_work_is_refused(base: Base) -> None:
    months = [(f"2027-{m:02d}-01", f"2027-{m:02d}-{d}") for m, d in zip(range(1, 13), _DAYS, strict=True)]
    body = {**NOTICE, "holiday": [{"name": "休", "from": first, "until": last} for first, last in months]}
    with pytest.raises(ConfigError, match="without a working day"):
        in_force(base, [published(1, body)], AT)


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def test_years_are_put_in_order() -> None:
    assert [y.year for y in almanac_of(reversed(YEARS)).years] == [y.year for y in YEARS]
    assert HolidayYear.model_validate_json(YEARS[0].model_dump_json(by_alias=True)) == YEARS[0]
