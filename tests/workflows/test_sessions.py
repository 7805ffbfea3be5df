"""Joint meetings in session: called by their cadence, chaired by whose turn it is then, deciding only with quorum."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from contracts import names
from contracts.meeting import ConveneStart
from domain.bodies import body_of, rules_of
from domain.demand import Demand
from domain.errors import DomainError
from domain.meeting import Item
from domain.session import LAPSES_AFTER, Session, SessionKind, SessionState
from domain.vocabulary import ClockName, Stage
from gateways.temporal.meetings import drop_cadence, keep_cadence
from service import minutes
from store import meetings as stored
from tests.builders import Product, resident, until

COMMITTEE = "shengli-road"
DAY = timedelta(days=1)


@pytest_asyncio.fixture(autouse=True)
async def adjourned(product: Product) -> AsyncIterator[None]:
    """No session that one test leaves open is another test's."""
    yield
    for meeting, ahead in (await stored.ahead(product.pool)).items():
        for one in ahead:
            await product.hold(meeting, one, product.keeper_of(meeting), "close")


async def on_agenda(p: Product, grid: str) -> Demand:
    number = await p.submit(resident(), grid=grid)
    d = await p.act(number, p.worker_of(grid), "escalate", reason="several_units")
    assert d.meeting is not None
    await p.until_agenda(d.meeting, number)
    return d


async def agenda(p: Product, meeting: str) -> dict[str, Item]:
    items: list[Item] = await p.handle(f"meeting-{meeting}").query("agenda", result_type=list[Item])
    return {item.number: item for item in items}


async def refusal(doing: Any) -> DomainError:
    with pytest.raises(DomainError) as refused:
        await doing
    return refused.value


def convening(p: Product, meeting: str) -> ConveneStart:
    cadence = p.desk.district.meeting(meeting).schedule
    assert cadence is not None
    return ConveneStart(meeting=body_of(p.desk.district, meeting), cadence=cadence, calendar=p.desk.calendar)


async def convened(p: Product, meeting: str) -> Session:
    """Its next regular session, called as the schedule calls it."""
    await p.environment.client.execute_workflow(
        names.CONVENE_WORKFLOW, convening(p, meeting), id=f"convene-{meeting}-test", task_queue=p.task_queue
    )

    async def look() -> Session | None:
        ahead = (await stored.ahead(p.pool)).get(meeting, [])
        return next((one for one in ahead if one.kind is SessionKind.REGULAR), None)

    return await until(look)


async def until_session(p: Product, meeting: str, id: str, state: SessionState) -> Session:
    async def look() -> Session | None:
        found = await stored.session(p.pool, meeting, id)
        return found if found is not None and found.state is state else None

    return await until(look)


# ---- deciding in session


async def test_without_a_session_and_without_quorum_nothing_is_decided_and_everything_rolls_over(
    product: Product,
) -> None:
    p, secretary = product, product.secretary_of("wenqulu")
    one, other = await on_agenda(p, "wenqulu-01"), await on_agenda(p, "wenqulu-02")
    form = p.decision(one.number, "return_to_grid")
    assert (await refusal(p.decide_now("wenqulu", secretary, form))).code == "no_session"
    session = await p.hold("wenqulu", await p.convene("wenqulu", secretary, kind="extra"), secretary, "open")
    units = list(rules_of(p.desk.district, "wenqulu").members)
    session = await p.hold("wenqulu", session, secretary, "attend", units=units[: session.quorum - 1])
    refused = await refusal(p.decide_now("wenqulu", secretary, form))
    assert (refused.code, refused.facts["present"]) == ("no_quorum", session.quorum - 1)
    closed = await p.hold("wenqulu", session, secretary, "close")
    assert {one.number, other.number} <= set(closed.rolled_over) and closed.decided == 0
    items = await agenda(p, "wenqulu")
    assert items[one.number].rolls == items[other.number].rolls == 1
    rolls = await p.pool.fetchval("select rolls from meeting_item where number = $1", one.number)
    assert rolls == 1 and (await p.row(one.number)).stage is Stage.MEETING


async def test_a_late_item_is_refused_until_the_chair_lets_it_in(product: Product) -> None:
    p, secretary = product, product.secretary_of("wenqulu")
    session = await p.sit("wenqulu")
    late = await on_agenda(p, "wenqulu-03")
    form = p.decision(late.number, "return_to_grid")
    assert (await refusal(p.decide_now("wenqulu", secretary, form))).code == "late_item"
    refused = await refusal(p.hold("wenqulu", session, secretary, "consent", number=late.number))
    assert (refused.code, refused.facts["chair"]) == ("not_permitted", p.chair_of(session).id)
    await p.hold("wenqulu", session, p.chair_of(session), "consent", number=late.number)
    assert (await p.decide_now("wenqulu", secretary, form)).stage is Stage.GRID
    line = (await stored.decided_in(p.pool, "wenqulu", session.id, datetime.now(UTC)))[-1]
    assert (line.number, line.late, line.consented, line.recorded_by) == (late.number, True, True, secretary.id)
    assert line.chair == p.chair_of(session).id


async def test_the_chair_is_whose_turn_it_is_when_the_session_is_opened(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Midnight, and with it the turn of the month, comes between the agenda and the session."""
    p, real = product, product.desk.now
    here = (real() + timedelta(hours=8)).replace(hour=0, minute=0, second=0, microsecond=0)  # in Shanghai
    midnight = next(here + DAY * n for n in range(1, 40) if (here + DAY * n).day == 1) - timedelta(hours=8)
    monkeypatch.setattr(p.desk, "now", lambda: midnight - timedelta(minutes=1))
    d, secretary = await on_agenda(p, "wenqulu-04"), p.secretary_of("wenqulu")
    before = await p.hold("wenqulu", await p.convene("wenqulu", secretary, kind="extra"), secretary, "open")
    await p.hold("wenqulu", before, secretary, "close")
    called = await p.convene("wenqulu", secretary, kind="extra")
    monkeypatch.setattr(p.desk, "now", lambda: midnight + timedelta(minutes=1))
    opened = await p.hold("wenqulu", called, secretary, "open")
    assert before.chair is not None and opened.chair is not None
    assert before.chair.unit != opened.chair.unit and opened.chair.how == "rotation"
    form = p.decision(d.number, "return_to_grid")
    await p.hold("wenqulu", opened, secretary, "attend", units=list(rules_of(p.desk.district, "wenqulu").members))
    assert (await refusal(p.decide_now("wenqulu", p.chair_of(before), form))).code == "not_permitted"
    assert (await p.decide_now("wenqulu", p.chair_of(opened), form)).stage is Stage.GRID


async def test_who_keeps_the_minutes_may_name_another_chair(product: Product) -> None:
    p, secretary = product, product.secretary_of("wenqulu")
    session = await p.convene("wenqulu", secretary, kind="extra")
    rota = [p.desk.district.unit(unit).liaison for unit in p.desk.district.directory.rotations["wenqulu"].roster]
    other = p.person(next(person for person in reversed(rota)))
    assert (await refusal(p.hold("wenqulu", session, other, "open", chair=other.id))).code == "not_permitted"
    stranger = p.worker_of("wenqulu-01").id
    assert (await refusal(p.hold("wenqulu", session, secretary, "open", chair=stranger))).code == "unknown_person"
    opened = await p.hold("wenqulu", session, secretary, "open", chair=other.id)
    assert opened.chair is not None and (opened.chair.person, opened.chair.how) == (other.id, "override")


async def test_up_to_the_committee_and_back_in_sessions_of_both(product: Product) -> None:
    p = product
    d = await on_agenda(p, "shenglilu-01")
    d = await p.decide("shenglilu", p.secretary_of("shenglilu"), d.number, "escalate")
    await p.until_agenda(COMMITTEE, d.number)
    secretaries = {one.id: p.secretary_of(one.id) for one in p.desk.district.communities}
    session = await p.hold(
        COMMITTEE, await p.convene(COMMITTEE, p.supervisor, kind="extra"), p.person("p-0001"), "open"
    )
    assert session.chair is not None and session.chair.how == "director"
    assert (await refusal(p.hold(COMMITTEE, session, secretaries["wenqulu"], "attend", units=["shenglilu"]))).code == (
        "not_permitted"
    )
    for community, secretary in list(secretaries.items())[: session.quorum]:  # each speaks for their community
        session = await p.hold(COMMITTEE, session, secretary, "attend", units=[community])
    form = p.decision(d.number, "return_to_grid")
    d = await p.decide_now(COMMITTEE, p.person("p-0001"), form)
    assert (d.stage, d.holder) == (Stage.GRID, p.worker_of("shenglilu-01").id)


async def test_shelved_in_one_session_and_decided_in_another_after_its_review_date(product: Product) -> None:
    p, secretary = product, product.secretary_of("shenglilu")
    d = await on_agenda(p, "shenglilu-02")
    review = datetime.now(UTC) + timedelta(days=60)
    d = await p.decide("shenglilu", secretary, d.number, "shelve", review_at=review)
    first = await p.sit("shenglilu")
    await p.hold("shenglilu", first, secretary, "close")
    await p.pass_until(d.number, review)
    d = await p.until_row(d.number, lambda d: d.turn == 2)
    await p.until_agenda("shenglilu", d.number)
    assert d.clocks[ClockName.RESOLVE].running
    second = await p.sit("shenglilu")
    await p.decide("shenglilu", secretary, d.number, "return_to_grid")  # its clock is ahead: it is late, and let in
    rows = await p.pool.fetch("select turn, kind, session from meeting_item where number = $1 order by turn", d.number)
    assert [tuple(r) for r in rows] == [(1, "shelve", first.id), (2, "return_to_grid", second.id)]


async def test_a_session_sent_twice_is_convened_once_and_another_body_under_its_key_is_refused(
    product: Product,
) -> None:
    p, secretary = product, product.secretary_of("yonggangcun")
    from service import sessions
    from service.session_forms import ExtraForm

    form = ExtraForm(kind="extra")
    one, other = [await sessions.convene(p.desk, secretary, "yonggangcun", form, "once") for _ in range(2)]
    assert one == other
    later = ExtraForm(kind="extra", starts_at=datetime.now(UTC) + DAY)
    refused = await refusal(sessions.convene(p.desk, secretary, "yonggangcun", later, "once"))
    assert refused.code == "idempotency_key_reused"


# ---- the cadence


async def test_a_regular_session_is_called_by_the_cadence_held_and_the_next_one_called(product: Product) -> None:
    p, meeting = product, "yupinglu"
    called = await convened(p, meeting)
    assert called.called_by == "system" and called.starts_at - called.cutoff_at == 3 * DAY
    assert called.cutoff_at > datetime.now(UTC)
    assert (await convened(p, meeting)).version == called.version  # every morning says it again
    d, secretary = await on_agenda(p, "yupinglu-01"), p.secretary_of(meeting)
    assert (await refusal(p.hold(meeting, called, secretary, "open"))).code == "no_session"  # not yet its time
    await p.pass_until(f"meeting-{meeting}", called.starts_at)
    opened = await p.hold(meeting, called, secretary, "open")
    assert opened.opened_at is not None and opened.opened_at > called.starts_at
    units = list(rules_of(p.desk.district, meeting).members)
    for unit in units[: opened.quorum]:
        await p.hold(meeting, opened, p.liaison_of(unit), "attend", units=[unit])
    d = await p.decide_now(meeting, secretary, p.decision(d.number, "return_to_grid"))
    closed = await p.hold(meeting, opened, secretary, "close")
    assert (d.stage, closed.decided, closed.rolled_over) == (Stage.GRID, 1, ())
    page = minutes.as_markdown(await minutes.taken(p.desk, secretary, meeting, closed.id))
    assert d.number in page and "退回网格" in page and "定期会议" in page


async def test_a_session_that_nobody_opens_lapses_at_its_own_instant(product: Product) -> None:
    p, meeting = product, "zhangjiapo"
    d = await on_agenda(p, "zhangjiapo-01")
    called = await convened(p, meeting)
    await p.pass_until(f"meeting-{meeting}", called.starts_at + LAPSES_AFTER)
    lapsed = await until_session(p, meeting, called.id, SessionState.CLOSED)
    assert (lapsed.opened_at, lapsed.closed_at) == (None, called.starts_at + LAPSES_AFTER)
    assert d.number in lapsed.rolled_over


async def test_the_schedule_calls_every_meeting_and_is_kept_however_often_it_is_written(product: Product) -> None:
    p, meeting = product, "xuanhualu"
    client, start = p.environment.client, convening(p, meeting)
    handle = client.get_schedule_handle(names.cadence_schedule_id(meeting))
    try:
        for _ in range(2):
            await keep_cadence(client, p.task_queue, start)

        async def called() -> Session | None:
            ahead = (await stored.ahead(p.pool)).get(meeting, [])
            return ahead[0] if ahead else None

        session = await until(called)
        assert session.kind is SessionKind.REGULAR and session.starts_at > datetime.now(UTC)
        described = await handle.describe()
        assert described.schedule.spec.time_zone_name == "Asia/Shanghai"
        assert all(one.hour == 22 for one in described.info.next_action_times[:3])  # 06:00 in Shanghai
    finally:
        await drop_cadence(client, meeting)
    with pytest.raises(RPCError) as gone:
        await handle.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    await drop_cadence(client, meeting)  # what is gone stays gone


# ---- whistle


async def test_a_whistle_with_one_unit_that_does_not_arrive(product: Product) -> None:
    p, meeting = product, "yonggangcun"
    d, other = await on_agenda(p, "yonggangcun-01"), await on_agenda(p, "yonggangcun-02")
    secretary = p.secretary_of(meeting)
    came, missing = "u-roads", "u-sanitation"
    deadline = datetime.now(UTC) + timedelta(hours=3)
    whistle = await p.convene(
        meeting, secretary, kind="whistle", about="emergency", units=[came, missing], numbers=[d.number],
        deadline_at=deadline,
    )  # fmt: skip
    assert (await refusal(p.hold(meeting, whistle, p.liaison_of(came), "arrive", units=[missing]))).code == (
        "not_permitted"
    )
    await p.hold(meeting, whistle, p.liaison_of(came), "arrive", units=[came])
    await p.pass_until(f"meeting-{meeting}", deadline)

    async def mustered() -> Session | None:
        found = await stored.session(p.pool, meeting, whistle.id)
        return found if found and found.whistle and found.whistle.mustered_at else None

    found = await until(mustered)
    assert found.whistle is not None
    assert (found.whistle.absent, found.whistle.mustered_at) == ((missing,), deadline)
    session = await p.hold(meeting, whistle, secretary, "open")
    form = p.decision(other.number, "return_to_grid")
    assert (await refusal(p.decide_now(meeting, secretary, form))).code == "late_item"  # not what it was called for
    assert (await p.decide_now(meeting, secretary, p.decision(d.number, "return_to_grid"))).stage is Stage.GRID
    closed = await p.hold(meeting, session, secretary, "close")
    assert (closed.decided, closed.rolled_over) == (1, ())
    page = minutes.as_markdown(await minutes.taken(p.desk, secretary, meeting, closed.id))
    absent = p.desk.district.unit(missing).name
    assert "应急处置吹哨" in page and f"未报到：{absent}" in page


# ---- a worker that goes


async def test_thirty_items_are_decided_once_each_though_the_worker_goes_in_the_middle(
    temporal: WorkflowEnvironment, product: Product
) -> None:
    p, meeting, secretary = product, "wenqulu", product.secretary_of("wenqulu")
    demands = await asyncio.gather(*(on_agenda(p, f"wenqulu-{n % 5 + 1:02d}") for n in range(30)))
    session = await p.sit(meeting)

    at_once = asyncio.Semaphore(6)

    async def decide(d: Demand) -> None:
        async with at_once:
            await decide_patiently(d)

    async def decide_patiently(d: Demand) -> None:
        key, form = f"thirty-{d.number}", p.decision(d.number, "return_to_grid")
        while True:
            try:
                await p.decide_now(meeting, secretary, form, key=key)
                return
            except DomainError as refused:
                if refused.code not in ("outcome_unknown", "unavailable", "too_many_requests"):
                    raise
                await asyncio.sleep(0.1)

    deciding = asyncio.gather(*(decide(d) for d in demands))

    async def in_the_middle() -> bool | None:
        return await p.pool.fetchval("select count(*) >= 8 from meeting_item where session = $1", session.id) or None

    await until(in_the_middle)
    await p.absent_worker()
    await asyncio.sleep(0.5)
    await p.present_worker()
    await deciding
    closed = await p.hold(meeting, session, secretary, "close")
    assert closed.decided == 30 and not {d.number for d in demands} & set(closed.rolled_over)
    for d in demands:
        assert (await p.types(d.number)).count("meeting_decided") == 1
    lines = await stored.decided_in(p.pool, meeting, session.id, datetime.now(UTC))
    assert sorted(line.number for line in lines) == sorted(d.number for d in demands)
