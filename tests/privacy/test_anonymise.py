"""Forgetting people: when their time is over or they ask for it, in batches, however often it is interrupted."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from domain.masking import ERASED
from domain.retention import Retention, RetentionRules
from service.erasure import Eraser, Forgetter, over_after, over_by
from service.phone_keeper import PhoneKeeper
from store import erasure
from store.phone_digests import PhoneDigests
from store.pool import Pool, open_pool
from store.seal import Sealer
from tests.privacy.sealed_rows import CLOSED_AT, load, load_others, number_of

RING = {"k1": b"1" * 32}
SEALER = Sealer(RING)
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = datetime(2026, 11, 23, 18, tzinfo=UTC)  # 02:00 in Shanghai
RULES = RetentionRules(version="1", days=365, rules=(Retention(categories=("12",), days=3650),))


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database()


@pytest_asyncio.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(url, size=5)
    yield opened
    await opened.close()


def forgetter(pool: Pool, now: datetime, rules: RetentionRules = RULES) -> Forgetter:
    """With a district of which only the time zone and the rules are asked."""

    class Watch:
        async def take_over(self) -> Any:
            return SimpleNamespace(district=SimpleNamespace(privacy=rules, timezone="Asia/Shanghai"))

    return Forgetter(Watch(), pool, SEALER, lambda: now)  # type: ignore[arg-type]


async def erased(pool: Pool) -> set[str]:
    return {row["number"] for row in await pool.fetch("select number from erasure where done_at is not null")}


async def test_the_person_and_the_texts_go_and_the_rest_stays(url: str, pool: Pool) -> None:
    gone, kept = await load(url, SEALER, 2)
    await load_others(url, SEALER)  # a photograph of the first
    await PhoneKeeper(pool, SEALER, PhoneDigests(RING)).catch_up()
    demands = await pool.fetch("select number, state, closed_at from demand order by 1")
    count = await Eraser(pool, SEALER).erase([gone], at=NOON, by="system", why="retention")
    assert count == 6  # a reporter, three texts, the key and the point of a photograph
    rows = await pool.fetch("select kind, sealed, erased_at from demand_text where number = $1 order by id", gone)
    words = {row["kind"]: (SEALER.open(row["sealed"], gone), row["erased_at"]) for row in rows}
    assert words["demand"] == words["note"] == words["reply"] == (ERASED, NOON)
    assert words["plan"] == (f"plan of 李{gone}", None)
    assert [r["number"] for r in await pool.fetch("select number from reporter")] == [kept]
    assert [r["number"] for r in await pool.fetch("select number from reporter_index")] == [kept]
    file = await pool.fetchrow("select state, gps, sealed_key from file")
    assert file is not None and tuple(file) == ("going", None, None)
    assert await pool.fetch("select number, state, closed_at from demand order by 1") == demands
    assert await Eraser(pool, SEALER).erase([gone], at=NIGHT, by="system", why="request") == 0
    assert await pool.fetchrow("select why, done_at from erasure") == ("retention", NOON)


async def test_all_of_a_batch_or_nothing(url: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = await load(url, SEALER, 3)
    monkeypatch.setattr(erasure, "ALSO_FORGOTTEN", ("delete from no_such_table where number = any($1::text[])",))
    with pytest.raises(Exception, match="no_such_table"):
        await Eraser(pool, SEALER).erase(numbers, at=NOON, by="system", why="retention")
    assert await pool.fetchval("select count(*) from reporter") == 3 and await erased(pool) == set()


async def test_at_night_what_is_due_and_never_what_is_not(url: str, pool: Pool) -> None:
    (due,) = await load(url, SEALER, 1)
    await load(url, SEALER, 1, first=1, category="1201")  # kept for ten years
    await load(url, SEALER, 1, first=2, closed_at=NIGHT - timedelta(days=364))
    await load(url, SEALER, 1, first=3, sealed=False)  # it may still be reopened
    assert await forgetter(pool, NOON).once() == 0
    assert await forgetter(pool, NIGHT, RetentionRules(version="1")).once() == 0  # no span is settled
    assert await forgetter(pool, NIGHT).once() == 1 and await erased(pool) == {due}
    assert await forgetter(pool, NIGHT).once() == 0


async def test_what_was_asked_for_goes_as_soon_as_it_is_closed_for_good(url: str, pool: Pool) -> None:
    (number,) = await load(url, SEALER, 1, sealed=False)
    async with pool.acquire() as connection:
        await erasure.ask(connection, number, at=NOON, by="resident-0001")
    assert await forgetter(pool, NOON).once() == 0
    await pool.execute("update demand set state = state || '{\"sealed\": true}'")
    assert await forgetter(pool, NOON).once() == 1
    kept = await pool.fetchrow("select asked_by, why, done_at from erasure")
    assert kept is not None and tuple(kept) == ("resident-0001", "request", NOON)


async def test_several_at_once_do_no_harm(url: str, pool: Pool) -> None:
    await load(url, SEALER, 120)
    done = await asyncio.gather(*(forgetter(pool, NIGHT).once() for _ in range(3)))
    assert max(done) >= 40 and len(await erased(pool)) == 120
    assert await pool.fetchval("select count(*) from reporter") == 0


async def test_every_one_is_found_however_small_the_batches(url: str, pool: Pool) -> None:
    await load(url, SEALER, 3)
    found = [
        one async for some in Eraser(pool, SEALER).retained_too_long(over_after(1, NOON), at_once=2) for one in some
    ]
    assert [one.number for one in found] == [number_of(n) for n in range(3)]
    assert over_by(RetentionRules(version="1"), NOON) is None


# ---- the command


async def command(url: str, root: Path, *words: str) -> asyncio.subprocess.Process:
    keys = f"k1:{base64.b64encode(RING['k1']).decode()}"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.privacy", "anonymise", *words, cwd=root,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "DATABASE_URL": url, "LINLI_DATA_KEYS": keys, "COLUMNS": "200"},
    )  # fmt: skip


async def said(process: asyncio.subprocess.Process) -> tuple[int, str]:
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_killed_in_the_middle_and_started_again(url: str, pool: Pool, project_root: Path) -> None:
    await load(url, SEALER, 2_000)
    code, words = await said(await command(url, project_root, "--older-than", "30", "--dry-run"))
    assert code == 0 and "2000 demands would be anonymised" in words and str(CLOSED_AT.year) in words
    assert await erased(pool) == set()  # a dry run changes nothing
    running = await command(url, project_root, "--older-than", "30", "--batch", "2")
    while len(await erased(pool)) < 50:
        await asyncio.sleep(0.01)
        assert running.returncode is None, await said(running)
    running.send_signal(signal.SIGKILL)
    await running.wait()
    done = await erased(pool)
    assert 50 <= len(done) < 2_000, "it was killed too late: nothing was left to resume"
    people = {row["number"] for row in await pool.fetch("select number from reporter")}
    assert not people & done and len(people | done) == 2_000  # each of them wholly or not at all
    code, words = await said(await command(url, project_root, "--older-than", "30"))
    assert code == 0 and f"{2_000 - len(done)} demands anonymised" in words, words
    assert await pool.fetchval("select count(*) from reporter") == 0


async def test_as_the_pack_says(url: str, pool: Pool, project_root: Path) -> None:
    await load(url, SEALER, 1, closed_at=datetime.now(UTC) - timedelta(days=1096))
    await load(url, SEALER, 1, first=1, closed_at=datetime.now(UTC) - timedelta(days=1094))
    code, words = await said(await command(url, project_root))
    assert code == 0 and "1 demands anonymised" in words, words
    assert await erased(pool) == {number_of(0)}
