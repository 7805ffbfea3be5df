"""A dump restored into a new cluster, where transactions are counted from the start again: really dumped and restored."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from devstack.pgbinaries import find_binaries
from devstack.postgres import Postgres
from devstack.reset import temporary_folder
from store.feed import Position, consume, page
from store.pool import Pool, open_pool
from store.record import record
from tests.conftest import UNSAFE_BUT_FAST
from tests.store.builders import Story
from tests.store.test_feed import ids, taken_in


@pytest.fixture
def other_cluster() -> Iterator[Postgres]:
    with temporary_folder() as folder:
        server = Postgres(folder / "cluster", settings=UNSAFE_BUT_FAST)
        server.start()
        try:
            yield server
        finally:
            server.stop()


AGE = """
do $$ begin
    create temp table aged (n int);
    for n in 1..5000 loop begin insert into aged values (n); exception when division_by_zero then null; end; end loop;
end $$
"""
"""Uses up five thousand transaction numbers: more than a restore does."""


def carry_over(source: str, target: str) -> None:
    """`pg_dump | psql`, as an operator would."""
    binaries = find_binaries()
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    dump = subprocess.run([binaries.path("pg_dump"), source], capture_output=True, env=environment, check=True)
    subprocess.run(
        [binaries.path("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", target],
        input=dump.stdout, capture_output=True, env=environment, check=True,
    )  # fmt: skip


async def go_on(pool: Pool, name: str) -> list[str]:
    async with consume(pool, name, 1000) as batch:
        assert batch is not None
        return ids(batch.events)


async def test_cursors_inside_and_outside_go_on_and_miss_nothing(
    pool: Pool, database: str, other_cluster: Postgres
) -> None:
    await pool.execute(AGE)
    one = await taken_in(pool)
    async with consume(pool, "inside", 1000, start="beginning"):
        pass
    outside = str((await page(pool, None, 1000))[-1].position)
    carry_over(database, other_cluster.url)
    async with await open_pool(other_cluster.url, size=4) as restored:
        await goes_on(restored, outside, one)


async def goes_on(restored: Pool, outside: str, one: Story) -> None:
    assert await restored.fetchval("select pg_current_xact_id()::text::bigint") < Position.parse(outside).xid, (
        "the transactions of the new cluster would come behind by themselves, and this test show nothing"
    )
    new = await taken_in(restored)
    await record(restored, **one.note("in the new cluster"))
    expected = [f"{n.demand.number}-{e.seq}-{e.hash[:8]}" for n, e in (
        *((new, e) for e in new.entries), (one, one.entries[-1]),
    )]  # fmt: skip
    assert ids(await page(restored, Position.parse(outside), 1000)) == expected
    assert await go_on(restored, "inside") == expected
    assert await go_on(restored, "inside") == []
