"""A quarter of the rotating chair: at each third of the demands a month ends, and the chair goes to the next unit.

The servers' clock does not jump. So a turn is entered as people enter one that they settle among themselves: an override
for these days, naming the unit that the calendar has next. Where the chair stays for the whole quarter, its unit is away in
the second month, and another one stands in. What is entered is taken back at the end.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bench.simulation.diary import Diary, Turn
from bench.simulation.patience import until
from bench.simulation.people import Cast
from bench.simulation.telephone import Body, Telephone
from domain.policies import Rotation

MONTHS = 3
View = dict[str, Any]


class Quarter:
    """`run` ends when `over` is set and nothing that was entered stands any more."""

    def __init__(self, *, demands: int, seed: int, cast: Cast, phone: Telephone, diary: Diary) -> None:
        self._demands, self._seed = demands, seed
        self._cast, self._phone, self._diary = cast, phone, diary
        self._standing: dict[str, int] = {}

    async def run(self, over: asyncio.Event) -> None:
        await self._note_chairs()
        for month in range(2, MONTHS + 1):
            so_far = self._demands * (month - 1) / MONTHS
            await until(lambda so_far=so_far: over.is_set() or len(self._diary.closed) >= so_far)  # type: ignore[misc]
            if over.is_set():
                break
            for rotation in self._cast.district.rotations:
                await self._turn(rotation, month)
            await self._note_chairs()
        await over.wait()
        for community in list(self._standing):
            await self._take_back(community)

    async def _note_chairs(self) -> None:
        said = await self._phone.get(self._cast.overseer, "/api/v1/rotation")
        for one in said.json:
            chair = one["chair"]
            unit = (chair["unit"] or chair)["name"]
            turn = Turn(chair["id"], unit, chair["how"], datetime.now(UTC))
            self._diary.chairs.setdefault(one["community"], []).append(turn)

    async def _turn(self, rotation: Rotation, month: int) -> None:
        await self._take_back(rotation.community)
        if rotation.period == "month":
            following = await self._ahead(rotation.community)
            await self._enter(rotation.community, month, {"type": "override", "unit": following[month - 2]})
        elif month == 2:
            own = str((await self._calendar(rotation.community))["chair"]["whose"]["id"])
            other = next(unit for unit in rotation.roster if unit != own)
            await self._enter(rotation.community, month, {"type": "substitute", "unit": own, "by_unit": other})

    async def _ahead(self, community: str) -> list[str]:
        """The units of the periods to come, in the calendar's order."""
        year = self._today.year
        found = [await self._calendar(community, year=n) for n in (year, year + 1)]
        return [turn["unit"]["id"] for one in found for turn in one["turns"] if turn["state"] == "ahead"]

    async def _calendar(self, community: str, **params: Any) -> View:
        said = await self._phone.get(self._cast.overseer, f"/api/v1/rotation/{community}", **params)
        return dict(said.json)

    async def _enter(self, community: str, month: int, change: Body) -> None:
        days = {"from": self._today.isoformat(), "until": (self._today + timedelta(days=1)).isoformat()}
        body = {**change, **days, "reason": f"模拟：第{month}个月"}
        key = f"simulate-{self._seed}-{community}-month-{month}"
        path = f"/api/v1/rotation/{community}/changes"
        said = await self._phone.post(self._cast.secretary(community), path, body, key)
        if said.status == 201:
            self._standing[community] = int(said.json["id"])
        elif said.code == "rotation_conflict":  # somebody else has settled these days
            self._diary.overtaken[f"{change['type']}: {said.code}"] += 1
        else:
            self._diary.strange.append(f"{community}: {change['type']} was answered {said.status}: {said.text}")

    async def _take_back(self, community: str) -> None:
        id = self._standing.pop(community, None)
        if id is None:
            return
        path = f"/api/v1/rotation/{community}/changes/{id}/revoke"
        key = f"simulate-{self._seed}-{community}-back-{id}"
        said = await self._phone.post(self._cast.secretary(community), path, {}, key)
        if said.status != 200:
            self._diary.strange.append(f"{community}: taking back {id} was answered {said.status}: {said.text}")

    @property
    def _today(self) -> date:
        return datetime.now(ZoneInfo(self._cast.district.timezone)).date()
