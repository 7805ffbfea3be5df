"""Imports over HTTP: every row once whatever happens, a trial that takes nothing in, a report of what was not taken."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from service.file_keeper import FileKeeper
from service.importing import running
from store import imports as storing
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key, running_product, until
from tests.pictures import files_in

HEAD = "编号,内容,类别,小区,姓名,电话\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str, folder: Path) -> AsyncIterator[Product]:
    async with running_product(temporal, database, serve=False, files=str(folder)) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        yield client


def a_table(*rows: str) -> bytes:
    return (HEAD + "\r\n".join(rows)).encode()


def good(count: int, mark: str) -> list[str]:
    return [f"{mark}-{n},第{n}栋路灯不亮,路灯不亮,,王小明,1380000{n:04}" for n in range(count)]


async def ask(
    http: Http, content: bytes, by: str = OPERATOR, *, key: str | None = None, **fields: str
) -> httpx2.Response:
    headers = bearer(by) | {"Idempotency-Key": key or new_key(), "Accept-Language": "en"}
    said = {"system": "12345", **fields}
    return await http.client.post("/api/v1/imports", headers=headers, files={"file": ("表.csv", content)}, data=said)


async def followed(http: Http, answer: httpx2.Response, by: str = OPERATOR) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"]

    async def over() -> dict[str, Any] | None:
        view: dict[str, Any] = (await http.get(path, by)).json()
        return view if view["finished_at"] else None

    return await until(over, seconds=60)


async def imported(http: Http, content: bytes, **fields: str) -> dict[str, Any]:
    return await followed(http, await ask(http, content, **fields))


def counts(view: dict[str, Any]) -> tuple[int, int, int]:
    return view["taken"], view["there"], view["refused"]


async def demands(product: Product, mark: str) -> int:
    found: int = await product.pool.fetchval("select count(*) from external_ref where ref like $1", f"{mark}-%")
    return found


async def test_every_row_comes_in_once(http: Http, product: Product, folder: Path) -> None:
    mark, key = new_key(), new_key()
    content = a_table(*good(100, mark))
    first = await ask(http, content, key=key)
    view = await followed(http, first)
    assert (view["state"], counts(view), view["rows_in_all"]) == ("done", (100, 0, 0), 100)
    assert await demands(product, mark) == 100
    again = await ask(http, content, key=key)
    assert again.json()["id"] == view["id"] and again.headers["idempotency-replayed"] == "true"
    assert code_of(await ask(http, content, key=key, dry_run="true")) == "idempotency_key_reused"
    assert counts(await imported(http, content)) == (0, 100, 0), "the same file is nothing new"
    by_another = await followed(http, await ask(http, content, INTEGRATOR), INTEGRATOR)
    assert counts(by_another) == (0, 100, 0), "nor from somebody else: its numbers are known"
    assert await demands(product, mark) == 100
    number = await product.pool.fetchval("select number from external_ref where ref = $1", f"{mark}-7")
    found = (await http.get(f"/api/v1/demands/{number}", SUPERVISOR)).json()
    assert found["category"]["name"] == "路灯不亮"


BROKEN = [
    "{m}-1,,路灯不亮,,,", "{m}-2,路灯不亮,没有的类别!,,,", "{m}-3,路灯不亮,999999,,,", "{m}-4,路灯不亮,,没有的小区,,",
    "{m}-5,路灯不亮,,,王小明,打电话", "{m}-6,路灯不亮,,,,,", '{m}-7,"路灯"不亮,,,,', "{m}-8,路灯不亮,,,王小明,13800000000",
]  # fmt: skip
CODES = {
    1: "text_missing", 2: "unknown_category", 3: "unknown_category", 4: "unknown_place", 5: "validation_failed",
    6: "wrong_columns", 7: "bad_quotes",
}  # fmt: skip


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_a_row_that_is_not_taken_says_why_and_costs_only_itself(
    http: Http, product: Product, dry_run: str
) -> None:
    mark = new_key()
    view = await imported(http, a_table(*(row.format(m=mark) for row in BROKEN)), dry_run=dry_run)
    assert counts(view) == (1, 0, 7)
    assert await demands(product, mark) == (dry_run == "false")
    report = await http.get(view["report_url"], OPERATOR)
    rows = list(csv.DictReader(io.StringIO(report.content.decode("utf-8-sig"))))
    assert {int(r["row"]): r["code"] for r in rows} == CODES
    assert [int(r["line"]) for r in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert [r["field"] for r in rows[:5]] == ["内容", "类别", "类别", "小区", "电话"]
    assert all(r["what_to_do"] for r in rows)
    assert "王小明" not in report.text and "路灯" not in report.text, "it repeats nothing that a row says"
    as_json = (await http.get(f"{view['url']}/report.json", OPERATOR)).json()
    assert [(r["row"], r["code"]) for r in as_json] == list(CODES.items())


async def test_a_trial_says_what_would_be_and_takes_nothing_in(http: Http, product: Product) -> None:
    mark = new_key()
    before = await product.pool.fetchval("select count(*) from demand")
    await imported(http, a_table(*good(3, mark)))
    twice = [*good(5, mark), good(5, mark)[4]]
    view = await imported(http, a_table(*twice), dry_run="true")
    assert counts(view) == (2, 4, 0) and view["dry_run"] is True
    assert await product.pool.fetchval("select count(*) from demand") == before + 3
    assert counts(await imported(http, a_table(*twice))) == (2, 4, 0), "as it said"


async def test_a_workbook_is_a_table_too(http: Http, product: Product) -> None:
    mark, out, book = new_key(), io.BytesIO(), openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["编号", "诉求内容", "联系电话", "经度", "纬度"])
    page.append([f"{mark}-1", "路灯\n不亮", 13800001111, 105.927, 29.356])
    page.append([None] * 5)
    page.append([f"{mark}-2", None, None, None, None])
    page.append([f"{mark}-3", "=1+1", "+86 13800001112", None, None])
    page["B5"].data_type = "s"
    book.save(out)
    view = await imported(http, out.getvalue())
    assert (view["format"], counts(view)) == ("xlsx", (2, 0, 1))
    [refused] = (await http.get(f"{view['url']}/report.json", OPERATOR)).json()
    assert (refused["line"], refused["code"], refused["field"]) == (4, "text_missing", "诉求内容")
    assert counts(await imported(http, out.getvalue())) == (0, 2, 1)


async def test_columns_are_mapped(http: Http, product: Product) -> None:
    mark = new_key()
    content = f"甲;乙;丙\n{mark}-1;路灯;不亮\n".encode()
    assert code_of(await ask(http, content)) == "import_unreadable"
    view = await imported(http, content, map="id=甲,text=乙+丙")
    assert counts(view) == (1, 0, 0) and await demands(product, mark) == 1


def a_zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"\x00" * 400_000_000)
    return out.getvalue()


def far_apart() -> bytes:
    """Two cells, with seventeen thousand million between them."""
    out, book = io.BytesIO(), openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"], book.active["XFD1048576"] = "内容", "x"
    book.save(out)
    return out.getvalue()


UNREADABLE = {
    "nothing": b"", "no text column": b"a,b\n1,2\n", "utf-16": "内容\n灯".encode("utf-16"), "a zip of nothing": b"PK\x03\x04" + bytes(99),
    "a bomb": a_zip_bomb(), "far apart": far_apart(), "bytes": bytes(range(256)) * 9,
}  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
async def test_a_file_of_no_use_is_refused_at_once(http: Http, what: str) -> None:
    answer = await ask(http, UNREADABLE[what])
    assert (answer.status_code, code_of(answer)) == (422, "import_unreadable"), answer.text
    assert answer.json()["rule"]


@pytest.mark.parametrize(
    "fields", [{"system": ""}, {"dry_run": "yes"}, {"channel": "x"}, {"system": "x" * 41}, {"system": "a\x00b"}]
)
async def test_fields_are_checked(http: Http, fields: dict[str, str]) -> None:
    assert (await ask(http, a_table(), **fields)).status_code in (400, 422)


async def test_who_may_and_who_sees(http: Http, product: Product) -> None:
    for who in (RESIDENT, product.worker_of("xuanhualu-01").id):
        assert code_of(await ask(http, a_table(*good(1, new_key())), who)) == "not_permitted"
    view = await imported(http, a_table(*good(1, new_key())))
    for who, status in ((SUPERVISOR, 200), (INTEGRATOR, 404), (RESIDENT, 403)):
        assert (await http.get(view["url"], who)).status_code == status
        assert (await http.get(view["report_url"], who)).status_code == status
    assert view["id"] in {v["id"] for v in (await http.get("/api/v1/imports", OPERATOR)).json()}
    assert (await http.get("/api/v1/imports", INTEGRATOR, limit=100)).json() == [
        v for v in (await http.get("/api/v1/imports", SUPERVISOR, limit=100)).json() if v["created_by"] == INTEGRATOR
    ]
    first = await http.get("/api/v1/imports", OPERATOR, limit=1)
    rest = await http.client.get(first.links["next"]["url"], headers=bearer(OPERATOR))
    assert first.json()[0]["id"] != rest.json()[0]["id"]


async def test_nothing_of_the_file_stays_and_nothing_of_it_is_in_clear(
    http: Http, product: Product, folder: Path
) -> None:
    mark = new_key()
    running_one = await ask(http, a_table(*good(400, mark)))
    assert all("王小明".encode() not in p.read_bytes() for p in files_in(folder))
    view = await followed(http, running_one)
    await FileKeeper(product.settings, product.pool).forget(product.desk.now())
    assert files_in(folder, "i-*") == []
    assert await product.pool.fetchval("select sealed_key from bulk_import where id = $1", view["id"]) is None


async def test_a_cancelled_import_stops_and_keeps_what_is_in(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, gate = new_key(), asyncio.Event()
    real = running._taken

    async def waits(work: Any, row: Any) -> Any:
        if row.number > running.ROWS_AT_ONCE:
            await gate.wait()
        return await real(work, row)

    monkeypatch.setattr(running, "_taken", waits)
    answer = await ask(http, a_table(*good(200, mark)))

    async def begun() -> bool | None:
        return (await http.get(answer.headers["location"], OPERATOR)).json()["rows_done"] > 0 or None

    await until(begun)
    path = answer.headers["location"]
    assert (await http.client.delete(path, headers=bearer(SUPERVISOR))).status_code == 404
    assert (await http.client.delete(path, headers=bearer(OPERATOR))).status_code == 204
    gate.set()
    view = await followed(http, answer)
    assert (view["state"], view["rows_done"]) == ("cancelled", running.ROWS_AT_ONCE)
    assert (await http.client.delete(path, headers=bearer(OPERATOR))).status_code == 409
    assert await demands(product, mark) < 200


async def test_an_import_whose_process_died_goes_on_where_it_was(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim runs out after rows were taken in of which it had kept nothing."""
    mark, died = new_key(), asyncio.Event()
    real = storing.move_on

    async def dies(pool: Any, one: Any, judged: Any, **more: Any) -> bool:
        if one.rows_done >= running.ROWS_AT_ONCE and not died.is_set():
            died.set()
            raise ConnectionError("as if the process had died between its rows and its commit")
        return bool(await real(pool, one, judged, **more))

    monkeypatch.setattr(storing, "move_on", dies)
    monkeypatch.setattr(running, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(running, "LOOKS_EVERY_SECONDS", 0.2)
    view = await imported(http, a_table(*good(150, mark)))
    assert died.is_set() and counts(view) == (150, 0, 0)
    assert await demands(product, mark) == 150
