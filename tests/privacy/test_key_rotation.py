"""Rotating keys: everything, however often it is interrupted, beside whoever writes meanwhile; and what is said about it."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from service import key_rotation
from service.key_rotation import AlreadyRunning, look, rotate
from service.phone_keeper import PhoneKeeper
from store import reporter_index, resealing
from store.phone_digests import PhoneDigests
from store.pool import Pool, open_pool
from store.seal import Sealer, UnknownKey
from store.sealed_columns import SEALED
from tests.privacy.sealed_rows import KINDS, load, load_others, number_of, phone_of

OLD, NEW = b"1" * 32, b"2" * 32
BEFORE, BOTH, AFTER = {"k1": OLD}, {"k2": NEW, "k1": OLD}, {"k2": NEW}


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database()


@pytest_asyncio.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(url, size=5)
    yield opened
    await opened.close()


async def all_open(pool: Pool, ring: dict[str, bytes]) -> int:
    """How many sealed values there are, each opened."""
    sealer, count = Sealer(ring), 0
    for column in SEALED:
        rows = await pool.fetch(
            f"select {column.bound_to} as bound, {column.column} as sealed from {column.table} where {column.column} is not null"
        )
        for row in rows:
            assert sealer.open(row["sealed"], row["bound"])
            count += 1
    return count


async def test_everything_sealed_opens_with_the_new_key_alone(url: str, pool: Pool) -> None:
    await load(url, Sealer(BEFORE), 30)
    await load_others(url, Sealer(BEFORE))
    assert (await look(pool)).of("k1") == 30 * (len(KINDS) + 1) + 6
    told: dict[str, int] = {}
    done = await rotate(pool, BOTH, lambda name, n: told.update({name: told.get(name, 0) + n}), at_once=7)
    assert done.removable and done.resealed == sum(told.values()) == 156 and told["demand_text.sealed"] == 120
    assert await all_open(pool, AFTER) == 156
    again = await rotate(pool, BOTH)
    assert again.resealed == 0 and again.removable


async def test_a_phone_is_found_before_during_and_after(url: str, pool: Pool) -> None:
    await load(url, Sealer(BEFORE), 3)
    await PhoneKeeper(pool, Sealer(BEFORE), PhoneDigests(BEFORE)).catch_up()
    before = await pool.fetchval("select digest from reporter_index where number = $1", number_of(1))
    assert await reporter_index.found(pool, PhoneDigests(BOTH).all(phone_of(1)), 9) == [number_of(1)]
    await rotate(pool, BOTH)
    assert await reporter_index.found(pool, PhoneDigests(BOTH).all(phone_of(1)), 9) == [number_of(1)]
    assert await reporter_index.found(pool, PhoneDigests(AFTER).all(phone_of(1)), 9) == [number_of(1)]
    assert await pool.fetchval("select digest from reporter_index where number = $1", number_of(1)) != before


async def test_what_somebody_writes_meanwhile_is_kept(url: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that changes between being read and being replaced stays as its writer left it."""
    numbers = await load(url, Sealer(BEFORE), 4)
    replace = resealing.replace

    async def late(*given: object) -> int:
        await pool.execute(
            "update reporter set sealed = $2 where number = $1", numbers[2], Sealer(BOTH).seal("new", numbers[2])
        )
        await pool.execute("delete from reporter where number = $1", numbers[3])
        return await replace(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(resealing, "replace", late)
    done = await rotate(pool, BOTH)
    assert done.removable
    assert (
        Sealer(AFTER).open(await pool.fetchval("select sealed from reporter where number = $1", numbers[2]), numbers[2])
        == "new"
    )
    assert await pool.fetchval("select count(*) from reporter") == 3


async def test_writers_of_both_keys_beside_it(url: str, pool: Pool) -> None:
    """Processes that have not been restarted yet still seal with the old key: it is said, and the next run finds it."""
    await load(url, Sealer(BEFORE), 200)
    over = asyncio.Event()

    async def write(ring: dict[str, bytes], first: int) -> int:
        wrote = 0
        while not over.is_set():
            await load(url, Sealer(ring), 1, first=first + wrote)
            wrote += 1
        return wrote

    writers = [asyncio.create_task(write(BEFORE, 1_000)), asyncio.create_task(write(BOTH, 5_000))]
    await asyncio.sleep(0.05)
    await rotate(pool, BOTH, at_once=20)
    over.set()
    wrote = await asyncio.gather(*writers)
    assert min(wrote) > 0
    done = await rotate(pool, BOTH)
    assert done.removable and await all_open(pool, AFTER) == (200 + sum(wrote)) * (len(KINDS) + 1)


async def test_what_no_key_opens_is_named_and_the_old_key_is_still_needed(url: str, pool: Pool) -> None:
    numbers = await load(url, Sealer(BEFORE), 3)
    await pool.execute(
        "update reporter set sealed = $2 where number = $1", numbers[0], Sealer({"k0": b"0" * 32}).seal("x", numbers[0])
    )
    await pool.execute("update reporter set sealed = 'nothing' where number = $1", numbers[1])
    done = await rotate(pool, BOTH)
    assert not done.removable and done.unreadable == {"reporter.sealed": [(numbers[0],), (numbers[1],)]}
    assert done.left.by_column["reporter.sealed"] == {"": 1, "k0": 1, "k2": 1} and done.left.of("k1") == 0


async def test_one_at_a_time(pool: Pool) -> None:
    async with resealing.only_one(pool) as mine:
        assert mine
        with pytest.raises(AlreadyRunning):
            await rotate(pool, BOTH)
    assert (await rotate(pool, BOTH)).removable


async def test_before_the_rotation_the_old_key_is_needed(url: str) -> None:
    (number,) = await load(url, Sealer(BEFORE), 1)
    pool = await open_pool(url, size=1)
    try:
        sealed = await pool.fetchval("select sealed from reporter where number = $1", number)
    finally:
        await pool.close()
    with pytest.raises(UnknownKey, match="k1"):
        Sealer(AFTER).open(sealed, number)


# ---- the command


def entry(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


async def command(url: str, root: Path, *words: str) -> asyncio.subprocess.Process:
    keys = f"{entry('k2', NEW)},{entry('k1', OLD)}"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.keys", *words, cwd=root, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "DATABASE_URL": url, "LINLI_DATA_KEYS": keys, "COLUMNS": "200"},
    )  # fmt: skip


async def said(process: asyncio.subprocess.Process) -> tuple[int, str]:
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_killed_in_the_middle_and_started_again(url: str, pool: Pool, project_root: Path) -> None:
    await load(url, Sealer(BEFORE), 2_000)
    code, words = await said(await command(url, project_root, "rotate", "--dry-run"))
    assert code == 1 and "10000 values would be sealed anew with k2" in words
    assert (await look(pool)).of("k2") == 0  # a dry run changes nothing
    running = await command(url, project_root, "rotate", "--batch", "5")
    while (await look(pool)).of("k2") < 300:
        await asyncio.sleep(0.01)
        assert running.returncode is None, await said(running)
    running.send_signal(signal.SIGKILL)
    await running.wait()
    done = (await look(pool)).of("k2")
    assert 300 <= done < 10_000, "it was killed too late: nothing was left to resume"
    code, words = await said(await command(url, project_root, "rotate"))
    assert code == 0, words
    assert f"{10_000 - done} values sealed anew with k2" in words and "k1 may be removed" in words
    assert await all_open(pool, AFTER) == 10_000


async def test_without_a_database_it_says_so(project_root: Path) -> None:
    code, words = await said(await command("postgresql://linli@127.0.0.1:1/linli", project_root, "rotate"))
    assert code == 2 and "The database is not there" in words


def test_the_rotation_goes_through_every_sealed_column() -> None:
    assert key_rotation.SEALED is SEALED
