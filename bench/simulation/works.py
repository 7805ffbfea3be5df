"""What the joint meetings turned into projects, worked on until it is done: milestones, the chair's activity, the end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.simulation.diary import Diary
from bench.simulation.helping import Move
from bench.simulation.people import Cast
from bench.simulation.telephone import Body, Telephone

_LOOK_SECONDS, _LAST_ROUNDS = 0.7, 40
View = dict[str, Any]


class Works:
    """`run` ends when `over` is set and no project of this run is open any more."""

    def __init__(self, *, seed: int, cast: Cast, phone: Telephone, diary: Diary) -> None:
        self._seed, self._cast, self._phone, self._diary = seed, cast, phone, diary

    async def run(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._round()
            await asyncio.sleep(_LOOK_SECONDS)
        for _ in range(_LAST_ROUNDS):
            if not await self._round():
                return
        self._diary.strange.append("some projects could not be brought to their end")

    async def _round(self) -> int:
        """One step of each project; how many are open."""
        said = await self._phone.get(self._cast.overseer, "/api/v1/projects", state="open", limit=100)
        ours = [one for one in said.json if any(self._diary.index_of(d["number"]) is not None for d in one["demands"])]
        for one in ours:
            await self._step(one)
        return len(ours)

    async def _step(self, project: View) -> None:
        move = self._next(project)
        key = f"simulate-{self._seed}-{project['id']}-{project['seq']}"
        said = await self._phone.post(move.who, f"/api/v1/projects/{project['id']}/actions", move.body, key)
        if said.status not in (200, 500, 502):
            self._diary.strange.append(f"{project['id']}: {move.body} was answered {said.status}: {said.text}")

    def _next(self, project: View) -> Move:
        steers = self._cast.keeper(project["community"] or self._cast.district.id)
        if project["community"] and not project["activities"]:
            return Move(steers, self._activity())
        for one in project["activities"]:
            if one["state"] in ("planned", "announced"):
                does = "announce_activity" if one["state"] == "planned" else "finish_activity"
                return Move(self._liaison(one["unit"]), {"type": does, "activity": one["seq"]})
        for one in project["milestones"]:
            if one["percent"] < 100:
                body = {"type": "progress", "milestone": one["seq"], "percent": one["percent"] + 50}
                return Move(self._liaison(project["lead_unit"]), body)
        return Move(steers, {"type": "close"})

    def _activity(self) -> Body:
        """Held by the unit that chairs on that day."""
        day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
        return {"type": "plan_activity", "kind": "service_day", "title": "便民服务日", "planned_on": day}

    def _liaison(self, unit: View) -> str:
        return self._cast.district.unit(str(unit["id"])).liaison
