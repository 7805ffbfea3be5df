"""What passes between a duplicate and its primary, each its own workflow: a signal to the primary, whose updates are few at a
time, and keyed updates to the duplicates, of which a repetition changes nothing (docs/decisions/0013)."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from contracts.demand import Acted, Following, Told, Word
from domain import commands as c
from domain.actors import SYSTEM
from domain.demand import Demand
from domain.errors import DomainError
from domain.following import word_for_followers
from gateways.temporal.engine import NotRunning, signal, update
from store import texts
from store.pool import Pool
from store.seal import Sealer

AT_ONCE = 8
LATER = frozenset({"outcome_unknown", "unavailable", "too_many_requests"})


class DuplicateActivities:
    def __init__(self, pool: Pool, client: Client, sealer: Sealer) -> None:
        self._pool = pool
        self._client = client
        self._sealer = sealer

    @activity.defn(name="join_primary")
    async def join_primary(self, following: Following) -> Word:
        """See contracts.demand.join_primary."""
        if await self._signalled(following):
            return Word()
        word = word_for_followers(await self._demand(following.primary))
        return Word(command=await self._own(word, following.number))

    @activity.defn(name="leave_primary")
    async def leave_primary(self, following: Following) -> None:
        """See contracts.demand.leave_primary."""
        await self._signalled(following.model_copy(update={"joins": False}))

    @activity.defn(name="tell_followers")
    async def tell_followers(self, told: Told) -> None:
        """See contracts.demand.tell_followers."""
        primary = await self._demand(told.primary)
        word = word_for_followers(primary)
        if word is None:
            return  # it went on: whoever handles it now tells them
        if isinstance(word, c.LosePrimary) and word.heir is None:
            word = word.model_copy(update={"heir": next(iter(primary.followers), None)})
        gate = asyncio.Semaphore(AT_ONCE)

        async def tell(number: str) -> ApplicationError | None:
            async with gate:
                activity.heartbeat()
                try:
                    await self._send(number, await self._own(word, number))
                except ApplicationError as later:
                    return later
            return None

        failed = [one for one in await asyncio.gather(*map(tell, told.followers)) if one is not None]
        if failed:  # those who have heard refuse it the second time
            raise ApplicationError(f"{len(failed)} of {len(told.followers)} could not be told", type=failed[0].type)

    async def _signalled(self, following: Following) -> bool:
        """False where the primary has ended. Raises ApplicationError, to be tried again, where it is about to start."""
        try:
            await signal(self._client, following.primary, "followed", following)
        except NotRunning as gone:
            if gone.ended:
                return False
            raise ApplicationError("its workflow is about to start", type="not_started") from None
        except DomainError as away:
            raise ApplicationError(away.rule, type=away.code) from None
        return True

    async def _send(self, number: str, command: c.Settle | c.LosePrimary | None) -> None:
        """Raises ApplicationError, to be tried again, where no verdict came; what a rule refused has happened already, or
        need not happen any more."""
        if command is None:
            return
        key = f"{command.type}-{command.primary}-{activity.info().workflow_run_id}-{activity.info().activity_id}"
        try:
            act = c.Act(command=command, actor=SYSTEM, key=key)
            await update(self._client, number, "act", act, key=f"{key}-{number}", result=Acted)
        except NotRunning as gone:
            if not gone.ended:
                raise ApplicationError("its workflow is about to start", type="not_started") from None
            await self._not_taken(number, command)
        except DomainError as refused:
            if refused.code in LATER:
                raise ApplicationError(refused.rule, type=refused.code) from None
            await self._not_taken(number, command)

    async def _not_taken(self, number: str, command: c.Settle | c.LosePrimary) -> None:
        if isinstance(command, c.Settle):
            await texts.drop_unnamed(self._pool, command.reply_id, number)

    async def _own(self, word: c.Settle | c.LosePrimary | None, number: str) -> c.Settle | c.LosePrimary | None:
        """With a copy of the reply that belongs to the duplicate."""
        if not isinstance(word, c.Settle):
            return word
        own = await texts.copy_to(self._pool, self._sealer, word.reply_id, number)
        return word.model_copy(update={"reply_id": own})

    async def _demand(self, number: str) -> Demand:
        row = await self._pool.fetchval("select state from demand where number = $1", number)
        return Demand.model_validate_json(row)
