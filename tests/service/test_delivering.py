"""Delivering to a real SMTP server over a real database: everything once and in order, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from domain.delivery import DELIVERED, MOST_TRIES, Outcome
from gateways.sending import Message
from service.channels import NotConfigured
from service.delivering import LEASE, Delivering
from store.pool import Pool, open_pool
from tests.builders import until
from tests.gateways.mail_server import MailServer, mail_server
from tests.service.delivery_ground import (
    NOON,
    Clock,
    KnowsAll,
    arrived,
    attempts,
    delivering,
    delivery,
    email_to,
    plan,
    states,
)


@pytest_asyncio.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, size=8)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(autouse=True)
async def clean(pool: Pool) -> AsyncIterator[None]:
    await pool.execute("truncate notice, delivery, delivery_attempt, channel_state restart identity")
    yield


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(pool: Pool) -> KnowsAll:
    return KnowsAll(pool)


@pytest_asyncio.fixture
async def post(pool: Pool, desk: KnowsAll, clock: Clock, server: MailServer) -> AsyncIterator[Delivering]:
    made = delivering(pool, desk, clock, {"email": email_to(server)})
    yield made
    await made.close()


def in_lanes(ids: list[int], *lanes: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for id, lane in zip(ids, lanes, strict=True):
        found.setdefault(lane, []).append(id)
    return found


async def test_what_is_due_goes_out_once_in_the_order_of_its_recipient(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock
) -> None:
    lanes = ["a", "b", "a", "c", "a", "b"]
    ids = await plan(pool, clock(), *lanes)
    clock.on(seconds=1)
    later = await plan(pool, NOON.replace(hour=23), "a")
    assert await post.once() == 6 and await post.once() == 0
    assert arrived(server) == in_lanes(ids, *lanes)
    assert await states(pool) == {"delivered": 6, "waiting": 1}
    assert await attempts(pool, ids[0]) == [("delivered", None)]
    row = await delivery(pool, ids[0])
    assert (row["attempts"], row["delivered_at"], row["claimed_until"]) == (1, clock(), None)
    clock.at = NOON.replace(hour=23)
    assert await post.once() == 1 and arrived(server)["a"][-1:] == later


async def test_urgent_ones_go_first(pool: Pool, desk: KnowsAll, clock: Clock, server: MailServer) -> None:
    post = delivering(pool, desk, clock, {"email": email_to(server, connections="1")})
    await plan(pool, clock(), "a", "b", "c")
    urgent = await plan(pool, clock(), "d", urgent=True)
    await post.once()
    await post.close()
    assert [int(letter.text) for letter in server.received][:1] == urgent


async def an_hour(post: Delivering, clock: Clock) -> None:
    """As the worker looks: every half minute is enough to find what would be sent too often."""
    for _ in range(120):
        await post.once()
        clock.on(seconds=30)


@pytest.mark.parametrize("how", ["switched off", "refuses everybody for now", "drops every line"])
async def test_a_receiver_that_fails_for_an_hour_gets_everything_once_it_is_back_in_order_once(
    how: str, pool: Pool, post: Delivering, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    async def fails(recipient: str, at: Any) -> str | None:
        if how == "drops every line":
            at.transport.abort()
        return "451 4.3.0 try again later"

    usual, people = server.say_recipient, [f"p{n}" for n in range(8)]
    lanes = people * 3
    if how == "switched off":
        await server.down()
    else:
        server.say_recipient = fails
    ids = await plan(pool, clock(), *lanes)
    await post.once()
    clock.on(minutes=20)
    ids += await plan(pool, clock(), *lanes)  # while it is away, more is planned
    clock.on(minutes=-20)
    await an_hour(post, clock)
    assert server.received == [] and await pool.fetchval("select down_since from channel_state") is not None
    tried = await pool.fetchval("select count(*) from delivery_attempt")
    assert tried <= 30, "it is probed, not asked for each delivery again and again"
    assert await pool.fetchval("select max(attempts) from delivery") <= 2, "an outage uses up no tries"
    if how == "switched off":
        await server.up()
    else:
        server.say_recipient = usual
    for _ in range(20):
        await post.once()
        clock.on(seconds=30)
    assert arrived(server) == in_lanes(ids, *lanes, *lanes)
    assert await states(pool) == {"delivered": 48} and desk.owners == []
    assert await pool.fetchval("select down_since from channel_state") is None


async def test_one_recipient_in_trouble_keeps_nobody_else_waiting_but_what_comes_after_it(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock
) -> None:
    async def greylisted(recipient: str, _: Any) -> str | None:
        return "450 4.2.0 greylisted" if recipient.startswith("slow@") else None

    usual, server.say_recipient = server.say_recipient, greylisted
    ids = await plan(pool, clock(), "slow", "a", "slow", "b")
    await post.once()
    assert arrived(server) == {"a": [ids[1]], "b": [ids[3]]}
    row = await delivery(pool, ids[0])
    assert (row["state"], row["last_error"], row["attempts"]) == ("failed", "busy", 1)
    assert (await delivery(pool, ids[2]))["state"] == "waiting"
    clock.on(minutes=10)
    server.say_recipient = usual
    await post.once()
    assert arrived(server)["slow"] == [ids[0], ids[2]]


async def test_a_refusal_for_good_is_dead_at_once_has_an_owner_and_lets_the_next_one_pass(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    first = True

    async def once_no(recipient: str, _: Any) -> str | None:
        nonlocal first
        said, first = ("550 5.1.1 no such user" if first else None), False
        return said

    server.say_recipient = once_no
    ids = await plan(pool, clock(), "a", "a")
    await post.once()
    row = await delivery(pool, ids[0])
    assert (row["state"], row["last_error"], desk.owners) == ("dead", "refused_recipient", [ids[0]])
    assert arrived(server) == {"a": [ids[1]]}


async def test_what_fails_for_a_day_is_dead_and_has_an_owner(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    async def full(recipient: str, _: Any) -> str | None:
        return "452 4.2.2 mailbox full"

    server.say_data = full
    (id,) = await plan(pool, clock(), "a")
    pauses = []
    while (row := await delivery(pool, id))["state"] != "dead":
        pauses.append(row["next_at"] - clock())
        clock.at = row["next_at"]
        assert await post.once() == 1
    assert (row["attempts"], row["last_error"], desk.owners) == (MOST_TRIES, "busy", [id])
    assert pauses == sorted(pauses), "each pause is longer than the one before"
    assert 20 <= (clock() - NOON).total_seconds() / 3600 <= 30
    assert len(await attempts(pool, id)) == MOST_TRIES and await post.once() == 0


async def test_five_recipients_in_trouble_do_not_shut_the_channel_for_the_sixth(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock
) -> None:
    async def no(recipient: str, _: Any) -> str | None:
        return None if recipient.startswith("well@") else "450 4.2.0 greylisted"

    server.say_recipient = no
    await plan(pool, clock(), *(f"ill{n}" for n in range(6)))
    await an_hour(post, clock)
    (id,) = await plan(pool, clock(), "well")
    for _ in range(90):  # three quarters of an hour: every one of them may be probed before
        await post.once()
        clock.on(seconds=30)
    assert arrived(server) == {"well": [id]}


async def test_a_channel_that_is_away_for_days_gives_up_what_waited_so_long(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    await server.down()
    ids = await plan(pool, clock(), "a", "b", "a")
    await post.once()
    clock.on(days=1)
    young = await plan(pool, clock(), "c")
    await post.once()
    clock.on(days=1, minutes=1)
    await post.once()
    rows = [await delivery(pool, id) for id in ids]
    assert [(row["state"], row["last_error"]) for row in rows] == [("dead", "channel_down")] * 3
    assert sorted(desk.owners) == ids and (await delivery(pool, young[0]))["state"] != "dead"


async def test_without_address_letter_or_channel_nothing_is_lost_in_silence(
    pool: Pool, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    post = delivering(pool, desk, clock, {"email": email_to(server), "sms": NotConfigured()})
    desk.without_address, desk.without_letter = {"nowhere"}, {"gone"}
    ids = await plan(pool, clock(), "nowhere", "gone") + await plan(pool, clock(), "a", channel="sms")
    await post.once()
    rows = [await delivery(pool, id) for id in ids]
    assert [(row["state"], row["last_error"]) for row in rows] == [
        ("dead", "no_address"), ("dead", "no_letter"), ("dead", "not_configured"),
    ]  # fmt: skip
    assert sorted(desk.owners) == ids and server.received == []
    assert await pool.fetchval("select last_failure_at from channel_state where channel = 'email'") is None
    desk.breaks = True
    (broken,) = await plan(pool, clock(), "a")
    await post.once()
    assert (await delivery(pool, broken))["last_error"] == "letter_failed"
    desk.breaks = False
    clock.on(minutes=2)
    await post.once()
    await post.close()
    assert arrived(server) == {"a": [broken]}


@pytest.mark.parametrize(("when", "copies"), [("say_sender", 1), ("say_data", 2)])
async def test_a_worker_killed_while_sending_repeats_only_what_had_left_it(
    when: str,
    copies: int,
    pool: Pool,
    post: Delivering,
    server: MailServer,
    clock: Clock,
    database: str,
    project_root: Path,
) -> None:
    ids = await plan(pool, clock(), "a", "a")
    worker: asyncio.subprocess.Process | None = None

    async def kill(_: str, at: Any) -> str | None:
        assert worker is not None
        worker.kill()
        return None  # what was sent has been taken; the yes finds nobody

    usual = getattr(server, when)
    setattr(server, when, kill)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.service.delivering_process", database, str(server.port), clock().isoformat(),
        cwd=project_root,
    )  # fmt: skip
    assert await worker.wait() == -9
    setattr(server, when, usual)
    assert await states(pool) == {"sending": 1, "waiting": 1} and await attempts(pool, ids[0]) == [(None, None)]
    clock.on(seconds=LEASE.total_seconds() - 1)
    assert await post.once() == 0, "it may still be under way, and what comes after it waits"
    clock.on(seconds=2)
    assert await post.once() == 2
    assert arrived(server) == {"a": [ids[0]] * copies + [ids[1]]}
    assert len({letter.message_id for letter in server.received}) == 2, "a repetition can be told by its Message-ID"
    assert await attempts(pool, ids[0]) == [("lost", "worker_lost"), ("delivered", None)]
    assert await states(pool) == {"delivered": 2}


async def test_one_slow_recipient_of_a_hundred_keeps_the_others_not_waiting(
    pool: Pool, post: Delivering, server: MailServer, clock: Clock
) -> None:
    others_have_theirs = asyncio.Event()

    async def slow(recipient: str, _: Any) -> str | None:
        if recipient.startswith("slow@"):
            await others_have_theirs.wait()
        return None

    async def taken(recipient: str, _: Any) -> str | None:
        if len(server.received) == 98:  # with this one all the others have theirs
            others_have_theirs.set()
        return None

    server.say_recipient, server.say_data = slow, taken
    await plan(pool, clock(), "slow", *(f"p{n}" for n in range(99)))
    await post.once()
    assert len(server.received) == 100 and server.to[-1].startswith("slow@")
    assert await states(pool) == {"delivered": 100}


class Waits:
    """A gateway that is slow until it is let go."""

    at_once = 2

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.sent: list[str] = []

    async def send(self, message: Message) -> Outcome:
        self.begun.set()
        await self.go.wait()
        self.sent.append(message.id)
        return DELIVERED

    async def close(self) -> None:
        return None


async def test_a_slow_gateway_delays_no_other_and_what_it_sends_is_finished_before_the_worker_goes(
    pool: Pool, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    slow = Waits()
    post = delivering(pool, desk, clock, {"sms": slow, "email": email_to(server)})
    (sms,) = await plan(pool, clock(), "a", channel="sms")

    async def mails_are_there() -> bool | None:
        return await states(pool) == {"delivered": 2, "sending": 1} or None

    running = asyncio.create_task(post.keep(None, ""))  # type: ignore[arg-type]
    await slow.begun.wait()
    ids = await plan(pool, clock(), "a", "b")
    await until(mails_are_there)
    running.cancel()
    await asyncio.sleep(0)
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await attempts(pool, sms) == [("delivered", None)] and len(slow.sent) == 1
    assert arrived(server) == {"a": [ids[0]], "b": [ids[1]]}


class CutsTheDatabase(Waits):
    """What it is given is sent, and then every connection of the worker is gone."""

    def __init__(self, pool: Pool, workers: str) -> None:
        super().__init__()
        self._pool, self._workers = pool, workers

    async def send(self, message: Message) -> Outcome:
        self.sent.append(message.id)
        await self._pool.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1", self._workers
        )
        return DELIVERED


async def test_what_was_sent_is_written_down_though_the_database_was_lost(
    pool: Pool, clock: Clock, database: str
) -> None:
    workers_own = await open_pool(f"{database}{'&' if '?' in database else '?'}application_name=cut-off", size=3)
    gateway = CutsTheDatabase(pool, "cut-off")
    post = delivering(workers_own, KnowsAll(workers_own), clock, {"email": gateway})
    (id,) = await plan(pool, clock(), "a")

    async def written_down() -> bool | None:
        return await states(pool) == {"delivered": 1} or None

    running = asyncio.create_task(post.keep(None, ""))  # type: ignore[arg-type]
    await until(written_down)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await attempts(pool, id) == [("delivered", None)] and len(gateway.sent) == 1
    assert await post.once() == 0
    await workers_own.close()


async def test_two_workers_share_the_work_and_send_each_once(
    pool: Pool, server: MailServer, clock: Clock, desk: KnowsAll
) -> None:
    lanes = [f"p{n % 10}" for n in range(60)]
    ids = await plan(pool, clock(), *lanes)
    both = [delivering(pool, desk, clock, {"email": email_to(server)}) for _ in range(2)]
    made = await asyncio.gather(*(one.once() for one in both))
    made += await asyncio.gather(*(one.once() for one in both))
    for one in both:
        await one.close()
    assert sum(made) == 60 and arrived(server) == in_lanes(ids, *lanes)


async def test_a_claim_that_was_taken_over_settles_nothing(
    pool: Pool, clock: Clock, desk: KnowsAll, server: MailServer
) -> None:
    slow = Waits()
    first = delivering(pool, desk, clock, {"email": slow})
    (id,) = await plan(pool, clock(), "a")
    late = asyncio.create_task(first.once())
    await slow.begun.wait()
    clock.on(seconds=LEASE.total_seconds() + 1)
    second = delivering(pool, desk, clock, {"email": email_to(server)})
    assert await second.once() == 1
    await second.close()
    slow.go.set()
    await late
    assert await attempts(pool, id) == [("lost", "worker_lost"), ("delivered", None)]
    assert (await delivery(pool, id))["attempts"] == 2
