"""The whole play: demands come in, people work on them, meetings sit, faults strike, until everything is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from bench.simulation.diary import Diary
from bench.simulation.faults import Faults
from bench.simulation.life import Life
from bench.simulation.patience import until
from bench.simulation.people import Cast
from bench.simulation.plans import Plan
from bench.simulation.quarter import Quarter
from bench.simulation.sitting import Sitting
from bench.simulation.telephone import Telephone
from bench.simulation.works import Works

# Who waits for a clock or a meeting keeps nobody else from starting; how many live at all is bounded too.
_BUSY, _ALIVE = 24, 90
_SHARE_BEFORE_OUTAGE, _SHARE_DURING_OUTAGE = 0.2, 0.4


class Town:
    """`hotline` is intake's own telephone; `on_change` is told (accepted, closed) whenever one of them moves."""

    def __init__(
        self, plans: list[Plan], *, seed: int, cast: Cast, phone: Telephone, hotline: Telephone, diary: Diary,
        on_change: Callable[[int, int], None] = lambda accepted, closed: None,
    ) -> None:  # fmt: skip
        self._plans, self._seed = plans, seed
        self._cast, self._phone, self._hotline, self._diary = cast, phone, hotline, diary
        self._on_change = on_change
        self._waiting: asyncio.Queue[tuple[Plan, str] | None] = asyncio.Queue()
        self._lives: set[Life] = set()

    async def play(self, faults: Faults | None) -> None:
        """Raises what a life or an intake could not cope with; refusals are in the diary."""
        over = asyncio.Event()
        offices = [asyncio.create_task(office.run(over)) for office in self._offices()]
        background = [*offices, asyncio.create_task(faults.run())] if faults else offices
        try:
            await self._first_of_failures([self._intake(faults), self._live()], background)
            over.set()
            await asyncio.gather(*offices)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    def _offices(self) -> list[Sitting | Quarter | Works]:
        """Those who work on more than one demand."""
        own: dict[str, Any] = {"seed": self._seed, "cast": self._cast, "phone": self._phone, "diary": self._diary}
        sittings = [Sitting(meeting.id, **own) for meeting in self._cast.district.meetings]
        return [*sittings, Quarter(demands=len(self._plans), **own), Works(**own)]

    async def _first_of_failures(
        self, work: list[Coroutine[Any, Any, None]], background: list[asyncio.Task[None]]
    ) -> None:
        """All of `work` to its end; a background task that fails ends everything."""
        done = asyncio.gather(*work)
        watched: set[asyncio.Future[Any]] = {done, *background}
        try:
            while not done.done():
                ended, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for one in ended:
                    one.result()
        finally:
            done.cancel()
            with suppress(asyncio.CancelledError):
                await done

    # -- intake --------------------------------------------------------------------------------------------------

    async def _intake(self, faults: Faults | None) -> None:
        """In order. With an outage: a part before it, a part spread over it, the rest when it is over."""
        outage: asyncio.Task[None] | None = None
        first = int(len(self._plans) * _SHARE_BEFORE_OUTAGE)
        beyond = first + int(len(self._plans) * _SHARE_DURING_OUTAGE)
        for plan in self._plans:
            if faults is not None and faults.outage_seconds and plan.index == first:
                outage = asyncio.create_task(faults.outage())
                await faults.temporal_is_away.wait()
            if outage is not None and plan.index == beyond:
                await outage
            if faults is not None and faults.temporal_is_away.is_set():
                await asyncio.sleep(0.9 * faults.outage_seconds / (beyond - first))
            else:
                await self._room()
            await self._submit(plan, faults)

    async def _room(self) -> None:
        """Intake keeps a little ahead of the people who work."""
        await until(lambda: self._waiting.qsize() <= 4)

    async def _submit(self, plan: Plan, faults: Faults | None) -> None:
        said = await self._hotline.post(plan.opener, "/api/v1/demands", plan.body, plan.key)
        if said.status != 201:
            self._waiting.put_nowait(None)
            self._diary.strange.append(f"plan {plan.index} was answered {said.status}: {said.text}")
            return
        if faults and faults.temporal_is_away.is_set():
            self._diary.accepted_without_temporal += 1
        number = str(said.json["number"])
        self._diary.take(plan.index, number)
        self._waiting.put_nowait((plan, number))
        self._changed()

    # -- lives ---------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in self._plans:
                await until(self._has_room)
                came = await self._waiting.get()
                if came is not None:
                    group.create_task(self._live_one(*came))

    def _has_room(self) -> bool:
        busy = sum(not life.waits for life in self._lives)
        return busy < _BUSY and len(self._lives) < _ALIVE

    async def _live_one(self, plan: Plan, number: str) -> None:
        life = Life(plan, number, cast=self._cast, phone=self._phone, diary=self._diary)
        self._lives.add(life)
        try:
            await life.run()
        finally:
            self._lives.discard(life)
            self._changed()

    def _changed(self) -> None:
        self._on_change(len(self._diary.accepted), len(self._diary.closed))
