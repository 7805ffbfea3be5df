"""A joint meeting that sits whenever something is on its agenda: the chair or the secretary decides item after item."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from bench.simulation.choices import Words
from bench.simulation.diary import Confirmed, Diary
from bench.simulation.people import Cast
from bench.simulation.telephone import Telephone

_EMPTY_SECONDS = 0.4


class Sitting:
    """One of the communities' meetings, or the committee; `run` goes on until it is cancelled."""

    def __init__(self, meeting: str, *, seed: int, cast: Cast, phone: Telephone, diary: Diary) -> None:
        self._meeting, self._seed = meeting, seed
        self._cast, self._phone, self._diary = cast, phone, diary
        self._committee = meeting == cast.district.id

    async def run(self) -> None:
        people = self._cast.deciders(self._meeting, await self._chair())
        while True:
            said = await self._phone.get(people[0], f"/api/v1/meetings/{self._meeting}/agenda")
            ours = [item for item in said.json if self._diary.index_of(item["number"]) is not None]
            for item in ours:
                await self._decide(people, item)
            if not ours:
                await asyncio.sleep(_EMPTY_SECONDS)

    async def _chair(self) -> str | None:
        said = await self._phone.get(self._cast.overseer, "/api/v1/meetings")
        chairs = {one["id"]: one["chair"] for one in said.json}
        return str(chairs[self._meeting]["id"]) if chairs[self._meeting] else None

    async def _decide(self, people: list[str], item: dict[str, Any]) -> None:
        number, turn = str(item["number"]), int(item["turn"])
        index = self._diary.index_of(number)
        chance = Random(f"{self._seed}:{index}:{turn}:decision")
        words = Words(self._cast.district, chance)
        who = chance.choice(people)
        body = {"number": number, **words.decision(community=item["community"], turn=turn, committee=self._committee)}
        key = f"simulate-{self._seed}-{index}-turn-{turn}"
        said = await self._phone.post(who, f"/api/v1/meetings/{self._meeting}/decisions", body, key)
        if said.status == 200:
            self._diary.confirmed.append(Confirmed(number, "decide", who))
        elif said.code == "not_on_agenda" or (body["kind"], said.code) == ("shelve", "validation_failed"):
            # Decided elsewhere, or a busy moment outlasted the review date: the item stays, and is decided anew.
            self._diary.overtaken[f"decide: {said.code}"] += 1
        elif said.status < 500:
            self._diary.strange.append(f"{number}: {body['kind']} by {who} was answered {said.status}: {said.text}")
