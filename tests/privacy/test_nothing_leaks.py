"""Marked names, numbers, addresses and words go through every door of the real stack; then everything is searched for them.

Nothing may stand in clear in a workflow's history, a log, a metric, an address, a problem document, a column of the database
or a file on disk, nor in what an auditor, an administrator or another system is answered. That the search sees what it looks
through is proved by planting a mark in each place.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from devstack.reset import cluster_outside, temporary_folder
from devstack.stack import Stack
from domain.district import District
from domain.vocabulary import Role
from service.pack import load_pack
from tests.privacy import searching
from tests.privacy.doors import GRID, MARKS, Doors
from tests.privacy.searching import Hit, in_bytes

OTHERS = (Role.AUDITOR, Role.ADMIN, Role.INTEGRATOR, None)
PLANTED = "机密埋设标记"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    settings = {"LINLI_ACCESS_LOG": "true", "LINLI_LOG_LEVEL": "debug"}
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        with Stack(folder, port=0, settings=settings, say=lambda line: None) as running:
            yield running


@pytest_asyncio.fixture(scope="module")
async def temporal(stack: Stack) -> Client:
    return await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)


@pytest_asyncio.fixture(scope="module")
async def pushed(stack: Stack) -> AsyncIterator[Doors]:
    """The stack after everything has been pushed through every door."""
    district = load_pack(stack.pack)
    marks = MARKS | dict(zip(("lat", "lon"), a_point(district), strict=True))
    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        doors = Doors(http, stack.token_secret, district, marks)
        number = await doors.a_resident()
        await doors.the_hotline()
        await doors.a_confidential_one()
        await doors.a_meeting()
        await doors.individual_needs()
        await doors.a_draft()
        await doors.open311()
        await doors.a_table()
        await doors.a_photograph(number)
        await doors.a_contact()
        await doors.the_residents_door()
        await doors.wrong_input(number)
        yield doors


def a_point(district: District) -> tuple[str, str]:
    """Somewhere in the grid, with digits that stand nowhere else."""
    for compound in (one for one in district.compounds if one.grid == GRID):
        lat, lon = float(f"{compound.lat:.3f}7139153"), float(f"{compound.lon:.3f}2718281")
        found = district.grid_at(lat, lon)
        if found is not None and found.id == GRID:
            return repr(lat), repr(lon)
    raise AssertionError("no compound of the grid lies far enough inside it")


def folders(stack: Stack) -> list[Path]:
    outside = cluster_outside(stack.folder.path)
    return [stack.folder.path, *([outside] if outside else [])]


def told(where: str, looked: int, hits: list[Hit]) -> None:
    print(f"{where}: {looked} searched, hits {len(hits)}")
    assert looked > 0, f"{where}: the search found nothing to look through; it has to be mended"
    assert hits == [], where


def test_every_mark_went_through_a_door(pushed: Doors) -> None:
    assert sorted(set(pushed.marks) - pushed.pushed) == []


async def test_no_workflow_remembers_it(pushed: Doors, temporal: Client) -> None:
    found = await searching.histories(temporal)
    assert any(number in name for name in found for number in pushed.numbers)
    hits = [hit for name, content in found.items() for hit in in_bytes(name, [content], pushed.marks)]
    told("workflow histories, memos and attributes", len(found), hits)


def test_no_log_and_no_address_in_one_tells_it(pushed: Doors, stack: Stack) -> None:
    found = searching.logs(stack.folder.logs)
    assert {"api.log", "worker.log", "temporal.log", "postgres.log"} <= set(found)
    assert b"/api/v1/demands/{number}/actions" in found["api.log"], "the access log is off"
    hits = [hit for name, content in found.items() for hit in in_bytes(name, [content], pushed.marks)]
    told("logs of all processes, with the access log", len(found), hits)


def test_no_metric_tells_it(pushed: Doors, stack: Stack) -> None:
    found = searching.metrics(f"{stack.url}/metrics")
    assert b"demands" in found["metrics"]
    told("metrics", len(found), in_bytes("metrics", found.values(), pushed.marks))


def test_no_problem_document_repeats_it(pushed: Doors) -> None:
    problems = [one for one in pushed.answers if one.problem]
    assert len(problems) > 20 and {one.status for one in problems} >= {400, 401, 422}
    hits = [hit for one in problems for hit in in_bytes(f"{one.method} {one.path}", [one.body.encode()], pushed.marks)]
    told("problem documents", len(problems), hits)


def test_no_header_of_an_answer_repeats_it(pushed: Doors) -> None:
    marks = {name: mark for name, mark in pushed.marks.items() if name != "session"}  # its cookie is such a header
    hits = [hit for one in pushed.answers for hit in in_bytes(one.path, [one.headers.encode()], marks)]
    told("headers of answers", len(pushed.answers), hits)


async def test_no_column_holds_it_in_clear(pushed: Doors, stack: Stack) -> None:
    looked, hits = await searching.columns(stack.database_url, pushed.marks)
    assert {
        "demand.state",
        "demand_text.sealed",
        "reporter.sealed",
        "idempotency.answer",
        "personal_read.reason",
    } <= set(looked)
    told("columns of the database", len(looked), hits)


async def test_nobody_else_is_answered_it(pushed: Doors) -> None:
    """A masked address ends at the building; a system may read again what it sent itself, the text of its report."""
    looked, hits = 0, []
    for role in OTHERS:
        bodies = await pushed.what_others_may_read(role)
        looked += len(bodies)
        for path, body in bodies.items():
            shown = {"building"} if role is Role.AUDITOR and path.endswith("/reporter") else set()
            shown |= {"open311"} if role is Role.INTEGRATOR else set()
            found = in_bytes(f"{role}: {path}", [body.encode()], pushed.marks)
            hits += [hit for hit in found if hit.mark not in shown]
    told("answers to an auditor, an administrator, another system, and to nobody in particular", looked, hits)


async def test_no_file_on_disk_holds_it(pushed: Doors, stack: Stack) -> None:
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    count, size, hits = searching.disk(folders(stack), pushed.marks)
    print(f"{size / 1e6:.0f} MB")
    told("files on disk: database, its log of writes, Temporal's, logs, uploads", count, hits)


async def test_the_search_finds_what_is_planted(pushed: Doors, stack: Stack, temporal: Client) -> None:
    """Last of all: a mark in each of the places, and each search finds it."""
    marks = {"planted": PLANTED}
    await temporal.start_workflow(
        "Planted",
        PLANTED,
        id=f"planted-{uuid.uuid4().hex}",
        task_queue="nowhere",
        execution_timeout=timedelta(minutes=1),
    )
    for _ in range(100):  # the list of workflows is a little behind
        found = await searching.histories(temporal)
        if any("planted-" in name for name in found):
            break
        await asyncio.sleep(0.1)
    assert next(name for name, content in found.items() if in_bytes(name, [content], marks)).startswith("Planted")
    log = stack.folder.logs / "api.log"
    with log.open("a") as out:
        out.write(f'{{"event": "{PLANTED.encode("unicode_escape").decode()}"}}\n')
    assert in_bytes("api.log", [searching.logs(stack.folder.logs)["api.log"]], marks)
    number = pushed.numbers[0]
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute("update reporter set sealed = $2 where number = $1", number, PLANTED.encode())
        await connection.execute("update demand set state = state || jsonb_build_object('planted', $2::text) where number = $1", number, PLANTED)  # fmt: skip
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    _, hits = await searching.columns(stack.database_url, marks)
    assert {hit.place for hit in hits} == {"column reporter.sealed", "column demand.state"}
    _, _, on_disk = searching.disk(folders(stack), marks)
    assert any("base/" in hit.place or "pg_wal/" in hit.place for hit in on_disk) and any(
        "temporal" in hit.place for hit in on_disk
    )
    for spelled in (
        '{"detail": "机密埋设标记"}',
        "\\u673a\\u5bc6\\u57cb\\u8bbe\\u6807\\u8bb0",
        "%E6%9C%BA%E5%AF%86%E5%9F%8B%E8%AE%BE%E6%A0%87%E8%AE%B0",
    ):
        assert in_bytes("problem", [spelled.encode()], marks)
