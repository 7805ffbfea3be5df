"""`./run import` against a running stack: everything once, whatever is run again, goes away, or is interrupted."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import openpyxl
import pytest
from temporalio.client import Client

from devstack.program import ROOT
from devstack.stack import Stack
from service.tokens import mint
from tests.cli.files import HEADER, written


def started(stack: Stack, place: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cli.importer", str(place), "--data", str(stack.folder.path), *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(  # a suite in the background may have been started with SIGINT ignored
        command, cwd=place.parent, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def imported(stack: Stack, place: Path, *more: str) -> tuple[int, str]:
    process = started(stack, place, *more)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def counts(said: str) -> tuple[int, int, int]:
    found = re.search(r"(\d+) taken in, (\d+) already there, (\d+) refused", said)
    assert found, said
    return int(found[1]), int(found[2]), int(found[3])


async def number_of(stack: Stack, system: str) -> int:
    db = await asyncpg.connect(stack.database_url)
    try:
        return int(await db.fetchval("select count(distinct number) from external_ref where system = $1", system))
    finally:
        await db.close()


async def until(holds: Callable[[int], bool], stack: Stack, system: str) -> None:
    give_up = time.monotonic() + 60
    while not holds(await number_of(stack, system)):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


def many(folder: Path, count: int, name: str) -> Path:
    return written(folder, *(f"{n},路灯,第{n}盏不亮,,,,,\n" for n in range(count)), name=name)


async def test_a_second_run_takes_nothing_in_twice(stack: Stack, tmp_path: Path) -> None:
    place = many(tmp_path, 40, "twice.csv")
    assert [counts(said) for said in (imported(stack, place, "--scatter")[1] for _ in range(2))] == [
        (40, 0, 0), (0, 40, 0)
    ]  # fmt: skip
    assert await number_of(stack, "twice") == 40
    # Somebody else with another token: the outside numbers are known.
    token = mint(stack.token_secret, "p-0004")
    assert counts(imported(stack, place, "--scatter", "--url", stack.url, "--token", token)[1]) == (0, 40, 0)


async def test_each_row_is_a_workflow_without_its_words(stack: Stack, tmp_path: Path) -> None:
    place = written(tmp_path, "1,标记甲乙丙,标记丁戊己,,,,,0000 7654321\n", name="workflows.csv")
    assert counts(imported(stack, place, "--scatter")[1]) == (1, 0, 0)
    db = await asyncpg.connect(stack.database_url)
    try:
        number = await db.fetchval("select number from external_ref where system = 'workflows'")
    finally:
        await db.close()
    client = await Client.connect(stack.temporal_address)
    give_up = time.monotonic() + 30
    while not [w async for w in client.list_workflows(f"WorkflowId = '{number}'")]:
        assert time.monotonic() < give_up
        await asyncio.sleep(0.05)
    handle = client.get_workflow_handle(number)
    described = await handle.describe()
    assert {"Stage", "Community", "Category"} <= set(described.search_attributes)
    history = b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)
    assert number.encode() in history  # what is there can be found
    for words in ("标记甲乙丙", "标记丁戊己", "7654321"):
        assert words.encode() not in history
        assert words.encode("unicode_escape") not in history


async def test_refused_rows_are_listed_and_the_others_taken(stack: Stack, tmp_path: Path) -> None:
    place = written(
        tmp_path, "1,好,行,2024-01-02,,,,\n", "2,题,文,2024-13-45,,,,\n", "3,题,文,,无此小区,,,\n",
        "4,题,文,,,,,打电话\n", f"5,题,{'长' * 20_001},,,,,\n", b"6,a,b\xff,,,,,\n", b"7,a," + b"x" * 10_485_760 + b",,,,,\n",
        "1,题,别的内容,,,,,\n", "8,末,行,,,,,",
        name="refused.csv",
    )  # fmt: skip
    code, said = imported(stack, place)
    assert (code, counts(said)) == (1, (2, 0, 7))
    with (tmp_path / "refused-refused.csv").open(encoding="utf-8-sig", newline="") as report:
        listed = [(int(row["row"]), row["code"], row["field"]) for row in csv.DictReader(report)]
    assert listed == [
        (2, "wrong_date", "时间"), (3, "unknown_place", "小区"), (4, "validation_failed", "电话"),
        (5, "validation_failed", "标题 + 内容"), (6, "broken_encoding", ""), (7, "field_too_long", "内容"),
        (8, "idempotency_key_reused", ""),
    ]  # fmt: skip
    assert await number_of(stack, "refused") == 2


async def test_a_server_that_dies_meanwhile_costs_nothing(stack: Stack, tmp_path: Path) -> None:
    place = many(tmp_path, 1500, "died.csv")
    process = started(stack, place)
    await until(lambda there: there >= 100, stack, "died")
    stack.kill("api")  # the watch starts it again
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    taken, there, refused = counts(out)
    assert (taken + there, refused) == (1500, 0)
    assert "calls were repeated" in out
    assert await number_of(stack, "died") == 1500


async def test_an_interrupted_run_is_simply_started_again(stack: Stack, tmp_path: Path) -> None:
    place = many(tmp_path, 1000, "stopped.csv")
    process = started(stack, place, "--at-once", "1")  # slowly, so that it is still at work when it is stopped
    await until(lambda there: there >= 50, stack, "stopped")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on" in err
    before = await number_of(stack, "stopped")
    assert 50 <= before < 1000
    code, said = imported(stack, place)
    assert (code, counts(said)) == (0, (1000 - before, before, 0))
    assert await number_of(stack, "stopped") == 1000


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--data", "nowhere"), "Start one with ./run demo"),
        (("--url", "http://127.0.0.1:9", "--token", "x"), "does not answer"),
        (("--url", "http://127.0.0.1:9"), "--url needs --token"),
        (("--token", "dev_nobody_at_all"), "does not know this token"),
        (("--map", "text=missing"), "missing"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(stack: Stack, tmp_path: Path, more: tuple[str, ...], says: str) -> None:
    code, said = imported(stack, written(tmp_path, "1,好,行,,,,,\n", header=HEADER), *more)
    assert code == 2
    assert says in said
    assert "Traceback" not in said


def workbook(folder: Path, name: str, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    place = folder / name
    book.save(place)
    return place


async def test_a_workbook_is_imported_as_a_table_is(stack: Stack, tmp_path: Path) -> None:
    rows = [[n, f"第{n}盏路灯不亮", 13800000000 + n] for n in range(20)]
    place = workbook(tmp_path, "book.xlsx", ["编号", "内容", "电话"], *rows, [20, None, None])
    code, said = imported(stack, place)
    assert (code, counts(said)) == (1, (20, 0, 1))
    report = list(csv.DictReader(io.StringIO((tmp_path / "book-refused.csv").read_text("utf-8-sig"))))
    assert [(r["line"], r["code"], r["field"]) for r in report] == [("22", "text_missing", "内容")]
    assert counts(imported(stack, place)[1]) == (0, 20, 1)


def test_a_trial_needs_no_server_and_sends_nothing(tmp_path: Path) -> None:
    bad = ["1,,,,,,,\n", "2,路灯,不亮,,没有的小区,,,\n", "3,路灯,不亮,,,,,电话\n"]
    place = written(tmp_path, "9,路灯,不亮,,,,,13800001111\n", "9,路灯,不亮,,,,,13800001111\n", *bad, name="trial.csv")
    command = [
        sys.executable,
        "-m",
        "cli.importer",
        str(place),
        "--dry-run",
        "--url",
        "http://127.0.0.1:9",
        "--token",
        "x",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "5 rows: 1 could be taken in, 1 twice in the file, 3 refused" in done.stdout
    report = io.StringIO((tmp_path / "trial-refused.csv").read_text("utf-8-sig"))
    codes = [r["code"] for r in csv.DictReader(report)]
    assert codes == ["text_missing", "unknown_place", "validation_failed"]
