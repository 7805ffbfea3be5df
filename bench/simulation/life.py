"""One demand's life: whoever may act next looks at it with an own token, chooses among what is permitted, and acts."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

from bench.simulation.choices import Words, choose
from bench.simulation.diary import Confirmed, Diary
from bench.simulation.helping import Helping, Move, Wait
from bench.simulation.people import Cast
from bench.simulation.photo import a_photo
from bench.simulation.plans import Plan
from bench.simulation.telephone import Answer, Telephone

View = dict[str, Any]
_MOVED_ON = ("not_found", "not_holder", "not_permitted", "outside_scope", "stage_forbids", "refusal_window_over", "closed",
             "not_on_agenda", "reopen_window_over", "unknown_place", "co_task_open", "merged", "merge_circle")  # fmt: skip


class Life:
    """`run` ends when the demand is closed and its reporter leaves it at that."""

    def __init__(self, plan: Plan, number: str, *, cast: Cast, phone: Telephone, diary: Diary) -> None:
        self._plan, self._number = plan, number
        self._cast, self._phone, self._diary = cast, phone, diary
        self._chance = Random(f"{plan.key}:life")
        self._words = Words(cast.district, self._chance)
        self._helping = Helping(cast.district, Random(f"{plan.key}:helping"))
        self._done: Counter[str] = Counter()
        self._moves = 0
        self._handled = 0
        self._slow = plan.slow
        self.waits = False

    async def run(self) -> None:
        view = await self._seen_by(self._cast.overseer)
        while view is not None:
            step = await self._next(view)
            if step is None:
                self._diary.closed.add(self._number)
                return
            self.waits = isinstance(step, Wait)
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                view = await self._seen_by(self._cast.overseer)
            else:
                view = await self._act(step) or await self._seen_by(self._cast.overseer)

    # -- looking and acting --------------------------------------------------------------------------------------

    async def _seen_by(self, who: str) -> View | None:
        said = await self._phone.get(who, f"/api/v1/demands/{self._number}")
        if said.status == 404 and who == self._cast.overseer:
            self._diary.strange.append(f"{self._number} was accepted, but a supervisor is told 404")
        return dict(said.json) if said.status == 200 else None

    async def _may(self, who: str, action: str) -> bool:
        view = await self._seen_by(who)
        return view is not None and action in view["permitted"]

    async def _act(self, move: Move) -> View | None:
        self._moves += 1
        action = str(move.body["type"])
        self._done[action] += 1
        key = f"{self._plan.key}-{self._moves}"
        path = f"/api/v1/demands/{self._number}/actions"
        said = await self._phone.post(move.who, path, move.body, key)
        if said.status == 200:
            said_of = move.body.get("co_units", (None,))  # each unit that is asked is an event
            self._diary.confirmed += [Confirmed(self._number, action, move.who)] * len(said_of)
            return dict(said.json)
        self._refused(action, said)
        return None

    def _refused(self, action: str, said: Answer) -> None:
        if said.code in _MOVED_ON:
            self._diary.overtaken[f"{action}: {said.code}"] += 1
        elif said.status < 500:
            self._diary.strange.append(
                f"{self._number}: {action} was permitted, but answered {said.status}: {said.text}"
            )

    # -- choosing ------------------------------------------------------------------------------------------------

    async def _next(self, view: View) -> Move | Wait | None:
        stage = str(view["stage"])
        if stage == "closed":
            return await self._reopen(view)
        if view["primary"] is not None and stage != "feedback":
            return await self._follow(view)
        if stage == "meeting":
            return await self._approve(view) if view["proposed_by"] else Wait(0.4)  # its chair acts, from the agenda
        if stage == "feedback":
            return await self._feedback(view)
        aside = await self._aside(view) or self._helping.answer(view)
        if aside is not None:
            return aside
        return await self._locate(view) if stage == "intake" else await self._handle(view)

    async def _handle(self, view: View) -> Move | Wait:
        who = str(view["holder"]["id"])
        if self._slow:
            return self._dawdle(view)
        if view["paused"] is not None and self._chance.random() < 0.8:
            await asyncio.sleep(0.3)
        if view["stage"] == "grid" and self._chance.random() < 0.06:
            who = self._cast.district.grid(view["grid"]).substitute
        patient = self._helping.wait(view)
        if patient is not None:
            return patient
        seen = await self._seen_by(who)
        if seen is None:
            return Wait(0.2)
        action = choose(self._chance, seen["permitted"], self._done)
        if action is None:
            return Wait(0.3)
        if action == "add_co_units":
            return Move(who, self._helping.ask(view))
        said = self._words.of(action, community=view["community"], stage=str(view["stage"]))
        if action == "resolve" and view["evidence"]:
            said["file_ids"] = [await self._phone.upload(who, a_photo(), f"{self._plan.key}-{self._moves + 1}-photo")]
        return Move(who, said)

    def _dawdle(self, view: View) -> Wait:
        """The first person in charge does nothing until the accept clock is broken."""
        accept = view["clocks"].get("accept", {})
        self._slow = not accept.get("breached") and accept.get("stopped_at") is None
        return Wait(2.0 if self._slow else 0.0)

    async def _follow(self, view: View) -> Move | Wait:
        """Handled with another demand; now and then that was a mistake."""
        operator = str(view["holder"]["id"])
        if self._chance.random() < 0.06 and await self._may(operator, "unmerge"):
            return Move(operator, {"type": "unmerge"})
        return Wait(0.5)

    async def _locate(self, view: View) -> Move | Wait:
        who = str(view["holder"]["id"])
        if not await self._may(who, "locate"):
            return Wait(0.3)
        return Move(who, self._words.of("locate", community=view["community"], stage="intake"))

    async def _aside(self, view: View) -> Move | None:
        """Now and then somebody else speaks first: the reporter, or a supervisor."""
        dice = self._chance.random()
        opener, boss = self._plan.opener, self._chance.choice(self._cast.supervisors)
        if self._done["extend"] > self._done["decide_extension"] and await self._may(boss, "decide_extension"):
            return Move(boss, self._words.of("decide_extension", community=None, stage=""))
        if dice < 0.04 and not self._done["urge"] and await self._may(opener, "urge"):
            return Move(opener, {"type": "urge"})
        if 0.04 < dice < 0.052 and await self._may(opener, "withdraw"):
            return Move(opener, {"type": "withdraw"})
        if 0.06 < dice < 0.08 and not self._done["reassign"] and await self._may(boss, "reassign"):
            others = [p for p in self._cast.colleagues(view["community"]) if p != view["holder"]["id"]]
            return Move(boss, {"type": "reassign", "person": self._chance.choice(others)})
        if 0.05 < dice < 0.06 and not self._done["supervise"] and await self._may(boss, "supervise"):
            return Move(boss, {"type": "supervise", "deed": "order", "note": "请加快办理。"})
        if 0.1 < dice < 0.13 and self._done["merge"] < 2 and await self._may(boss, "merge"):
            others = [number for number in self._diary.accepted.values() if number != self._number]
            if others:
                return Move(boss, {"type": "merge", "primary": self._chance.choice(others)})
        if 0.08 < dice < 0.1 and not self._done["swap_lead"] and await self._may(boss, "swap_lead"):
            return Move(boss, self._words.swap_lead(community=view["community"], unit=view["unit"]["id"]))
        return None

    async def _approve(self, view: View) -> Move | Wait:
        """A final reply waits for somebody other than the chair who proposed it."""
        for who in self._cast.verifiers(view["community"], self._chance):
            if await self._may(who, "decide_final_reply"):
                return Move(who, self._words.of("decide_final_reply", community=None, stage=""))
        return Wait(0.3)

    async def _feedback(self, view: View) -> Move | Wait:
        if await self._may(self._cast.overseer, "verify"):
            for who in self._cast.verifiers(view["community"], self._chance):
                if await self._may(who, "verify"):
                    return Move(who, self._words.of("verify", community=None, stage=""))
            return Wait(0.3)
        return await self._answer(view)

    async def _answer(self, view: View) -> Move | Wait:
        reply = self._plan.replies[min(self._handled, len(self._plan.replies) - 1)]
        operator = str(view["holder"]["id"])
        if reply == "silent":
            if self._chance.random() < 0.25 and await self._may(operator, "call_back"):
                return Move(operator, self._words.of("call_back", community=None, stage=""))
            return Wait(0.6)
        for who in (self._plan.opener, operator):  # an operator records what the reporter says on the telephone
            if await self._may(who, "confirm"):
                self._handled += 1
                return Move(who, self._words.answer(reply))
        return Wait(0.3)

    async def _reopen(self, view: View) -> Move | None:
        if not self._plan.reopens or self._done["reopen"]:
            return None
        for who in (self._plan.opener, self._cast.operators[0]):
            if await self._may(who, "reopen"):
                return Move(who, {"type": "reopen"})
        return None
