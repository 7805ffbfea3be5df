"""The monthly bulletin: every number in the file is the one that is answered, and nothing in it is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx2
import openpyxl
import pytest
import pytest_asyncio
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from temporalio.testing import WorkflowEnvironment

from bench.rates_year.life import year_of_lives
from bench.rates_year.town import Town
from bench.rates_year.writing import write
from domain.kpi_words import COUNTS
from service.bulletin import GROUPED
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import SUPERVISOR, Product, running_product

RATES, FILE = "/api/v1/rates", "/api/v1/rates/bulletin.xlsx"
MONTH, AFTER = "2026-05", datetime(2027, 1, 15, tzinfo=UTC)
FIRST = 5
"""The row of the first figure, as a spreadsheet counts them: two of titles, two of headings."""


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, new_database: Callable[..., str]) -> AsyncIterator[Product]:
    async with running_product(temporal, new_database(), serve=False) as running:
        await write(running.desk, year_of_lives(Town(running.desk, Random(3)), 2026, 90, AFTER))
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        client.app.state.desk.now = lambda: AFTER
        await _exclude(client, product)
        yield client


async def _exclude(http: Http, product: Product) -> None:
    """One approved, one that is only asked for."""
    rows = (await http.get(f"{RATES}/trace", SUPERVISOR, month=MONTH, figure="redo", side="denominator")).json()
    numbers = list(dict.fromkeys(row["number"] for row in rows))[:2]
    for number in numbers:
        community = (await product.row(number)).community
        assert community is not None
        form = {"month": MONTH, "figures": ["redo"], "basis": "force_majeure", "document": "=1+1"}
        by = product.desk.district.secretary(community)
        asked = await http.post(f"/api/v1/demands/{number}/exclusions", form, by)
        assert asked.status_code == 201, asked.text
        if number == numbers[0]:
            path = f"/api/v1/exclusions/{asked.json()['id']}/decisions"
            assert (await http.post(path, {"kind": "approve"}, SUPERVISOR)).status_code == 200


async def download(http: Http, path: str = FILE, who: str = SUPERVISOR, **asked: Any) -> httpx2.Response:
    return await http.client.get(path, headers=bearer(who), params={"month": MONTH, **asked})


async def book(http: Http, **asked: Any) -> Workbook:
    answer = await download(http, **asked)
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.content))


async def answered(http: Http, by: tuple[str, ...], level: int = 1) -> list[dict[str, Any]]:
    answer = await download(http, RATES, by=",".join(by), level=level, compare=True)
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return groups


def cells(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=FIRST)]


async def test_the_summary_is_what_is_answered(http: Http) -> None:
    sheet = (await book(http))["摘要"]
    (group,) = await answered(http, ())
    rows = cells(sheet)
    assert len(rows) == len(group["figures"])
    compared = 0
    for row, (id, figure) in zip(rows, group["figures"].items(), strict=True):
        name, value, numerator, denominator, before, change, excluded, *said = row
        assert (value, before) == (figure["value"], figure["before"]), id
        if id != "composite":
            assert (numerator, denominator) == (figure["numerator"], figure["denominator"]), id
            assert all(f"{reason}: {n}" in excluded for reason, n in figure["excluded"].items()), id
        if value is not None and before is not None:
            assert change == pytest.approx(value - before, abs=2e-6), id
            compared += 1
        assert len(name.split("\n")) == 2 and all(text for text in said), f"{id}: its definition stands beside it"
    assert compared > 10


@pytest.mark.parametrize(("name", "by", "level"), [(name, by, level) for name, _, _, by, level in GROUPED])
async def test_every_grouping_is_what_is_answered(http: Http, name: str, by: tuple[str, ...], level: int) -> None:
    rows, groups = cells((await book(http))[name]), await answered(http, by, level)
    assert len(rows) == len(groups) > 0
    for row, group in zip(rows, groups, strict=True):
        for n, dimension in enumerate(by):
            assert row[2 * n : 2 * n + 2] == [group["key"][dimension] or "–", group["names"][dimension] or ""]
        numbers = iter(row[2 * len(by) :])
        for id, figure in group["figures"].items():
            assert next(numbers) == figure["value"], (row[0], id)
            if id not in COUNTS and id != "composite":
                assert next(numbers) == figure["denominator"], (row[0], id)
        assert next(numbers, None) is None


async def test_exclusions_are_listed_with_who_approved_them(http: Http) -> None:
    rows = cells((await book(http))["剔除"])
    listed = (await http.get("/api/v1/exclusions", SUPERVISOR, month=MONTH)).json()
    assert [row[0] for row in rows] == sorted(one["id"] for one in listed) and len(rows) == 2
    by_id = {one["id"]: one for one in listed}
    for row in rows:
        one = by_id[row[0]]
        assert row[1] == one["number"] and row[2] == "redo" and "不可抗力" in row[3] and row[5] == one["state"]
        assert row[7] == (one["decided_by"]["name"] if one["decided_by"] else "")
        assert row[10] == ("是 yes" if one["counts"] else "否 no")


async def test_the_definitions_and_their_version_come_with_it(http: Http) -> None:
    rows = cells((await book(http, definition="1-strict"))["口径"])
    words = (await http.get(f"{RATES}/definitions", SUPERVISOR, definition="1-strict")).json()
    assert rows[0][1] == "1-strict" and words["excluded"]["zh"] in rows[0][3]
    assert [row[1] for row in rows[1:]] == [figure["id"] for figure in words["figures"]]
    for row, figure in zip(rows[1:], words["figures"], strict=True):
        assert row[2] == f"{figure['numerator']['zh']}\n{figure['numerator']['en']}"


async def test_it_is_made_to_be_printed(http: Http) -> None:
    made = await book(http)
    assert made.sheetnames == ["摘要", *(name for name, *_ in GROUPED), "剔除", "口径"]
    for sheet in made.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9), sheet.title
        assert sheet.print_title_rows == "$3:$4" and sheet.print_title_cols.startswith("$A:")
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
        assert sheet.freeze_panes is not None
        headings = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3, max_row=4)]
        assert all(any("\u4e00" <= c <= "\u9fff" for c in zh) for zh in headings[0]), "Chinese first"
        assert all(en and en.isascii() for en in headings[1]), "English below"
        assert (
            MONTH in sheet["A1"].value
            and "definition 2" in sheet["A2"].value
            and "2026-05-31T16:00:00Z" in sheet["A2"].value
        )


async def test_shares_are_numbers_that_show_as_percent(http: Http) -> None:
    sheet = (await book(http))["摘要"]
    numbers = [c for row in sheet.iter_rows(min_row=FIRST, min_col=2, max_col=6) for c in row if c.value is not None]
    assert numbers and all(c.data_type == "n" for c in numbers if c.value != "")
    assert sheet.cell(FIRST, 2).number_format == "0.0%"


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "{=1}", "http://x", "007"])
async def test_no_text_becomes_anything_else(http: Http, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Names come from the pack and from people who change it."""
    for place in ("service.bulletin.name_of", "service.bulletin_files.name_of"):
        monkeypatch.setattr(place, lambda *_: name)
    sheet = (await book(http))["按社区"]
    shown = [row[1] for row in sheet.iter_rows(min_row=FIRST)]
    assert shown and all((cell.value, cell.data_type, cell.hyperlink) == (name, "s", None) for cell in shown)
    lines = csv.DictReader(
        io.StringIO((await download(http, f"{RATES}/bulletin.csv")).text.removeprefix("\ufeff"), newline="")
    )
    safe = f"'{name}" if name[0] in "=+-@\t" else name
    assert {row["key1_name"] for row in lines if row["grouping"] == "community"} == {safe}


async def test_a_document_that_looks_like_a_formula_stays_text(http: Http) -> None:
    sheet = (await book(http))["剔除"]
    assert [(row[4].value, row[4].data_type) for row in sheet.iter_rows(min_row=FIRST)] == [("=1+1", "s")] * 2


async def test_the_lines_are_what_is_answered(http: Http) -> None:
    answer = await download(http, f"{RATES}/bulletin.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="bulletin-{MONTH}.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf") and answer.content.count(b"\r\n") == answer.content.count(b"\n")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    for by, level in (((), 1), (("property_grade", "grid"), 1), (("category",), 2)):
        groups = await answered(http, by, level)
        mine = iter(row for row in rows if row["grouping"] == ",".join(by))
        for group in groups:
            for id, figure in group["figures"].items():
                row = next(mine)
                assert (row["figure"], row["value"]) == (id, "" if figure["value"] is None else str(figure["value"]))
                assert [row["key1"], row["key2"]][: len(by)] == [group["key"][d] or "" for d in by]
                if not by:
                    assert row["before"] == ("" if figure["before"] is None else str(figure["before"])), id
        assert next(mine, None) is None
    (redo,) = [row for row in rows if row["grouping"] == "" and row["figure"] == "redo"]
    assert redo["excluded_force_majeure"] != "0" and redo["exclusions"].startswith("exc-")
    assert " " not in redo["exclusions"], "only the one that was approved"


async def test_whoever_may_not_read_rates_gets_no_bulletin(http: Http, product: Product) -> None:
    for path in (FILE, f"{RATES}/bulletin.csv"):
        answer = await download(http, path, RESIDENT)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    secretary = product.desk.district.secretary("xuanhualu")
    answer = await download(http, FILE, secretary)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["按社区"]
    assert {row[0] for row in cells(sheet)} == {"xuanhualu"}
    assert (await download(http, FILE, SUPERVISOR, month="2026-13")).status_code == 422
    assert (await download(http, FILE, SUPERVISOR, definition="9")).status_code == 422


async def test_a_month_without_anything_makes_a_bulletin_too(http: Http) -> None:
    made = await book(http, month="2020-02")
    assert cells(made["按社区"]) == [] and made["摘要"].cell(FIRST, 2).value is None
