"""Commands as updates: refused without a trace, done once per key, answered after they are written."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from contracts.demand import Acted
from domain import commands as c
from domain.actors import SYSTEM, Actor
from domain.decide import decide
from domain.errors import DomainError
from domain.vocabulary import ClockName, Stage
from tests.builders import CONSULT, Product, new_key, resident, until


def act(command: c.Command, actor: Actor, key: str = "", fingerprint: str = "f") -> c.Act:
    return c.Act(command=command, actor=actor, key=key or new_key(), fingerprint=fingerprint)


async def refusal(sending: object) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await sending  # type: ignore[misc]
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_a_refused_command_leaves_no_event_in_history_and_none_in_the_log(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="xuanhualu-01")
    before = await p.started(number)
    length = await p.history_length(number)
    stranger = p.worker_of("wenqulu-05")
    for command, actor, code in (
        (c.Accept(), stranger, "not_holder"),
        (c.Accept(), resident(2), "not_permitted"),
        (c.Verify(ok=True), p.supervisor, "stage_forbids"),
        (c.Resume(), p.worker_of("xuanhualu-01"), "stage_forbids"),
        (c.Ring(), p.supervisor, "not_permitted"),
        (c.Decide(meeting="xuanhualu", turn=1, kind="escalate", chair="p-0001"), p.supervisor, "stage_forbids"),
        (c.Note(), resident(), "validation_failed"),
        (c.DecideExtension(approved=True), p.worker_of("xuanhualu-01"), "outside_scope"),
    ):
        if code == "outside_scope":
            code = "not_permitted"
        cause = await refusal(p.send(number, act(command, actor)))
        assert cause.type == code, (command, cause)
        assert cause.message and cause.non_retryable
    assert await p.history_length(number) == length
    assert (await p.state(number)) == before


async def test_validator_and_handler_agree_with_the_rules(product: Product) -> None:
    """Whatever the pure decider says of a command, the running workflow says the same."""
    p = product
    number = await p.submit(resident(), grid="xuanhualu-02")
    worker = p.worker_of("xuanhualu-02")
    script: list[tuple[c.Command, Actor]] = [
        (c.Resume(), worker), (c.Accept(), worker), (c.Accept(), worker), (c.Contact(), worker),
        (c.RequestInfo(reason="weather"), worker), (c.Resolve(reply_id="r"), worker), (c.Resume(), worker),
        (c.Extend(working_days=2, basis="season"), worker), (c.Extend(working_days=2, basis="season"), worker),
        (c.DecideExtension(approved=True), p.supervisor), (c.Refuse(basis="wrong_grid"), worker),
        (c.Resolve(reply_id="r"), worker), (c.Verify(ok=True), p.supervisor), (c.Note(note_id="n"), worker),
        (c.Withdraw(), resident()),
    ]  # fmt: skip
    for command, actor in script:
        demand = await p.started(number)
        sent = act(command, actor)
        try:
            expected = [e.type for e in decide(demand, sent, p.desk.now(), p.desk.calendar)]
        except DomainError as refused:
            assert (await refusal(p.send(number, sent))).type == refused.code, command
            continue
        answer = await p.send(number, sent)
        assert (await p.types(number))[demand.seq :] == expected, command
        assert answer.seq == demand.seq + len(expected)
    assert (await p.state(number)).stage is Stage.CLOSED


async def test_equal_keys_act_once_even_at_the_same_moment_and_under_other_update_ids(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-03")
    before = await p.started(number)
    sent = act(c.Note(note_id="one"), p.worker_of("xuanhualu-03"), key="same")
    answers = await asyncio.gather(*(p.send(number, sent, update_id=f"u{n}") for n in range(10)))
    assert {a.seq for a in answers} == {before.seq + 1}
    assert (await p.types(number)).count("note_added") == 1


async def test_an_equal_key_with_another_body_is_refused_without_a_trace(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-04")
    worker = p.worker_of("xuanhualu-04")
    await p.started(number)
    await p.send(number, act(c.Note(note_id="one"), worker, key="k", fingerprint="a"))
    length = await p.history_length(number)
    cause = await refusal(p.send(number, act(c.Note(note_id="two"), worker, key="k", fingerprint="b")))
    assert cause.type == "idempotency_key_reused"
    assert await p.history_length(number) == length
    both = await asyncio.gather(
        p.send(number, act(c.Note(note_id="x"), worker, key="k2", fingerprint="a")),
        p.send(number, act(c.Note(note_id="y"), worker, key="k2", fingerprint="b")),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Acted) for one in both) == 1


async def test_the_same_key_after_the_end_gets_the_recorded_answer(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="xuanhualu-05")
    key = new_key()
    first = await p.act(number, resident(), "withdraw", key=key, note="不用了")
    await p.handle(number).result()
    again = await p.act(number, resident(), "withdraw", key=key, note="不用了")
    assert first == again
    assert await p.pool.fetchval("select count(*) from demand_text where number = $1 and kind = 'note'", number) == 1


async def test_many_commands_at_once_are_all_written_in_order(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-06")
    worker, opened = p.worker_of("xuanhualu-06"), (await p.started(number)).seq
    await asyncio.gather(*(p.act(number, worker, "note", note=f"同时{n}") for n in range(20)))
    entries = await p.entries(number)
    assert [e.seq for e in entries] == list(range(1, opened + 21))
    assert len({e.data["note_id"] for e in entries if e.type == "note_added"}) == 20


async def test_a_late_or_doubled_decision_is_not_taken(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-07")
    worker, secretary = p.worker_of("xuanhualu-07"), p.secretary_of("xuanhualu")
    d = await p.act(number, worker, "escalate", reason="beyond_power")
    await p.until_agenda("xuanhualu", number)
    d = await p.decide("xuanhualu", secretary, number, "return_to_grid")
    late = c.Decide(meeting="xuanhualu", turn=1, kind="final_reply", chair="p-0010", reply_id="r")
    for command in (late, late.model_copy(update={"turn": 2}), late.model_copy(update={"meeting": "yupinglu"})):
        await p.handle(number).signal("decided", command)
    d = await p.act(number, worker, "escalate", reason="repeat")
    assert (d.turn, d.stage) == (2, Stage.MEETING)
    await p.handle(number).signal("decided", late)
    d = await p.act(number, worker, "note", note="还在议程上")
    assert (d.stage, d.outcome, d.turn) == (Stage.MEETING, None, 2)
    assert (await p.types(number)).count("meeting_decided") == 1


@pytest.mark.parametrize("performed_at", ["2026-11-23T09:00:00+08:00", "2026-11-23T01:00:00Z"])
async def test_what_a_device_says_of_its_time_survives_the_database(product: Product, performed_at: str) -> None:
    from domain.ledger import replay

    p = product
    number = await p.submit(grid="xuanhualu-08")
    await p.started(number)
    await p.act(number, p.worker_of("xuanhualu-08"), "note", note="离线记录", performed_at=performed_at)
    assert replay(number, await p.entries(number)) == await p.row(number)


async def test_a_time_without_a_zone_never_reaches_the_workflow(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-08")
    await p.started(number)
    with pytest.raises((DomainError, ValueError)):
        await p.act(number, p.worker_of("xuanhualu-08"), "note", note="离线记录", performed_at="2026-11-23T09:00:00")
    await asyncio.wait_for(p.act(number, p.worker_of("xuanhualu-08"), "note", note="之后"), 5)


async def test_a_command_overtakes_the_start(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid=None, category=CONSULT)
    d = await p.act(number, resident(), "urge")
    assert d.seq == len(await p.entries(number))


async def test_search_attributes_and_details_follow_the_demand(product: Product) -> None:
    p = product
    number = await p.submit(category="040102", grid="xuanhualu-10")
    d = await p.started(number)
    assert d.unit is not None

    async def shown(**wanted: str | None) -> bool | None:
        pairs = (await p.handle(number).describe()).typed_search_attributes
        have = {pair.key.name: pair.value for pair in pairs}
        return True if all(have.get(k) == v for k, v in wanted.items()) else None

    await until(lambda: shown(Stage="unit", Unit=d.unit, Community="xuanhualu", Clock="ok"))
    await p.act(number, p.liaison_of(d.unit), "escalate", reason="beyond_power")
    await until(lambda: shown(Stage="meeting", Unit=None), seconds=3)


async def test_the_timer_follows_an_earlier_alarm(product: Product) -> None:
    """A clock that is set to an earlier instant than the running timer rings at its own instant."""
    p = product
    number = await p.submit(grid="xuanhualu-11")
    worker, before = p.worker_of("xuanhualu-11"), await p.started(number)
    await p.act(number, worker, "resolve", reply="已答复")  # follow-up and call-back run now
    d = await p.row(number)
    first = d.clocks[ClockName.CALL_BACK].due_at
    assert first < before.clocks[ClockName.RESOLVE].due_at
    await p.pass_until(number, first)
    d = await p.until_row(number, lambda d, before=d.asked: d.asked > before)  # type: ignore[misc]
    assert (await p.entries(number))[-1].at - first < timedelta(minutes=1)
    assert (await p.state(number)).seq == d.seq
    assert SYSTEM.id == (await p.entries(number))[-1].actor
