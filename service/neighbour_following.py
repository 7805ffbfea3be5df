"""Follows a request at a neighbour, and does to the demand what their answers mean.

taken on there            accept             if the unit has not accepted yet
they write something      note
closed there              resolve            their notes are the public reply, without anybody's numbers
not theirs                refuse             inside the refusal window; later, and of a duplicate: a note, and it is given back
opened again there        note, and the liaison is told
the unit has it no more   their request is cancelled, where they take updates
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.demand import Demand
from domain.errors import DomainError
from domain.neighbours import Meaning, Neighbour, Standing, State, Update, is_late, their_words
from domain.vocabulary import Stage
from gateways.neighbours.client import Client, Failed
from service.neighbour_acting import LATER, Acting
from service.neighbour_sending import MARGIN, is_with, said_of
from store import forwardings, references
from store.forwardings import Forwarding
from store.pool import Pool

MOST_SEEN, MOST_NOTES = 500, 40
LONGEST_WINDOW = timedelta(days=80)
WAITS_HERE = frozenset({"stage_forbids", "co_task_open"})
"""Why the demand may not be resolved yet, though it may soon: it is paused, or another unit's part is open."""


class GiveBack(Protocol):
    async def __call__(self, to: Neighbour, one: Forwarding, code: str, words: str = "") -> None:
        """The liaison has to see to it."""


class Following:
    def __init__(
        self,
        pool: Pool,
        acting: Acting,
        client: Client,
        give_back: GiveBack,
        tell: GiveBack,
        now: Callable[[], datetime],
    ) -> None:
        self._pool, self._acting, self._client, self._now = pool, acting, client, now
        self._give_back, self._tell = give_back, tell

    async def follow(self, to: Neighbour, one: Forwarding) -> None:
        """Raises Failed."""
        demand = await self._acting.demand(one.number)
        if demand is None or await self._is_over(to, one, demand):
            return
        if one.resolved_at is None and not is_with(demand, one):  # resolved by us, and what was written of it was lost
            one = replace(one, resolved_at=self._now())
        if one.their_id is None:
            named = await self._named(to, one)
            if named is None:
                return
            one = named
        assert one.their_id is not None
        standing = await self._client.read(to, one.their_id)
        updates = await self._updates(to, one, one.their_id)
        if updates and not standing.extended:
            standing = replace(standing, extended=updates[-1].status)
        fresh = [u for u in updates if u.id not in one.seen][:MOST_NOTES]
        changes = await self._apply(to, one, demand, standing, fresh)
        if changes is not None:
            await self._heard(to, one, standing, fresh, changes)

    async def _is_over(self, to: Neighbour, one: Forwarding, demand: Demand) -> bool:
        now = self._now()
        resolved = one.resolved_at is not None or (
            demand.handler == to.actor.id and demand.stage in (Stage.FEEDBACK, Stage.CLOSED)
        )
        if not resolved and not is_with(demand, one):
            if to.updates and one.their_id is not None:
                words = "此件已不由本单位办理，请勿继续办理。No longer with this unit; please do not go on."
                form = said_of(one.their_id, f"{one.reference}.cancel", "CANCELLED", words, now)
                try:
                    await self._client.add_update(to, form, key=f"{one.reference}.cancel")
                except Failed as failed:
                    if not failed.refused and not is_late(one.failing_since, now, to):
                        raise
            await forwardings.end(self._pool, one, State.STOPPED, now, last_error="left_unit")
            return True
        watched = one.resolved_at is not None and now - one.resolved_at >= to.watch
        if resolved and (demand.sealed or watched):
            await forwardings.end(self._pool, one, State.DONE, now, resolved_at=one.resolved_at or now)
            return True
        return False

    async def _named(self, to: Neighbour, one: Forwarding) -> Forwarding | None:
        """What the token has become; None where there is no id yet."""
        assert one.token is not None, "they answered with an id or a token"
        id, now = await self._client.id_of(to, one.token), self._now()
        if id is None:
            if is_late(one.sent_at, now, to):
                await self._give_back(to, one, "no_id_yet")
            else:
                await forwardings.settle(
                    self._pool, one, now + to.poll, attempts=0, failing_since=None, last_error=None
                )
            return None
        async with self._pool.acquire() as connection, connection.transaction():
            kept = await forwardings.keep(connection, one, their_id=id)
            if kept:
                await references.add(connection, one.number, to.id, id)
        return replace(one, their_id=id) if kept else None

    async def _updates(self, to: Neighbour, one: Forwarding, id: str) -> list[Update]:
        if not to.updates:
            return []
        now, first = self._now(), one.sent_at or one.planned_at
        since = max(first - MARGIN, (one.heard_at or first) - 2 * MARGIN, now - LONGEST_WINDOW)
        return await self._client.updates(to, id, since, now + timedelta(minutes=5))

    async def _heard(
        self, to: Neighbour, one: Forwarding, standing: Standing, fresh: Sequence[Update], changes: dict[str, Any]
    ) -> None:
        now = self._now()
        said: dict[str, Any] = {
            "their_status": "closed" if standing.closed else "open",
            "their_change": standing.changed,
        }
        if _is_old(one, standing):
            said = {}
        seen = [*one.seen, *(u.id for u in fresh)][-MOST_SEEN:]
        await forwardings.settle(
            self._pool, one, now + to.poll,
            **{"heard_at": now, "attempts": 0, "failing_since": None, "last_error": None, "seen": seen,
               "resolved_at": one.resolved_at, **said, **changes},
        )  # fmt: skip

    # ---- what it means here

    async def _apply(
        self, to: Neighbour, one: Forwarding, demand: Demand, standing: Standing, fresh: Sequence[Update]
    ) -> dict[str, Any] | None:
        """What there is to write down besides; None where it is over."""
        person = await self._acting.person(one.number)
        closing = standing.closed and not _is_old(one, standing)
        last_words = next((u.words for u in reversed(fresh) if u.words.strip()), "")
        reply = their_words(standing.notes if standing.notes.strip() else last_words, person)
        if not closing and standing.meaning is Meaning.ACCEPTED and is_with(demand, one) and not demand.accepted:
            await self._tried(to, one, "accept", "once")
        for update in fresh:
            words = their_words(update.words, person)
            if words and not (closing and words == reply):
                await self._tried(to, one, "note", f"update {update.id}", note_id=f"{to.name}：{words}")
        if one.resolved_at is not None:
            return await self._after(to, one, standing, reply)
        if closing:
            return await self._close(to, one, standing, reply)
        return {}

    async def _close(self, to: Neighbour, one: Forwarding, standing: Standing, reply: str) -> dict[str, Any] | None:
        meaning, what = standing.meaning, f"closed {standing.changed}"
        if meaning in (Meaning.REFUSED, Meaning.HANDED_BACK):
            said = reply or f"{to.name}退回了转办件。"
            if meaning is Meaning.REFUSED and await self._tried(
                to, one, "refuse", what, basis="not_our_duty", note_id=f"{to.name}：{said}"
            ):
                await forwardings.end(
                    self._pool, one, State.DONE, self._now(), their_status="closed", last_error="refused"
                )
            else:
                await self._give_back(to, one, f"{meaning}_there", said)
            return None
        outcome = "explained" if meaning is Meaning.EXPLAINED else "resolved"
        said = reply or f"{to.name}已办结（对方编号 {one.their_id}）。"
        try:
            await self._acting.act(to, one, "resolve", what, outcome=outcome, reply_id=said)
        except DomainError as refused:
            if refused.code in LATER or (
                refused.code in WAITS_HERE and not is_late(one.failing_since, self._now(), to)
            ):
                raise Failed(f"here_{refused.code}") from None
            await self._give_back(to, one, f"here_{refused.code}", said)
            return None
        return {"resolved_at": self._now()}

    async def _after(self, to: Neighbour, one: Forwarding, standing: Standing, reply: str) -> dict[str, Any]:
        """What they do with a request whose demand is with its reporter already."""
        was, is_now = one.their_status, "closed" if standing.closed else "open"
        if was == "closed" and is_now == "open":
            await self._tell(to, one, "reopened_there", reply)
        elif was == "open" and is_now == "closed" and reply:
            await self._tried(to, one, "note", f"closed {standing.changed}", note_id=f"{to.name}：{reply}")
        return {}

    async def _tried(self, to: Neighbour, one: Forwarding, type: str, what: str, **said: Any) -> bool:
        """False where a rule refuses it, which is then for the liaison to know. Raises Failed where there is no verdict."""
        try:
            await self._acting.act(to, one, type, what, **said)
        except DomainError as refused:
            if refused.code in LATER:
                raise Failed(f"here_{refused.code}") from None
            return False
        return True


def _is_old(one: Forwarding, standing: Standing) -> bool:
    """They have not opened it again yet, as they were asked to: that it is closed is no news."""
    return (
        one.old_change is not None and one.their_status is None and standing.closed and standing.changed == one.old_change
    )  # fmt: skip
