"""The lives whose histories are kept: each runs a demand (and its meeting) into another corner of the workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from domain.vocabulary import ClockName, Stage
from tests.builders import BLOCKED_DRAIN, ROOF_LEAK, WASTE, Product, resident, with_days_off

Life = Callable[[Product], Awaitable[list[str]]]


async def whole_path(p: Product) -> list[str]:
    """Grid, unit, meeting, verified, confirmed, sealed: a closed history."""
    number, worker = await p.submit(resident(), category=WASTE, grid="xuanhualu-01"), p.worker_of("xuanhualu-01")
    await p.act(number, worker, "accept")
    await p.act(number, worker, "contact")
    await p.act(number, worker, "hand_off", unit="u-sanitation")
    await p.act(number, p.liaison_of("u-sanitation"), "escalate", reason="beyond_power")
    await p.until_agenda("xuanhualu", number)
    await p.decide("xuanhualu", p.secretary_of("xuanhualu"), number, "assign", unit="u-sanitation", minute="办理")
    await p.act(number, p.liaison_of("u-sanitation"), "resolve", reply="已清运")
    await p.act(number, p.supervisor, "verify", ok=True)
    d = await p.act(number, resident(), "confirm", contacted=True, solved="yes", satisfied="satisfied")
    await p.pass_until(number, d.clocks[ClockName.REOPEN].due_at)
    await p.handle(number).result()
    return [number, "meeting-xuanhualu"]


async def overdue_and_paused(p: Product) -> list[str]:
    """Clocks that break, a substitute, a pause and an extension: an open history."""
    number = await p.submit(resident(), grid="yupinglu-01")
    d = await p.started(number)
    await p.pass_until(number, d.clocks[ClockName.ACCEPT].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.ACCEPT].breached)
    substitute = p.substitute_of("yupinglu-01")
    await p.act(number, substitute, "accept")
    await p.act(number, substitute, "extend", working_days=2, basis="season")
    await p.act(number, p.supervisor, "decide_extension", approved=True)
    await p.act(number, substitute, "request_info", reason="weather")
    await p.pass_time(number, timedelta(days=8))  # less than a pause may last
    await p.act(number, substitute, "resume")
    return [number]


async def refused_and_shelved(p: Product) -> list[str]:
    """A unit that refuses, one bound by silence, the meeting, put aside and back: an open history."""
    number = await p.submit(resident(), category=BLOCKED_DRAIN, grid="zhangjiapo-02")
    d = await p.started(number)
    assert d.unit is not None
    d = await p.act(number, p.liaison_of(d.unit), "refuse", basis="not_our_duty")
    if ClockName.REFUSAL_WINDOW in d.clocks and d.unit is not None:
        await p.pass_until(number, d.clocks[ClockName.REFUSAL_WINDOW].due_at)
        await p.until_row(number, lambda d: d.lead_bound)
        await p.act(number, p.supervisor, "escalate", reason="several_units")
    await p.until_agenda("zhangjiapo", number)
    review = datetime.now(UTC) + timedelta(days=50)
    await p.decide("zhangjiapo", p.secretary_of("zhangjiapo"), number, "shelve", review_at=review)
    await p.pass_until(number, review)
    await p.until_row(number, lambda d: not d.shelved)
    return [number, "meeting-zhangjiapo"]


async def unreachable_and_reopened(p: Product) -> list[str]:
    """Nobody answers the call-backs; reopened, resolved again and withdrawn: a closed history."""
    number, worker = await p.submit(resident(), grid="wenqulu-01"), p.worker_of("wenqulu-01")
    d = await p.act(number, worker, "resolve", reply="已答复")
    await p.act(number, p.operator, "call_back", channel="phone", result="no_answer")
    while d.stage is not Stage.CLOSED:
        at = d.clocks[ClockName.CALL_BACK].due_at
        await p.pass_until(number, at)
        d = await p.until_row(number, lambda d, at=at: d.clocks[ClockName.CALL_BACK].due_at != at or d.closed_at)  # type: ignore[misc]
    await p.act(number, resident(), "reopen")
    await p.act(number, worker, "escalate", reason="repeat")
    await p.until_agenda("wenqulu", number)
    await p.act(number, resident(), "withdraw")
    await p.handle(number).result()
    return [number]


async def untouched(p: Product) -> list[str]:
    """Nobody does anything: the whole ladder, onto the agenda and on, until nothing is left to fall: an open history."""
    number = await p.submit(resident(), grid="xuanhualu-10")
    await p.started(number)
    await p.pass_time(number, timedelta(days=150))
    await p.until_row(number, lambda d: ClockName.DECIDE in d.clocks and "300%" in d.clocks[ClockName.DECIDE].done)
    return [number]


async def pause_ended_by_itself(p: Product) -> list[str]:
    """A unit that waits too long, gets more time, is late and answers: an open history."""
    number = await p.submit(resident(), category=BLOCKED_DRAIN, grid="xuanhualu-11")
    d = await p.started(number)
    assert d.unit is not None
    liaison = p.liaison_of(d.unit)
    await p.act(number, liaison, "accept")
    d = await p.act(number, liaison, "request_info", reason="awaiting_material")
    await p.pass_until(number, d.clocks[ClockName.PAUSE].due_at)
    await p.until_row(number, lambda d: d.info_reason is None)
    await p.act(number, liaison, "extend", working_days=3, basis="procurement")
    d = await p.act(number, p.supervisor, "decide_extension", approved=True)
    await p.pass_until(number, d.clocks[ClockName.UNIT_DUE].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.UNIT_DUE].breached)
    await p.act(number, liaison, "resolve", reply="已疏通")
    return [number]


async def reclassified(p: Product) -> list[str]:
    """Paused, then filed under a category of another class and level, and broken by its promise: an open history."""
    number, worker = await p.submit(resident(), grid="wenqulu-02"), p.worker_of("wenqulu-02")
    await p.act(number, worker, "accept")
    await p.act(number, worker, "request_info", reason="awaiting_access")
    await p.pass_time(number, timedelta(days=5))
    await p.act(number, worker, "resume")
    d = await p.act(number, p.supervisor, "reclassify", category=ROOF_LEAK)
    await p.pass_until(number, d.clocks[ClockName.RESOLVE].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.RESOLVE].breached)
    return [number]


async def calendar_adopted(p: Product) -> list[str]:
    """More holidays, the same again, and fewer: its timer goes later and earlier: an open history."""
    number, worker = await p.submit(resident(), grid="wenqulu-03"), p.worker_of("wenqulu-03")
    d, old = await p.started(number), p.desk.calendar
    first, last = (old.table.local(at).date() for at in (d.opened_at, d.clocks[ClockName.RESOLVE].due_at) if at)
    longer = with_days_off(old, first, last)
    for calendar in (longer, longer, old):
        await p.handle(number).signal("adopt", calendar)
        await p.until_row(number, lambda d, v=calendar.version: d.terms.calendar == v)  # type: ignore[misc]
    await p.act(number, worker, "accept")
    await p.pass_until(number, d.clocks[ClockName.RESOLVE].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.RESOLVE].breached)
    return [number]


async def followed(p: Product) -> list[str]:
    """Three reporters of one matter: one goes its own way again, one hears the end with the first: an open history of the second."""
    grid = "zhangjiapo-02"
    worker = p.worker_of(grid)
    primary, other, mistaken = [await p.submit(resident(n), grid=grid) for n in (1, 2, 3)]
    for number in (other, mistaken):
        await p.act(number, worker, "merge", primary=primary)
    await p.until_row(primary, lambda d: len(d.followers) == 2)
    await p.act(mistaken, p.operator, "unmerge")
    await p.until_row(primary, lambda d: d.followers == (other,))
    await p.act(primary, worker, "resolve", reply="已处理")
    await p.until_row(other, lambda d: d.stage is Stage.FEEDBACK)
    await p.act(other, resident(2), "confirm", contacted=True, solved="no", satisfied="dissatisfied")
    return [other]


async def final_reply(p: Product) -> list[str]:
    """Taken over, given back, escalated; the first final reply is not approved, the second one is: a closed history."""
    number, worker = await p.submit(resident(), grid="wenqulu-04"), p.worker_of("wenqulu-04")
    for deed in ("take_over", "return"):
        await p.act(number, p.supervisor, "supervise", deed=deed)
    await p.act(number, worker, "escalate", reason="beyond_power")
    for approved in (False, True):
        await p.until_agenda("wenqulu", number)
        await p.decide("wenqulu", p.secretary_of("wenqulu"), number, "final_reply", reply="依法不予支持")
        await p.act(number, p.supervisor, "decide_final_reply", approved=approved)
    await p.handle(number).result()
    return [number]


LIVES: dict[str, Life] = {
    "followed": followed,
    "final-reply": final_reply,
    "whole-path": whole_path,
    "overdue-and-paused": overdue_and_paused,
    "refused-and-shelved": refused_and_shelved,
    "unreachable-and-reopened": unreachable_and_reopened,
    "untouched": untouched,
    "pause-ended-by-itself": pause_ended_by_itself,
    "reclassified": reclassified,
    "calendar-adopted": calendar_adopted,
}
