"""Rulings as rows: kept once, read newest first, ended once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from domain.rulings import Ruling, in_force
from store import rulings
from store.pool import Pool
from store.rulings import Wanted

AT = datetime(2027, 3, 1, 2, 0, 0, 123456, tzinfo=UTC)
A_DAY = timedelta(days=1)
_ids = count(1)


def a_ruling(**changes: Any) -> Ruling:
    n = next(_ids)
    said: dict[str, Any] = {
        "id": f"c1.20270301-000001.{n}", "meeting": "c1", "community": "c1", "category": "0102", "unit": "u",
        "valid_from": AT, "decided_at": AT + n * timedelta(seconds=1), "number": "20270301-000001", "chair": "p",
    }  # fmt: skip
    return Ruling.model_validate(said | changes)


async def ids(pool: Pool, **wanted: Any) -> list[str]:
    return [kept.ruling.id for kept in await rulings.page(pool, Wanted(**wanted), after=None, limit=100)]


async def test_what_is_kept_comes_back_as_it_was_and_once(pool: Pool) -> None:
    one = a_ruling(valid_until=AT + 30 * A_DAY)
    await rulings.put(pool, [one, one])
    await rulings.put(pool, [one.model_copy(update={"unit": "another"})])
    kept = await rulings.one(pool, one.id)
    assert kept is not None and (kept.ruling, kept.revoked_at) == (one, None)
    assert await rulings.one(pool, "no-such") is None


async def test_those_not_over_are_read_newest_first(pool: Pool) -> None:
    at = AT + 1_000 * A_DAY
    over, to_come, stands = a_ruling(valid_until=at), a_ruling(valid_from=at + A_DAY), a_ruling(community=None)
    await rulings.put(pool, [stands, over, to_come])
    found = await rulings.not_over(pool, at)
    mine = [r for r in found if r in (over, to_come, stands)]
    assert mine == [stands, to_come] and [r for r in in_force(found, at) if r in mine] == [stands]


async def test_the_list_is_narrowed_and_paged(pool: Pool) -> None:
    branch, leaf = a_ruling(unit="u9", category="09"), a_ruling(unit="u9", category="090102", community="c2")
    wide = a_ruling(unit="u9", category="0902", community=None)
    await rulings.put(pool, [branch, leaf, wide])
    assert await ids(pool, unit="u9") == [wide.id, leaf.id, branch.id]
    assert await ids(pool, unit="u9", community="c2") == [wide.id, leaf.id]
    assert await ids(pool, unit="u9", category="0901") == [leaf.id, branch.id]
    assert await ids(pool, unit="u9", category="090102") == [leaf.id, branch.id]
    assert await ids(pool, unit="u9", in_force_at=AT - A_DAY) == []
    first = await rulings.page(pool, Wanted(unit="u9"), after=None, limit=1)
    then = await rulings.page(pool, Wanted(unit="u9"), after=(wide.decided_at, wide.id), limit=9)
    assert [k.ruling.id for k in (*first, *then)] == [wide.id, leaf.id, branch.id]


async def test_it_is_revoked_once_however_many_try(pool: Pool) -> None:
    one = a_ruling(valid_until=AT + 30 * A_DAY)
    await rulings.put(pool, [one])
    tries = (
        rulings.revoke(pool, one.id, until=AT + n * A_DAY, at=AT, by=f"p-{n}", reason="changed") for n in range(1, 6)
    )  # fmt: skip
    won = [kept for kept in await asyncio.gather(*tries) if kept is not None]
    assert len(won) == 1 and await rulings.one(pool, one.id) == won[0]
    assert won[0].revoked_at == AT and won[0].ruling.valid_until in [AT + n * A_DAY for n in range(1, 6)]
    await rulings.put(pool, [one])  # the meeting records its decision again
    assert await rulings.one(pool, one.id) == won[0]


async def test_revoking_never_makes_one_last_longer(pool: Pool) -> None:
    one = a_ruling(valid_until=AT + A_DAY)
    await rulings.put(pool, [one])
    assert await rulings.revoke(pool, one.id, until=AT + 2 * A_DAY, at=AT, by="p", reason="late") is None
    kept = await rulings.one(pool, one.id)
    assert kept is not None and (kept.ruling, kept.revoked_at) == (one, None)
