"""Webhooks: all of it arrives, in order for each demand, signed; who fails is tried again and delays nobody."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from cloudevents.v1.http import from_http
from standardwebhooks import Webhook as Verifier

from domain.actors import Grant
from domain.events import Urged
from domain.ledger import append
from domain.vocabulary import Role
from domain.webhooks import DEFAULT, reach_of
from service.webhook_planning import catch_up
from store import feed, webhook_replays, webhooks
from store.pool import Pool, open_pool
from store.record import record
from store.webhook_queue import send_again
from store.webhook_replays import Span
from tests.builders import until
from tests.gateways.receivers import Received, Receiver, always, for_ever, receiving, status
from tests.service.webhook_ground import PATIENT, SEALER, Ground, taken_in, urged, watch_on
from tests.store.builders import Story


@pytest_asyncio.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, size=10)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def ground(pool: Pool) -> AsyncIterator[Ground]:
    one = Ground(pool, watch_on(pool))
    await one.plan()  # the cursor begins here
    yield one
    await one.sending.close()
    await pool.execute("delete from webhook")


def seqs(got: list[Received], number: str) -> list[int]:
    return [int(e["sequence"]) for e in map(event_of, got) if e["subject"] == number]


async def arrived(receiver: Receiver, count: int) -> bool | None:
    return len(receiver.got) >= count or None


def event_of(request: Received) -> dict[str, str]:
    found: dict[str, str] = json.loads(request.body)
    return found


def outgoing(one: Story) -> list[int]:
    """Of the builders' events all but notes and routing leave."""
    return [e.seq for e in one.entries if e.type not in ("note_added", "handed_off")]


async def test_everything_arrives_in_order_signed_and_as_cloud_events(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        secret = await ground.hook(receiver.url, "w")
        demands = [await taken_in(pool) for _ in range(5)]
        for _ in range(3):
            for one in demands:
                await urged(pool, one)
        await ground.work()
    for one in demands:
        assert seqs(receiver.got, one.demand.number) == outgoing(one)
    assert len({r.headers["webhook-id"] for r in receiver.got}) == len(receiver.got)
    for request in receiver.got:
        assert Verifier(secret).verify(request.body, request.headers) == event_of(request)
        event = from_http(request.headers, request.body)
        assert event["specversion"] == "1.0"
        assert event["id"] == request.headers["webhook-id"]
        assert event["source"] == "urn:linli:shengli-road"
        assert event.data["number"] == event["subject"]
    assert receiver.got[0].headers["content-type"].startswith("application/cloudevents+json")
    assert {d.state for d in await ground.log("w")} == {"delivered"}


async def test_what_was_before_the_webhook_is_not_sent(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        before = await taken_in(pool)
        await ground.hook(receiver.url, "w")
        await urged(pool, before)
        await ground.work()
    assert [event_of(r)["type"] for r in receiver.got] == ["linli.demand.urged"]


async def test_an_event_that_fails_holds_back_its_own_demand_only(ground: Ground, pool: Pool) -> None:
    refused: set[str] = set()

    async def answer(request: Received) -> bytes:
        return status(500 if event_of(request)["subject"] in refused else 204)

    async with receiving(answer) as receiver:
        await ground.hook(receiver.url, "w")
        ill, well = await taken_in(pool), await taken_in(pool)
        refused.add(ill.demand.number)
        await urged(pool, ill)
        await urged(pool, well)
        await ground.work()
        assert seqs(receiver.got, well.demand.number) == outgoing(well)
        assert seqs(receiver.got, ill.demand.number) == outgoing(ill)[:1]
        refused.clear()
        await ground.send()
        assert seqs(receiver.got, ill.demand.number) == outgoing(ill)[:1], "its pause is not over"
        ground.later(PATIENT.pauses[0])
        await ground.send()
        assert seqs(receiver.got, ill.demand.number) == [outgoing(ill)[0], *outgoing(ill)]


async def test_the_same_id_and_body_at_every_try_until_it_is_given_up(ground: Ground, pool: Pool) -> None:
    """After the last pause it is failed and kept; what comes after it goes on; asked again, it is sent."""
    down = True

    async def answer(request: Received) -> bytes:
        return status(503 if down and event_of(request)["type"] == "linli.demand.submitted" else 204)

    async with receiving(answer) as receiver:
        well = await taken_in(pool)
        await ground.hook(receiver.url, "w")
        one = await taken_in(pool)
        await ground.work()
        for n, pause in enumerate(PATIENT.pauses):
            assert [d.state for d in await ground.log("w", "pending")] == ["pending"] * len(outgoing(one)), n
            await urged(pool, well)  # the receiver is not dead: it takes what is sent about others
            ground.later(pause)
            await ground.work()
        tries = [r for r in receiver.got if event_of(r)["type"] == "linli.demand.submitted"]
        assert len(tries) == len(PATIENT.pauses) + 1
        assert len({(r.headers["webhook-id"], r.body) for r in tries}) == 1
        assert len({r.headers["webhook-timestamp"] for r in tries}) == len(tries)
        log = [d for d in await ground.log("w") if d.subject == one.demand.number]
        assert [d.state for d in log] == ["failed", *["delivered"] * (len(outgoing(one)) - 1)]
        assert [t["status"] for t in log[0].tries] == [503] * len(tries)
        down = False
        async with webhooks.changing(pool) as connection:
            assert await send_again(connection, "w", ground.now(), state="failed") == 1
        await ground.send()
        assert [d.state for d in await ground.log("w", "failed")] == []
        assert receiver.got[-1].headers["webhook-id"] == tries[0].headers["webhook-id"]


async def test_one_that_hangs_delays_nobody_and_holds_one_place(pool: Pool) -> None:
    ground = Ground(pool, watch_on(pool), replace(PATIENT, timeout=timedelta(seconds=0.3)))
    await ground.plan()
    async with receiving(for_ever) as hanging, receiving() as well:
        await ground.hook(hanging.url, "h")
        await ground.hook(well.url, "w")
        demands = [await taken_in(pool) for _ in range(12)]
        await ground.plan()
        await ground.sending.once()
        await until(lambda: arrived(well, sum(len(outgoing(one)) for one in demands)))
        assert len(hanging.got) <= DEFAULT.slots * 4
        await ground.sending.idle()
        assert hanging.most_at_once <= DEFAULT.slots
        assert (await ground.of("h")).failures == 12
        hanging.most_at_once = 0
        ground.later(timedelta(seconds=5))
        await ground.send()
        assert hanging.most_at_once == 1, "it has failed too often for more"
    await ground.sending.close()
    await pool.execute("delete from webhook")


async def test_a_worker_killed_while_it_sends_loses_nothing(ground: Ground, pool: Pool) -> None:
    stuck = True

    async def answer(request: Received) -> bytes | None:
        return await for_ever(request) if stuck else status(204)

    async with receiving(answer) as receiver:
        await ground.hook(receiver.url, "w")
        one = await taken_in(pool)
        await ground.plan()
        await ground.sending.once()
        await until(lambda: arrived(receiver, 1))
        await ground.sending.close()
        stuck = False
        other = Ground(pool, ground.watch)
        await other.send()
        assert len(receiver.got) == 1, "the lease of the one that was killed is not over"
        other.later(DEFAULT.lease)
        await other.send()
        assert seqs(receiver.got, one.demand.number) == [outgoing(one)[0], *outgoing(one)]
        assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
        await other.sending.close()


async def test_two_workers_share_the_work_and_send_each_event_once(ground: Ground, pool: Pool) -> None:
    other = Ground(pool, ground.watch)
    async with receiving() as receiver:
        await ground.hook(receiver.url, "w")
        demands = [await taken_in(pool) for _ in range(10)]
        for one in demands:
            await urged(pool, one)
        await asyncio.gather(ground.plan(), other.plan())
        await asyncio.gather(*(one.send() for one in (ground, other)))
        await ground.send()
    assert set(Counter(r.headers["webhook-id"] for r in receiver.got).values()) == {1}
    for one in demands:
        assert seqs(receiver.got, one.demand.number) == outgoing(one)
    await other.sending.close()


async def test_what_is_planned_while_the_last_one_goes_out_has_its_turn(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        await ground.hook(receiver.url, "w")
        one = await taken_in(pool)
        for _ in range(15):
            await urged(pool, one)
            await asyncio.gather(ground.plan(), ground.send())
        await ground.work()
    assert seqs(receiver.got, one.demand.number) == outgoing(one)
    assert await pool.fetchval("select count(*) from webhook_queue") == 0


async def test_both_secrets_sign_while_they_overlap(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        old = await ground.hook(receiver.url, "w")
        one = await taken_in(pool)
        new = "whsec_" + "bmV3" * 10
        async with webhooks.changing(pool) as connection:
            sealed = SEALER.seal(new, webhooks.bound_to("w"))
            await webhooks.rotate(connection, "w", sealed, ground.now(), timedelta(hours=24))
        await ground.work()
        for secret in (old, new):
            Verifier(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)
        ground.later(timedelta(hours=24))
        await urged(pool, one)
        await ground.work()
        assert receiver.got[-1].headers["webhook-signature"].count("v1,") == 1
        timestamp = int(receiver.got[-1].headers["webhook-timestamp"])
        assert receiver.got[-1].headers["webhook-signature"] == signature(new, receiver.got[-1], timestamp)


def signature(secret: str, request: Received, timestamp: int) -> str:
    at = datetime.fromtimestamp(timestamp, UTC)
    return Verifier(secret).sign(request.headers["webhook-id"], at, request.body.decode())


async def test_a_receiver_that_asks_for_a_rest_gets_it(ground: Ground, pool: Pool) -> None:
    code = 429

    async def answer(_: Received) -> bytes:
        return status(code, "Retry-After: 600")

    async with receiving(answer) as receiver:
        await ground.hook(receiver.url, "w")
        await taken_in(pool)
        await ground.work()
        code = 204
        await taken_in(pool)
        ground.later(timedelta(seconds=599))
        await ground.work()
        assert len(receiver.got) == 1, "nothing at all is sent while it rests"
        ground.later(timedelta(seconds=2))
        await ground.work()
        assert {d.state for d in await ground.log("w")} == {"delivered"}


async def test_who_says_gone_is_disabled_at_once(ground: Ground, pool: Pool) -> None:
    async with receiving(always(410)) as receiver, receiving() as other:
        await ground.hook(receiver.url, "w")
        await ground.hook(other.url, "sister", types=("linli.webhook.*",))
        await taken_in(pool)
        await taken_in(pool)
        await ground.work()
        await ground.send()
        assert len(receiver.got) <= DEFAULT.slots
        assert (await ground.of("w")).disabled_by == "system"
        [told] = [event_of(r) for r in other.got]
        assert (told["type"], told["subject"]) == ("linli.webhook.disabled", "w")


async def test_who_fails_for_a_day_is_disabled_and_catches_up_when_enabled(ground: Ground, pool: Pool) -> None:
    code = 500

    async def answer(_: Received) -> bytes:
        return status(code)

    async with receiving(answer) as receiver:
        await ground.hook(receiver.url, "w")
        one = await taken_in(pool)
        await ground.work()
        for pause in PATIENT.pauses:
            ground.later(pause)
            await ground.send()
        hook = await ground.of("w")
        assert (hook.disabled_by, hook.enabled) == ("system", False)
        [change] = await webhooks.changes(pool, "w", 10)
        assert (change.what, change.actor, change.data["reason"]) == ("disabled", "system", "failures")
        tried = len(receiver.got)
        await urged(pool, one)
        await ground.work()
        assert len(receiver.got) == tried
        code = 204
        async with webhooks.changing(pool) as connection:
            await webhooks.enable(connection, "w", str(await feed.end(connection)), ground.now())
            await catch_up(connection, hook, by="p", at=ground.now())
        await ground.work()
        got = receiver.got[tried:]
        assert seqs(got, one.demand.number) == outgoing(one)


async def test_a_span_is_replayed_with_the_same_ids(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        await ground.hook(receiver.url, "w")
        first, second = await taken_in(pool), await taken_in(pool)
        await ground.work()
        ids = [r.headers["webhook-id"] for r in receiver.got]
        receiver.got.clear()
        async with webhooks.changing(pool) as connection:
            span = Span(first.entries[0].at, first.entries[-1].at, await feed.end(connection))
            await webhook_replays.ask(connection, "w", span, again=True, by="p", at=ground.now())
        await ground.work()
        assert set(ids) <= {r.headers["webhook-id"] for r in receiver.got}
        assert seqs(receiver.got, second.demand.number) == outgoing(second)
        assert await pool.fetchval("select count(*) from webhook_replay where finished_at is null") == 0


async def test_an_event_that_was_replaced_before_it_was_sent_is_not_sent(ground: Ground, pool: Pool) -> None:
    """Another attempt of the workflow decided anew (decision 0006): the event of the lost one does not stand."""
    async with receiving() as receiver:
        one = await taken_in(pool)
        await ground.hook(receiver.url, "w")
        before = one.demand
        await urged(pool, one)
        await ground.plan()
        at = one.entries[-1].at + timedelta(minutes=5)
        demand, entries = append(before, [Urged()], at=at, actor="p-7")
        await record(pool, demand=demand, entries=entries, after=before.head, at=at)
        await ground.send()
        assert receiver.got == []
        assert [d.state for d in await ground.log("w")] == ["superseded"]
        await ground.work()
        assert [r.headers["webhook-id"][-8:] for r in receiver.got] == [entries[0].hash[:8]]


async def test_types_places_and_categories_choose(ground: Ground, pool: Pool) -> None:
    async with receiving() as receiver:
        await ground.hook(receiver.url, "clocks", types=("linli.clock.*",))
        await ground.hook(receiver.url, "here", communities=("c-1",), categories=("04",))
        await ground.hook(receiver.url, "elsewhere", communities=("c-2",))
        await ground.hook(receiver.url, "others", categories=("05", "040103"))
        await ground.hook(receiver.url, "left", owner="p-9999")
        one = await taken_in(pool)
        await ground.work()
    assert {d.type.split(".")[1] for d in await ground.log("clocks")} == {"clock"}
    assert len(await ground.log("here")) == len(outgoing(one))
    assert [await ground.log(id) for id in ("elsewhere", "others", "left")] == [[], [], []]


async def test_who_may_not_manage_webhooks_gets_nothing_by_one(ground: Ground, pool: Pool) -> None:
    """Somebody who was an integrator and is a secretary now."""
    await ground.hook("http://127.0.0.1:9/", "s", owner=ground.watch.district().secretary("wenqulu"))
    await taken_in(pool)
    await ground.plan()
    assert await ground.log("s") == []


def test_an_integrator_of_one_community_hears_of_no_other() -> None:
    grants = (Grant(role=Role.INTEGRATOR, community="c-1"), Grant(role=Role.SUPERVISOR))
    assert reach_of(grants).covers("c-1")
    assert not reach_of(grants).covers("c-2")
    assert not reach_of(grants).covers(None)
    assert reach_of((Grant(role=Role.ADMIN),)).covers(None)
