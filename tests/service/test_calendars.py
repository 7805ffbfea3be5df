"""Loading holiday tables: what they become, and that a wrong file is named and stops the load."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.errors import ConfigError
from service.calendars import Almanac, HolidayYear, for_span, load_calendars, read_years

TABLES = Path(__file__).parents[2] / "config" / "calendar"


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of the shipped tables that a test may spoil."""
    return shutil.copytree(TABLES, tmp_path / "calendar")


def spoil(tables: Path, year: int, old: str, new: str) -> Path:
    file = tables / f"CN-{year}.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_shipped_tables_become_one_calendar() -> None:
    calendar = load_calendars(TABLES)
    assert calendar.version.startswith("CN-2024-2027/")
    assert (calendar.published_from, calendar.published_until) == (date(2024, 1, 1), date(2026, 12, 31))
    assert calendar.provisional
    assert date(2027, 2, 5) in calendar.off
    assert date(2026, 10, 10) in calendar.work


def test_every_published_year_names_its_notice() -> None:
    for year in read_years(TABLES):
        assert year.provisional or (
            f"{year.year}年部分节假日安排的通知" in year.source and f"{year.year - 1}-1" in year.source
        )


def test_a_span_carries_only_its_years() -> None:
    published = for_span(TABLES, 2025, 2026)
    assert {day.year for day in published.off} == {2025, 2026}
    assert not published.provisional
    only_2026 = for_span(TABLES, 2026, 2026)
    assert only_2026.version.startswith("CN-2026/")


def test_a_span_of_provisional_years_has_nothing_published() -> None:
    calendar = for_span(TABLES, 2027, 2028)
    assert calendar.provisional
    assert calendar.published_until < calendar.published_from


def test_a_span_without_any_table_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        for_span(TABLES, 2031, 2032)
    assert "CN-2031.toml" in refused.value.remedy


def test_the_version_follows_the_content(tables: Path) -> None:
    before = load_calendars(tables).version
    spoil(tables, 2026, 'name = "元旦"', 'name = "新年"')
    assert load_calendars(tables).version == before
    spoil(tables, 2026, "until = 2026-02-23", "until = 2026-02-22")
    assert load_calendars(tables).version != before


def test_an_almanac_names_days_off_and_what_make_up_days_are_worked_for() -> None:
    almanac = Almanac(read_years(TABLES))
    assert almanac.name_of(date(2026, 2, 15)) == almanac.name_of(date(2026, 2, 23)) == "春节"
    assert almanac.name_of(date(2026, 2, 14)) == almanac.name_of(date(2026, 2, 28)) == "春节"
    assert almanac.name_of(date(2026, 9, 20)) == "国庆节"
    assert almanac.name_of(date(2025, 10, 6)) == "国庆节、中秋节"
    assert almanac.name_of(date(2026, 2, 24)) is None
    calendar = load_calendars(TABLES)
    assert almanac.names.keys() == {*calendar.off, *calendar.work}


def test_an_almanac_makes_the_calendars_that_the_folder_makes() -> None:
    almanac = Almanac(read_years(TABLES))
    assert almanac.calendar_for(2026, 2027) == for_span(TABLES, 2026, 2027)
    assert almanac.calendar_for(2000, 2100) == load_calendars(TABLES)
    with pytest.raises(ConfigError, match=r"no holiday table for 2031–2032.*CN-2031"):
        almanac.calendar_for(2031, 2032)


def test_an_almanac_is_made_of_any_years_not_only_of_files() -> None:
    notice = HolidayYear.model_validate(
        {
            "year": 2027,
            "source": "a notice",
            "provisional": False,
            "holiday": [
                {"name": "元旦", "from": date(2027, 1, 1), "until": date(2027, 1, 3), "work": [date(2027, 1, 9)]}
            ],
        }
    )
    almanac = Almanac((*read_years(TABLES)[:-1], notice))
    assert almanac.name_of(date(2027, 1, 9)) == "元旦"
    assert almanac.name_of(date(2027, 2, 5)) is None
    calendar = almanac.calendar_for(2026, 2027)
    assert calendar.published_until == date(2027, 12, 31)
    assert date(2027, 1, 9) in calendar.work


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("from = 2026-02-15", "from = 2026-02-", "TOML", "line 13"),
        ("from = 2026-02-15", "from = 2026-02-30", "TOML", "line 13"),
        ("from = 2026-02-15", 'from = "2026-02-15"', "holiday.1.from", "valid date"),
        ("from = 2026-02-15", "from = 2026-02-15T09:00:00", "holiday.1.from", "valid date"),
        ("from = 2026-02-15", "form = 2026-02-15", "holiday.1.from", "required"),
        ("until = 2026-02-23", "until = 2026-02-01", "holiday.1", "forwards"),
        ("until = 2026-02-23", "until = 2026-12-23", "holiday.1", "31 days"),
        ("until = 2026-02-23", "until = 2026-02-28", "2026-02-28", "both a day off and a make-up day"),
        ("from = 2026-04-04", "from = 2026-04-04\nwork = [2025-04-06]", "2025-04-06", "is not in 2026"),
        ("work = [2026-05-09]", "work = [2026-05-08]", "2026-05-08", "ordinary working day"),
        ("work = [2026-05-09]", "work = [2026-05-09, 2026-05-09]", "2026-05-09", "listed twice"),
        ("work = [2026-05-09]", "works = [2026-05-09]", "holiday.3.works", "Extra inputs"),
        ("year = 2026", "year = 2025", "year", "is 2025"),
        ("year = 2026", 'year = "2026"', "year", "valid integer"),
        ("provisional = false\n", "", "provisional", "required"),
    ],
)
def test_a_wrong_file_is_named_with_key_and_remedy(tables: Path, old: str, new: str, key: str, problem: str) -> None:
    file = spoil(tables, 2026, old, new)
    with pytest.raises(ConfigError) as refused:
        load_calendars(tables)
    assert refused.value.file == str(file)
    assert refused.value.key == key
    assert problem in refused.value.problem
    assert refused.value.remedy


def test_a_file_that_is_not_utf8_is_named(tables: Path) -> None:
    (tables / "CN-2026.toml").write_bytes("year = 2026 # 元旦".encode("gbk"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_calendars(tables)


def test_a_missing_year_is_named(tables: Path) -> None:
    (tables / "CN-2025.toml").unlink()
    with pytest.raises(ConfigError, match="2025 is missing between 2024 and 2026"):
        load_calendars(tables)


def test_a_provisional_year_before_a_published_one_is_refused(tables: Path) -> None:
    spoil(tables, 2025, "provisional = false", "provisional = true")
    with pytest.raises(ConfigError, match="2026 is published while 2025"):
        load_calendars(tables)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no holiday table found"):
        load_calendars(tmp_path)
