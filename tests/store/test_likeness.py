"""Marks of demands: found missing, found near, and nothing of a text in them."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta
from itertools import count

from asyncpg import BitString

from domain.similarity import gist, telling_of
from store import likeness
from store.fingerprint import BITS, Fingerprints, most_apart
from store.likeness import Mark, Wanted
from store.pool import Pool
from store.record import record
from tests.store.builders import Story, intake, story
from tests.store.test_intake import insert

KEYS = {"k2": b"2" * 32, "k1": b"1" * 32}
PRINTS = Fingerprints(KEYS)
TELLING = telling_of(["路灯", "电梯"])
CELL = 53_053_000_127_076
_cells = count(CELL + 1_000, 100)


def bits(text: str, prints: Fingerprints = PRINTS) -> BitString:
    return prints.of(gist(text, TELLING).weights)


def apart(a: BitString, b: BitString) -> int:
    return (a.to_int() ^ b.to_int()).bit_count()


# ---- fingerprints


def test_similar_texts_have_near_fingerprints_and_others_do_not() -> None:
    lamp = bits("三栋楼下路灯坏了晚上不亮")
    assert apart(lamp, lamp) == 0
    assert apart(lamp, bits("楼下路灯不亮，晚上看不见")) < most_apart(0.3)
    assert apart(lamp, bits("电梯停运老人下不了楼梯")) > most_apart(0.2)


def test_each_bit_is_the_weighed_vote_of_all_fragments() -> None:
    weights = gist("三栋楼下路灯坏了，业主小区电梯，wifi", TELLING).weights
    key = hmac.digest(KEYS["k2"], b"linli demand likeness 1", "sha256")
    votes = {f: int.from_bytes(hmac.digest(key, f.encode(), "sha256"), "big") for f in weights}
    total = sum(weights.values())
    for bit in range(BITS):
        in_favour = sum(weight for f, weight in weights.items() if votes[f] >> bit & 1)
        assert PRINTS.of(weights).to_int() >> bit & 1 == (2 * in_favour > total)


def test_the_order_of_words_leaves_no_trace() -> None:
    assert bits("路灯，电梯") == bits("电梯。路灯")


def test_a_fingerprint_cannot_be_made_without_the_key() -> None:
    other = Fingerprints({"k2": b"3" * 32})
    assert abs(apart(bits("楼下路灯坏了"), bits("楼下路灯坏了", other)) - BITS / 2) < 50
    assert PRINTS.made_with == other.made_with == "k2.1"
    assert bits("楼下路灯坏了", Fingerprints({"k2": b"2" * 32})) == bits("楼下路灯坏了")


def test_the_longest_text_of_the_heaviest_words_fits() -> None:
    weights = {f"f{n}": 8 for n in range(4_000)}
    ones = PRINTS.of(weights).to_int().bit_count()
    assert 0 < ones < BITS and PRINTS.of({}).to_int() == 0


# ---- rows


async def taken(pool: Pool, one: Story | None = None) -> Story:
    one = one or story()
    assert await insert(pool, intake(one))
    return one


def mark(of: Story, text: str, cell: int | None = CELL, **more: object) -> Mark:
    d = of.demand
    assert d.place is not None and d.opened_at is not None
    made = Mark(
        number=d.number, branch=d.category[:2], category=d.category, community=d.place.community, grid=d.place.grid,
        compound=d.place.compound, cell=cell, opened_at=d.opened_at, made_with=PRINTS.made_with, signature=bits(text),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def wanted(of: Story, text: str, *cells: int, **more: object) -> Wanted:
    at = of.entries[0].at
    day = timedelta(days=1)
    asked = Wanted(
        number=of.demand.number, branch="04", cells=cells, grid="g-nowhere", since=at - day, until=at + day,
        closed_since=at - day, made_with=PRINTS.made_with, signature=bits(text),
    )  # fmt: skip
    return replace(asked, **more)  # type: ignore[arg-type]


async def near(pool: Pool, asked: Wanted, limit: int = 10) -> list[str]:
    return [one.number for one in await likeness.near(pool, asked, limit=limit)]


async def missing(pool: Pool) -> list[str]:
    at = story().entries[0].at
    return await likeness.missing(pool, since=at, made_with=PRINTS.made_with, limit=1_000)


async def test_what_has_no_mark_is_missing_and_so_is_what_changed_since(pool: Pool) -> None:
    one, two, three = [await taken(pool) for _ in range(3)]
    numbers = {s.demand.number for s in (one, two, three)}
    assert numbers <= set(await missing(pool))
    await likeness.put(
        pool, [mark(one, "a"), mark(two, "b", category="040101"), mark(three, "c", made_with="k1.1")]
    )  # fmt: skip
    assert set(await missing(pool)) & numbers == {two.demand.number, three.demand.number}
    await likeness.put(pool, [mark(two, "b"), mark(three, "c")])
    assert not set(await missing(pool)) & numbers
    assert await likeness.missing(
        pool, since=one.entries[0].at + timedelta(days=1), made_with="none", limit=1_000
    ) == []  # fmt: skip


async def test_only_the_likest_of_the_place_are_found_and_the_demand_itself_never(pool: Pool) -> None:
    cell = next(_cells)
    lamp, same, lift, away = [await taken(pool) for _ in range(4)]
    await likeness.put(
        pool, [mark(lamp, "楼下路灯坏了", cell), mark(same, "三栋楼下路灯坏了", cell), mark(lift, "电梯停运", cell),
               mark(away, "楼下路灯坏了", cell + 50)],
    )  # fmt: skip
    found = await likeness.near(pool, wanted(lamp, "楼下路灯坏了", cell), limit=10)
    assert [one.number for one in found] == [same.demand.number]
    assert 0 < found[0].apart < most_apart(0.5) and found[0].text == b"sealed" and found[0].person == b"sealed too"
    nearly, same_again = await taken(pool), await taken(pool)
    await likeness.put(pool, [mark(nearly, "楼下路灯坏了三天", cell), mark(same_again, "楼下路灯坏了", cell)])
    likest = await near(pool, wanted(lamp, "楼下路灯坏了", cell))
    assert likest[0] == same_again.demand.number and set(likest[1:]) == {nearly.demand.number, same.demand.number}
    assert await near(pool, wanted(lamp, "楼下路灯坏了", cell), limit=1) == [same_again.demand.number]
    assert await near(pool, wanted(lamp, "楼下路灯坏了", cell, branch="05")) == []
    later = lamp.entries[0].at + timedelta(seconds=1)
    assert await near(pool, wanted(lamp, "楼下路灯坏了", cell, since=later)) == []


async def test_without_a_point_the_grid_is_the_place(pool: Pool) -> None:
    cell = next(_cells)
    exact, rough, asks = [await taken(pool) for _ in range(3)]
    await likeness.put(
        pool, [mark(exact, "路灯", cell, grid="g-7"), mark(rough, "路灯", None, grid="g-7"), mark(asks, "路灯", None)]
    )
    both = {exact.demand.number, rough.demand.number}
    assert set(await near(pool, wanted(asks, "路灯", grid="g-7"))) == both
    assert await near(pool, wanted(asks, "路灯", next(_cells), grid="g-7")) == [rough.demand.number]
    assert await near(pool, wanted(asks, "路灯", grid=None)) == []


async def test_marks_of_another_key_are_not_lost_while_they_wait_to_be_made_anew(pool: Pool) -> None:
    cell = next(_cells)
    asks, same, old, chance = [await taken(pool) for _ in range(4)]
    await likeness.put(
        pool,
        [
            mark(asks, "楼下路灯坏了", cell), mark(same, "楼下路灯坏了", cell), mark(chance, "下水堵塞", cell),
            mark(old, "楼下路灯坏了", cell, made_with="k1.1", signature=bits("路灯", Fingerprints({"k1": b"1" * 32}))),
        ],
    )  # fmt: skip
    found = await near(pool, wanted(asks, "楼下路灯坏了", cell))
    assert found == [same.demand.number, old.demand.number]


async def test_pairs_of_a_community_need_place_branch_and_likeness(pool: Pool) -> None:
    cell = next(_cells)
    a, b, lift, away, rough = [await taken(pool) for _ in range(5)]
    await likeness.put(
        pool,
        [
            mark(a, "楼下路灯坏了", cell, community="c-9"), mark(b, "三栋楼下路灯坏了", cell + 1, community="c-9"),
            mark(lift, "电梯停运", cell, community="c-9"), mark(away, "楼下路灯坏了", cell + 3, community="c-9"),
            mark(rough, "楼下路灯坏了", None, community="c-9"),
        ],
    )  # fmt: skip
    pairs = await likeness.pairs(
        pool, "c-9", since=a.entries[0].at, offsets=(-1, 0, 1), apart=most_apart(0.4), marks=100, limit=100
    )
    names = {s.demand.number: n for n, s in (("a", a), ("b", b), ("away", away), ("rough", rough))}
    assert {tuple(sorted((names[one], names[other]))) for one, other in pairs} == {
        ("a", "b"), ("a", "rough"), ("b", "rough"), ("away", "rough"),
    }  # fmt: skip


async def test_nothing_of_a_text_stands_in_the_table(pool: Pool) -> None:
    marked = "赵四海路灯坏了"
    one = await taken(pool)
    await likeness.put(pool, [mark(one, marked)])
    row = await pool.fetchrow("select l::text as whole from demand_likeness l where number = $1", one.demand.number)
    assert row is not None and "赵" not in row["whole"] and "路灯" not in row["whole"]
    columns = await pool.fetch(
        "select column_name from information_schema.columns where table_name = 'demand_likeness'"
    )  # fmt: skip
    assert {c["column_name"] for c in columns} == {
        "number", "branch", "category", "community", "grid", "compound", "cell", "opened_at", "made_with", "signature",
    }  # fmt: skip
    assert row["whole"].count(format(bits(marked).to_int(), "0256b")) == 1


async def test_a_source_has_what_is_sealed_and_where_the_demand_is_now(pool: Pool) -> None:
    one = await taken(pool)
    await record(pool, **one.note())
    (source,) = await likeness.sources(pool, [one.demand.number])
    assert (source.category, source.grid, source.text) == (one.demand.category, "g-1", b"sealed")
    (state,) = await likeness.with_state(pool, [one.demand.number])
    assert state.stage == one.demand.stage and state.opened_by == "resident-0001"
