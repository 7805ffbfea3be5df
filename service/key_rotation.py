"""Rotating the data keys: everything that is sealed is sealed anew with the first key of the ring.

It may be interrupted at any time and started again, and runs beside the product. A process that still has the old order
of keys goes on sealing with an old one; what it wrote meanwhile is found by the last count, and by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from service.phone_keeper import PhoneKeeper
from store import resealing
from store.phone_digests import PhoneDigests
from store.pool import Pool
from store.resealing import Old
from store.seal import Sealer, UnknownKey
from store.sealed_columns import SEALED, SealedColumn

AT_ONCE = 500
MOST_NAMED = 5

Progress = Callable[[str, int], None]
"""Told the name of a column and how many of its values have just been looked after."""


class AlreadyRunning(Exception):
    """Another rotation is under way on this database."""


@dataclass
class Left:
    """What is sealed where by which key: column → key id → how many."""

    by_column: dict[str, dict[str, int]]

    def of(self, key_id: str) -> int:
        return sum(counts.get(key_id, 0) for counts in self.by_column.values())

    def not_of(self, key_id: str) -> int:
        return sum(n for counts in self.by_column.values() for name, n in counts.items() if name != key_id)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(sorted({name for counts in self.by_column.values() for name, n in counts.items() if n}))


@dataclass
class Rotated:
    """`unreadable`: values that no configured key opens, by column: how many, and some of their rows."""

    current: str
    resealed: int = 0
    unreadable: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    left: Left = field(default_factory=lambda: Left({}))

    @property
    def removable(self) -> bool:
        """Whether nothing in the database needs any other key."""
        return self.left.not_of(self.current) == 0


async def look(pool: Pool) -> Left:
    return Left({column.name: await resealing.counted(pool, column) for column in SEALED})


async def rotate(
    pool: Pool, ring: Mapping[str, bytes], told: Progress = lambda _, __: None, *, at_once: int = AT_ONCE
) -> Rotated:
    """Seal everything with the first key of the ring, and make the phone index anew. Raises AlreadyRunning."""
    sealer, rotated = Sealer(dict(ring)), Rotated(next(iter(ring)))
    async with resealing.only_one(pool) as mine:
        if not mine:
            raise AlreadyRunning("Another rotation runs on this database; let it end first.")
        for column in SEALED:
            await _column(pool, sealer, column, rotated, told, at_once)
        await PhoneKeeper(pool, sealer, PhoneDigests(ring)).catch_up()
        rotated.left = await look(pool)
    return rotated


async def _column(
    pool: Pool, sealer: Sealer, column: SealedColumn, rotated: Rotated, told: Progress, at_once: int
) -> None:
    after = None
    while found := await resealing.others(pool, column, key_id=rotated.current, after=after, limit=at_once):
        pairs = [(old, new) for old in found if (new := _sealed_anew(sealer, column, old, rotated)) is not None]
        if pairs:
            rotated.resealed += await resealing.replace(pool, column, pairs)
        after = found[-1].key
        told(column.name, len(found))


def _sealed_anew(sealer: Sealer, column: SealedColumn, old: Old, rotated: Rotated) -> bytes | None:
    try:
        return sealer.seal(sealer.open(old.sealed, old.bound_to), old.bound_to)
    except (UnknownKey, ValueError):
        rotated.unreadable.setdefault(column.name, []).append(old.key)
        return None
