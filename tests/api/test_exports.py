"""Exports: whole, in scope, streamed, harmless in an office program, and personal only for those who may and say why."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openpyxl
import pytest
import pytest_asyncio

from service import exports
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key

HOSTILE = ["=1+1", "+86 1", "-2", "@SUM(A1)", "\t=1", '=HYPERLINK("http://evil.example","点我")', 'a,"b"\n=c', "＝1"]


def table(answer: httpx2.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf"), "the mark by which Excel knows UTF-8"
    text = answer.content.decode("utf-8-sig")
    assert text.replace("\r\n", "").count("\r") == 0 and text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest_asyncio.fixture(scope="module")
async def numbers(http: Http) -> AsyncIterator[list[str]]:
    found = []
    for at, text in enumerate(HOSTILE):
        view = await http.submit(
            text=text, reporter={"name": text.strip()[:20], "phone": f"+86 1380000000{at}"},
            external_refs=[{"system": "=12345", "number": f"{at}-{new_key()}"}], confidential=at == 0,
        )  # fmt: skip
        found.append(view["number"])
    yield found


async def test_demands_as_a_table(http: Http, numbers: list[str]) -> None:
    rows = table(await http.get("/api/v1/exports/demands.csv", OPERATOR))
    assert list(rows[0]) == list(exports.DEMAND_COLUMNS)
    assert [r["number"] for r in rows if r["number"] in numbers] == sorted(numbers)
    one = next(r for r in rows if r["number"] == numbers[2])
    view = (await http.get(f"/api/v1/demands/{numbers[2]}", OPERATOR)).json()
    assert (one["stage"], one["category"], one["grid"]) == (view["stage"], view["category"]["code"], view["grid"])
    assert one["category_name"] == view["category"]["name"] and one["opened_at"] == view["opened_at"]
    assert one["references"].startswith("'=12345:2-"), "an apostrophe keeps it from acting"
    for_office = table(await http.get("/api/v1/exports/demands.csv", OPERATOR, heads="zh"))
    assert {"诉求编号", "受理时间"} <= set(for_office[0]) and len(for_office) == len(rows)


async def test_filters_are_those_of_the_list(http: Http, numbers: list[str]) -> None:
    other = (await http.submit(category="070101", location={"grid": "xuanhualu-02"}))["number"]
    for how in ({"category": "0701"}, {"grid": "xuanhualu-02"}):
        assert [r["number"] for r in table(await http.get("/api/v1/exports/demands.csv", OPERATOR, **how))] == [other]
    listed = (await http.get("/api/v1/demands", OPERATOR, category="1201", limit=100)).json()
    exported = table(await http.get("/api/v1/exports/demands.csv", OPERATOR, category="1201"))
    assert {d["number"] for d in listed} == {r["number"] for r in exported}
    day = "20" + numbers[0][2:4] + "-" + numbers[0][4:6] + "-" + numbers[0][6:8]
    within = table(await http.get("/api/v1/exports/demands.csv", OPERATOR, opened_from=day, opened_until=day))
    assert numbers[0] in {r["number"] for r in within}
    assert table(await http.get("/api/v1/exports/demands.csv", OPERATOR, opened_until="2020-01-01")) == []
    assert (await http.get("/api/v1/exports/demands.csv", OPERATOR, opened_from="0001-01-01")).status_code == 422


async def test_nothing_outside_the_scope(http: Http, product: Product, numbers: list[str]) -> None:
    stranger = product.secretary_of(product.desk.district.grids[-1].community).id
    for name in ("demands", "history"):
        rows = table(await http.get(f"/api/v1/exports/{name}.csv", stranger))
        assert not {r["number"] for r in rows} & set(numbers)
    assert code_of(await http.get("/api/v1/exports/demands.csv", RESIDENT)) == "not_permitted"
    assert (await http.client.get("/api/v1/exports/history.csv")).status_code == 401


async def test_nothing_personal_unless_it_is_asked_for(http: Http, numbers: list[str]) -> None:
    for name in ("demands.csv", "history.csv", "demands.xlsx"):
        answer = await http.get(f"/api/v1/exports/{name}", OPERATOR)
        assert b"1380000" not in answer.content and b"evil.example" not in answer.content


async def test_personal_columns_are_for_the_office_with_a_reason_and_leave_a_trace(
    http: Http, product: Product, numbers: list[str]
) -> None:
    path = "/api/v1/exports/demands.csv"
    assert code_of(await http.get(path, OPERATOR, personal="true")) == "reason_required"
    for who in (INTEGRATOR, product.worker_of("xuanhualu-01").id):
        refused = await http.get(path, who, personal="true", reason="complaint_review")
        assert code_of(refused) == "not_permitted"
    assert "text" not in table(await http.get(path, OPERATOR, reason="complaint_review"))[0]
    rows = table(await http.get(path, SUPERVISOR, personal="true", reason="complaint_review"))
    one = next(r for r in rows if r["number"] == numbers[5])
    assert one["phone"] == "'+86 13800000005" and one["text"] == "'" + HOSTILE[5]
    trace = await product.pool.fetch("select subject, actor, reason from personal_read where what = 'export'")
    assert set(numbers) <= {t["subject"] for t in trace}
    assert {(t["actor"], t["reason"]) for t in trace} == {(SUPERVISOR, "complaint_review")}


async def test_no_cell_acts(http: Http, numbers: list[str]) -> None:
    answer = await http.get("/api/v1/exports/demands.csv", SUPERVISOR, personal="true", reason="legal_request")
    cells = [cell for row in table(answer) for cell in row.values()]
    assert len(cells) > 100 and not [
        c for c in cells if c.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    ]


async def test_the_workbook_holds_texts_and_no_formula(http: Http, numbers: list[str]) -> None:
    answer = await http.get("/api/v1/exports/demands.xlsx", OPERATOR, heads="code")
    assert int(answer.headers["content-length"]) == len(answer.content)
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert page is not None
    heads, *rows = page.iter_rows()
    assert [c.value for c in heads] == list(exports.DEMAND_COLUMNS)
    assert {c.data_type for row in rows for c in row} <= {"s", "n"}, "no formula among them"
    exported = table(await http.get("/api/v1/exports/demands.csv", OPERATOR))
    assert [row[0].value for row in rows] == [r["number"] for r in exported]


async def test_the_history_is_the_log(http: Http, product: Product, numbers: list[str]) -> None:
    await http.act(numbers[1], RESIDENT, "urge")
    rows = table(await http.get("/api/v1/exports/history.csv", OPERATOR, category="1201"))
    assert [(r["number"], int(r["seq"])) for r in rows] == sorted((r["number"], int(r["seq"])) for r in rows)
    mine = [r for r in rows if r["number"] == numbers[1]]
    entries = await product.entries(numbers[1])
    assert [(int(r["seq"]), r["type"], r["hash"], json.loads(r["data"])) for r in mine] == [
        (e.seq, e.type, e.hash, e.data) for e in entries
    ]
    assert mine[-1]["type"] == "urged"


async def test_long_tables_come_in_pieces_from_one_snapshot(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand more demands, three at a time: what is taken in meanwhile is not in it, and nothing is lost."""
    await product.pool.execute(
        "insert into demand (number, seq, head, stage, category, channel, opened_by, breached, opened_at, updated_at, state)"
        " select '20200101-' || lpad(n::text, 6, '0'), 1, '', 'closed', '990000', 'api', 'x', false, now(), now(), '{}'"
        " from generate_series(1, 1000) n"
    )
    sizes: list[int] = []
    batched = exports.Export.demands

    async def counted(self: exports.Export) -> AsyncIterator[list[Any]]:
        async for lines in batched(self):
            if not sizes:
                await product.pool.execute("delete from demand where category = '990000'")
            sizes.append(len(lines))
            yield lines

    monkeypatch.setattr(exports.Export, "demands", counted)
    monkeypatch.setattr("store.exports.AT_ONCE", 3)
    rows = table(await http.get("/api/v1/exports/demands.csv", OPERATOR, category="99"))
    assert len(rows) == 1000 == len({r["number"] for r in rows})
    assert len(sizes) == 334 and max(sizes) == 3


async def test_few_at_a_time_and_none_is_left_behind(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 0)
    busy = await http.get("/api/v1/exports/demands.csv", OPERATOR)
    assert (busy.status_code, code_of(busy)) == (429, "too_many_requests")
    monkeypatch.undo()
    for _ in range(3):
        answers = await asyncio.gather(*(http.get("/api/v1/exports/history.csv", OPERATOR) for _ in range(2)))
        assert {a.status_code for a in answers} == {200}
    async with http.client.stream("GET", "/api/v1/exports/history.csv", headers=bearer(OPERATOR)) as cut_off:
        assert cut_off.status_code == 200
    assert (await http.get("/api/v1/exports/history.csv", OPERATOR)).status_code == 200
    assert exports._under_way == 0


async def test_a_workbook_has_an_end(http: Http, numbers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.export_workbook.MOST_ROWS", 3)
    assert code_of(await http.get("/api/v1/exports/demands.xlsx", OPERATOR)) == "export_too_long"
    assert exports._under_way == 0
