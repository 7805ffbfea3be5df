"""What is done to the servers meanwhile: kill -9 at seeded moments, and Temporal away during intake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.simulation.diary import Diary
from bench.simulation.patience import until
from devstack.stack import Stack

_SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Wanted:
    """How often worker and API are killed, and for how many seconds Temporal is away."""

    kill_worker: int = 0
    kill_api: int = 0
    stop_temporal: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.kill_worker or self.kill_api or self.stop_temporal)


class Faults:
    """`lived` counts the demands that are through; the moments are shares of `demands`, drawn from the seed."""

    def __init__(
        self, stack: Stack, wanted: Wanted, *, demands: int, seed: int, lived: Callable[[], int], diary: Diary
    ) -> None:
        self._stack, self._diary = stack, diary
        self._lived, self._demands = lived, demands
        chance = Random(f"{seed}:faults")
        names = ["worker"] * wanted.kill_worker + ["api"] * wanted.kill_api
        chance.shuffle(names)
        moments = sorted(chance.uniform(0.1, 0.7) for _ in names)
        self._kills = list(zip(moments, names, strict=True))
        self.temporal_is_away = asyncio.Event()
        self.outage_seconds = wanted.stop_temporal

    async def run(self) -> None:
        for moment, name in self._kills:
            await self._until_lived(moment * self._demands)
            await self._kill(name)

    async def _until_lived(self, demands: float) -> None:
        await until(lambda: self._lived() >= demands)

    async def _kill(self, name: str) -> None:
        await until(lambda: self._stack.pids[name] is not None)
        victim = self._stack.pids[name]
        await asyncio.to_thread(self._stack.kill, name)
        self._diary.faults.append(f"kill -9 {name} (process {victim}) after {self._lived()} of {self._demands} demands")
        await until(lambda: self._stack.pids[name] not in (None, victim))
        await asyncio.sleep(_SETTLE_SECONDS)

    async def outage(self) -> None:
        """Temporal is killed, stays away, and comes back on the same file and port."""
        victim = self._stack.pids["temporal"]
        await asyncio.to_thread(self._stack.kill, "temporal")
        await asyncio.to_thread(self._stack.stop_part, "temporal")  # the watch leaves it alone until it is started
        self.temporal_is_away.set()
        await asyncio.sleep(self.outage_seconds)
        self.temporal_is_away.clear()
        await asyncio.to_thread(self._stack.start_part, "temporal")
        self._diary.faults.append(
            f"kill -9 temporal (process {victim}), away for {self.outage_seconds:g} s during intake: "
            f"{self._diary.accepted_without_temporal} demands were answered 201 meanwhile"
        )
