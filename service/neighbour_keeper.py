"""Other city systems in the worker: planned, sent and followed until it stops. Several workers share the work.

Nothing waits without an instant and an owner: the next try or poll stands in the row, its owner is the unit's liaison, and
what has failed for too long is given up, noted in the demand, and told to the liaison and the supervisor.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from temporalio.client import Client as Temporal

from domain.demand import Demand
from domain.errors import DomainError
from domain.neighbours import Neighbour, NeighbourSilent, State, is_late, pause
from domain.notices import Happening, meant
from runtime.settings import Settings, networks_of
from service.neighbour_acting import Acting
from service.neighbour_planning import Planner
from service.notice_plans import Planner as Notices
from service.publish_watch import Watch
from service.repeating import WAITS_FOR, repeat
from store import forwardings
from store.forwardings import Forwarding
from store.pool import Connection, Pool
from store.seal import Sealer

if TYPE_CHECKING:  # an HTTP client, which a worker without neighbours does without
    from gateways.neighbours.client import Client, Failed
    from service.neighbour_following import Following
    from service.neighbour_sending import Sending

EVERY = timedelta(seconds=5)
LEASE, BOUND = timedelta(minutes=10), timedelta(minutes=8)
AT_ONCE = 4

log = structlog.get_logger()


def now_in_utc() -> datetime:
    return datetime.now(UTC)


class NeighbourKeeper:
    """`timeout` bounds one request. `now`: the clock of every wait."""

    def __init__(
        self, settings: Settings, pool: Pool, watch: Watch, *, now: Callable[[], datetime] = now_in_utc,
        timeout: timedelta | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._pool, self._watch, self._now, self._timeout = settings, pool, watch, now, timeout
        self._planner = Planner(watch, pool, now)
        self._notices = Notices(settings, watch)
        self._runners: dict[str, asyncio.Task[None]] = {}
        self._post: _Post | None = None

    async def keep(self, client: Temporal, task_queue: str) -> None:
        """Run until cancelled."""
        try:
            await repeat("neighbours", partial(self.look, client), every=EVERY)
        finally:
            await self.close()

    async def look(self, temporal: Temporal) -> None:
        """Plan what the feed brings, and set to work whatever is due."""
        known = {one.id: one for one in self._watch.district().neighbours}
        while known and await self._planner.once():
            pass
        for id in await forwardings.due(self._pool, self._now()):
            if id not in self._runners:
                run = self._run(known[id], temporal) if id in known else self._gone(id)
                task = asyncio.create_task(run)
                self._runners[id] = task
                task.add_done_callback(partial(self._ended, id))

    async def idle(self) -> None:
        """Until nothing is under way."""
        while self._runners:
            await asyncio.wait(self._runners.values())

    async def close(self) -> None:
        running = list(self._runners.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._post is not None:
            await self._post.client.close()

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        self._runners.pop(id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, WAITS_FOR):
                log.warning("neighbours wait", reason=type(error).__name__)
            else:
                log.error(
                    "neighbour stands still", neighbour=id, reason=type(error).__name__
                )  # the next look tries again

    # ---- the work

    async def _run(self, to: Neighbour, temporal: Temporal) -> None:
        self._post = self._post or self._open(temporal)
        while claimed := await forwardings.claim(self._pool, to.id, self._now(), LEASE, AT_ONCE):
            done = await asyncio.gather(*(self._work(self._post, to, one) for one in claimed), return_exceptions=True)
            for down in (one for one in done if one is not None):
                raise down

    async def _gone(self, neighbour: str) -> None:
        """It stands in the pack no more: what waits for it is given up."""
        while claimed := await forwardings.claim(self._pool, neighbour, self._now(), LEASE, AT_ONCE):
            for one in claimed:
                await self._end(one, "not_configured")

    async def _work(self, post: _Post, to: Neighbour, one: Forwarding) -> None:
        step = post.following.follow if one.their_id or one.token else post.sending.send
        try:
            async with asyncio.timeout(BOUND.total_seconds()):
                await step(to, one)
        except post.failed as failed:
            await self._failed(to, one, failed.code, failed.wait, sure=not failed.unsure)
        except WAITS_FOR:
            raise  # the lease ends, and it is looked at again
        except Exception as broken:  # one that cannot be read must not keep the others waiting
            log.error("forwarding not possible", forwarding=one.id, reason=type(broken).__name__)
            await self._failed(to, one, "internal", None, sure=False)

    async def _failed(self, to: Neighbour, one: Forwarding, code: str, wait: timedelta | None, *, sure: bool) -> None:
        now = self._now()
        since, attempts = one.failing_since or now, one.attempts + 1
        sent = one.their_id is not None or one.token is not None
        unsure = {} if not sure or sent else {"unsure": one.unsure}  # it says so already, since before it went out
        told = {"attempts": attempts, "failing_since": since, "last_error": code, **unsure}
        hopeless = code == "no_id" and to.known_by == "nothing"
        if hopeless or is_late(since, now, to):
            if await forwardings.keep(self._pool, one, **told):
                await self.give_back(to, one, code)
            return
        state = State.SENT if sent else State.FAILED
        await forwardings.settle(self._pool, one, now + pause(attempts, wait), state=str(state), **told)

    # ---- owners

    async def give_back(self, to: Neighbour, one: Forwarding, code: str, words: str = "") -> None:
        """It is for the liaison now: noted in the demand, told, and over until somebody says `retry`."""
        await self._note(to, one, code, words)
        await self._end(one, code)

    async def tell(self, to: Neighbour, one: Forwarding, code: str, words: str = "") -> None:
        """The liaison and the supervisor hear of it; it goes on."""
        await self._note(to, one, code, words)
        async with self._pool.acquire() as connection, connection.transaction():
            await self._notify(connection, one, code)

    async def _note(self, to: Neighbour, one: Forwarding, code: str, words: str) -> None:
        assert self._post is not None
        said = f"转办{to.name}需要人工处理（{code}）。" + (f"对方：{words}" if words else "")
        try:
            await self._post.acting.act(to, one, "note", f"{code} {one.claims}", note_id=said)
        except DomainError as refused:
            log.warning("not noted", forwarding=one.id, reason=refused.code)  # the notice is told all the same

    async def _end(self, one: Forwarding, code: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await forwardings.end(connection, one, State.GIVEN_UP, self._now(), last_error=code):
                await self._notify(connection, one, code)

    async def _notify(self, connection: Connection, one: Forwarding, code: str) -> None:
        row = await connection.fetchval("select state from demand where number = $1", one.number)
        demand, now = Demand.model_validate_json(row), self._now()
        happening = Happening(
            number=one.number, seq=demand.seq, at=now, actor=f"neighbour:{one.neighbour}",
            event=NeighbourSilent(neighbour=one.neighbour, code=code), before=demand, after=demand,
        )  # fmt: skip
        told = [(happening, each) for each in meant(self._notices.settings, happening)]
        await self._notices.write(connection, told, now)

    def _open(self, temporal: Temporal) -> _Post:
        from gateways.neighbours.client import TIMEOUT, Client, Failed
        from gateways.webhooks.address import Guard
        from gateways.webhooks.sender import Sender
        from service.neighbour_following import Following
        from service.neighbour_sending import Sending

        guard = Guard(networks_of(self._settings.neighbour_allow))
        sender = Sender(guard, agent="Linli-Neighbour/1", timeout=self._timeout or TIMEOUT, connections=AT_ONCE)
        client = Client(sender, keys_of(self._settings))
        acting = Acting(self._pool, Sealer(self._settings.key_ring()), temporal, self._now)
        sending = Sending(self._pool, self._watch.district, acting, client, self._now)
        following = Following(self._pool, acting, client, self.give_back, self.tell, self._now)
        return _Post(client, acting, sending, following, Failed)


class _Post:
    """What it takes to talk with neighbours, opened when there is the first one to talk with."""

    def __init__(
        self, client: Client, acting: Acting, sending: Sending, following: Following, failed: type[Failed]
    ) -> None:  # fmt: skip
        self.client, self.acting, self.sending, self.following, self.failed = client, acting, sending, following, failed


def keys_of(settings: Settings) -> dict[str, str]:
    """By neighbour."""
    kept = settings.neighbour_keys
    found: dict[str, str] = {} if kept is None else json.loads(kept.get_secret_value())
    return found
