"""A joint meeting that sits whenever something is on its agenda: called, opened, attended, decided item after item, closed.

Now and then too few units come and everything rolls over, an item is left for the next time, or a late one is let in.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from bench.simulation.choices import Words
from bench.simulation.diary import Confirmed, Diary
from bench.simulation.people import Cast
from bench.simulation.telephone import Body, Telephone
from domain.bodies import rules_of

_EMPTY_SECONDS = 0.4
_MOST_ITEMS = 100
_WITHOUT_QUORUM, _LEFT_FOR_NEXT, _NOT_LET_IN = 0.12, 0.08, 0.3

View = dict[str, Any]


class Sitting:
    """One of the communities' meetings, or the committee; `run` ends after the session in which `over` is set."""

    def __init__(self, meeting: str, *, seed: int, cast: Cast, phone: Telephone, diary: Diary) -> None:
        self._meeting, self._seed = meeting, seed
        self._cast, self._phone, self._diary = cast, phone, diary
        self._committee = meeting == cast.district.id
        self._keeper = cast.keeper(meeting)
        self._members = list(rules_of(cast.district, meeting).members)
        self._chance = Random(f"{seed}:{meeting}:sessions")
        self._count = 0
        self._held = diary.sessions.setdefault(meeting, [])

    async def run(self, over: asyncio.Event) -> None:
        while not over.is_set():
            if not await self._items():
                await asyncio.sleep(_EMPTY_SECONDS)
                continue
            session = await self._opened()
            if session is not None:
                await self._sit(session)

    async def _items(self) -> list[View]:
        said = await self._phone.get(self._keeper, f"/api/v1/meetings/{self._meeting}/agenda", limit=_MOST_ITEMS)
        return [item for item in said.json if self._diary.index_of(item["number"]) is not None]

    # -- the session ---------------------------------------------------------------------------------------------

    async def _opened(self) -> View | None:
        """An extra session, opened; None for one that an earlier run with this seed has held already."""
        self._count += 1
        path = f"/api/v1/meetings/{self._meeting}/sessions"
        called = await self._phone.post(self._keeper, path, {"kind": "extra"}, self._key("call"))
        if called.status == 201 and called.json["state"] == "closed":
            return None
        if called.status != 201:
            self._strange("its session", called.status, called.text)
            await asyncio.sleep(_EMPTY_SECONDS)
            return None
        self._held.append(str(called.json["id"]))
        return await self._act(str(called.json["id"]), self._keeper, {"type": "open"}, "open")

    async def _sit(self, session: View) -> None:
        id, chair = str(session["id"]), str(session["chair"]["id"])
        comes = self._chance.random() >= _WITHOUT_QUORUM
        units = self._members[: session["quorum"] if comes else session["quorum"] - 1]
        await self._act(id, self._keeper, {"type": "attend", "units": units}, "attend")
        if comes:
            for item in await self._items():
                await self._take_up(id, chair, item)
        await self._act(id, self._keeper, {"type": "close"}, "close")

    async def _take_up(self, session: str, chair: str, item: View) -> None:
        if self._chance.random() < _LEFT_FOR_NEXT:
            return
        if item["late"]:
            if self._chance.random() < _NOT_LET_IN:
                return
            consent: Body = {"type": "consent", "number": item["number"]}
            await self._act(session, chair, consent, f"in-{item['number']}-{item['turn']}")
        await self._decide([chair, self._keeper], item)

    async def _act(self, session: str, who: str, body: Body, what: str) -> View | None:
        path = f"/api/v1/meetings/{self._meeting}/sessions/{session}/actions"
        said = await self._phone.post(who, path, body, self._key(what))
        if said.status == 200:
            return dict(said.json)
        if said.code == "not_on_agenda":  # withdrawn meanwhile
            self._diary.overtaken[f"{body['type']}: {said.code}"] += 1
        else:
            self._strange(str(body["type"]), said.status, said.text)
        return None

    def _key(self, what: str) -> str:
        return f"simulate-{self._seed}-{self._meeting}-{self._count}-{what}"

    def _strange(self, what: str, status: int, text: str) -> None:
        if status < 500:
            self._diary.strange.append(f"meeting {self._meeting}: {what} was answered {status}: {text}")

    # -- an item -------------------------------------------------------------------------------------------------

    async def _decide(self, people: list[str], item: View) -> None:
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
        elif said.code in ("not_on_agenda", "late_item") or (body["kind"], said.code) == (
            "shelve",
            "validation_failed",
        ):
            # Decided elsewhere or back as another visit, or a busy moment outlasted the review date: decided anew.
            self._diary.overtaken[f"decide: {said.code}"] += 1
        elif said.status < 500:
            self._diary.strange.append(f"{number}: {body['kind']} by {who} was answered {said.status}: {said.text}")
