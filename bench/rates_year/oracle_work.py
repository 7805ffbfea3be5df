"""The oracle's other figures: tasks offered and refused, circles, answers, endings, meetings, and plain counts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from bench.rates_year.oracle_log import Event, Found, Log, Where

Rules = dict[str, Any]


def work_figures(log: Log, rules: Rules) -> Iterator[Found]:
    yield from _answers(log, rules)
    yield from _offers(log)
    yield from _parts(log)
    yield from _ping_pong(log)
    yield from _reopen_and_redo(log)
    yield from _on_the_spot(log)
    yield from _meetings(log, rules)
    yield from _counts(log)


def _answers(log: Log, rules: Rules) -> Iterator[Found]:
    worth = {"yes": Fraction(1), "partly": Fraction(str(rules["partly"])), "no": Fraction(0)}
    for e in log.of("feedback_given"):
        where, pleased = log.where_at(e.seq), Fraction(int(e.data["satisfied"] in rules["satisfied"]))
        for figure, value in (("resolution", worth[e.data["solved"]]), ("satisfaction", pleased)):
            yield Found(figure, e.at, where, value, (e.seq,), (e.seq,) if value else ())
    for e in log.of("closed"):
        if e.data["outcome"] in ("unconfirmed", "unreachable"):
            for figure in ("resolution", "satisfaction"):
                where = log.where_at(e.seq)
                yield Found(figure, e.at, where, Fraction(0), (e.seq,), excluded=e.data["outcome"])


def _party(where: Where) -> str:
    return f"u {where['unit']}" if where["unit"] else f"g {where['grid']}"


def _assignments(log: Log) -> list[tuple[Event, str]]:
    """Each with the party that it went to: a grid, whoever stands in there, or a unit."""
    return [(e, _party(log.where_at(e.seq))) for e in log.of("worker_assigned", "unit_assigned")]


def _given_back(log: Log, after: int, before: int) -> bool:
    return any(after < e.seq < before for e in log.of("worker_refused", "unit_refused"))


def _offers(log: Log) -> Iterator[Found]:
    """The tasks of grids and lead units: asked when given, answered when taken on, refused, or swapped.

    Who does it again after a redo is not asked again, and what goes round within a grid is asked once.
    """
    given: Event | None = None
    party: str | None = None
    first, asked_before = False, False
    for e in log.events:
        if e.type in ("worker_assigned", "unit_assigned"):
            to = _party(log.where_at(e.seq))
            if to != party:
                given = None
            if given is None and e.data.get("reason") != "redo":
                given, first = e, not asked_before
            party, asked_before = to, True
        elif (e.type == "unit_bound" and e.data["by"] == "decision") or e.type in ("sent_to_meeting", "closed"):
            given = None
        elif e.type in ("accepted", "unit_bound", "worker_refused", "unit_refused", "lead_swapped"):
            result = {"accepted": "bound", "unit_bound": "bound", "lead_swapped": "swapped"}.get(e.type, "refused")
            if given is None and result == "refused":
                given, first = e, False
            if given is not None:
                yield from _answered(log, given, e, result, first)
            given = None


def _answered(log: Log, given: Event, answer: Event, result: str, first: bool) -> Iterator[Found]:
    where, base = log.where_at(given.seq), (given.seq,)
    if first:
        good = result == "bound"
        yield Found("first_dispatch", answer.at, where, Fraction(int(good)), base, (answer.seq,) if good else ())
    if result != "swapped":
        bad = result == "refused"
        yield Found("refusal", answer.at, where, Fraction(int(bad)), base, (answer.seq,) if bad else ())


def _parts(log: Log) -> Iterator[Found]:
    """Co-units: asked, and bound or refused, unless a meeting decided it or it was taken back before."""
    for asked in log.of("co_unit_asked"):
        unit = asked.data["co_unit"]["unit"]
        where = log.where_at(asked.seq) | {"unit": unit, "worker": None}
        after = [e for e in log.events if e.seq > asked.seq]
        again = next(
            (e.seq for e in after if e.type == "co_unit_asked" and e.data["co_unit"]["unit"] == unit),
            len(log.events) + 1,
        )
        answers = ("co_unit_bound", "co_unit_refused", "co_unit_released")
        answer = next((e for e in after if e.seq < again and e.type in answers and e.data["unit"] == unit), None)
        if answer is None or answer.type == "co_unit_released" or answer.data.get("by") == "decision":
            continue
        bad = answer.type == "co_unit_refused"
        yield Found("refusal", answer.at, where, Fraction(int(bad)), (asked.seq,), (answer.seq,) if bad else ())


def _circles(log: Log) -> list[int]:
    """Events by which it came back to somebody: A→B→A, given again to who refused, or on its way to who had it."""
    found = [e.seq for e in log.of("sent_to_meeting") if e.data["reason"] == "returned_to_same_unit"]
    seen: list[str] = []
    last = 0
    for e, party in _assignments(log):
        again = _given_back(log, last, e.seq)
        if party in seen and (party != seen[-1] or again):
            found.append(e.seq)
        if not seen or seen[-1] != party:
            seen.append(party)
        last = e.seq
    return sorted(found)


def _ping_pong(log: Log) -> Iterator[Found]:
    tasks = [found.behind[0] for found in _tasks(log)]
    for e in log.of("closed"):
        circles = tuple(seq for seq in _circles(log) if seq < e.seq)
        if tasks:
            yield Found("ping_pong", e.at, log.where_at(e.seq), Fraction(int(bool(circles))), (e.seq,), circles)


def _reopen_and_redo(log: Log) -> Iterator[Found]:
    for closed in log.of("closed"):
        end = next((e for e in log.events if e.seq > closed.seq and e.type in ("reopened", "sealed", "closed")), None)
        if end is not None and end.type != "closed":
            bad = end.type == "reopened"
            where = log.where_at(closed.seq)
            yield Found("reopen", end.at, where, Fraction(int(bad)), (closed.seq,), (end.seq,) if bad else ())
    for done in log.of("resolved"):
        end = next((e for e in log.events if e.seq > done.seq and e.type in ("redo_ordered", "closed")), None)
        if end is not None:
            bad, where = end.type == "redo_ordered", log.where_at(done.seq)
            yield Found("redo", end.at, where, Fraction(int(bad)), (done.seq,), (end.seq,) if bad else ())


def _on_the_spot(log: Log) -> Iterator[Found]:
    done, opened = log.of("resolved")[:1], log.events[0]
    if done and not done[0].data.get("primary"):
        e = done[0]
        away = any(x.seq < e.seq for x in log.of("unit_assigned", "sent_to_meeting"))
        good = not away and _local_day(e) == _local_day(opened)
        behind = (opened.seq, e.seq) if good else ()
        yield Found("on_the_spot", e.at, log.where_at(e.seq), Fraction(int(good)), (e.seq,), behind)


def _local_day(e: Event) -> int:
    return int(e.at.timestamp() + 8 * 3600) // 86400  # China has kept one offset since 1991


def _meetings(log: Log, rules: Rules) -> Iterator[Found]:
    visits = log.of("sent_to_meeting")
    for n, visit in enumerate(visits):
        until = visits[n + 1].seq if n + 1 < len(visits) else len(log.events) + 1
        within = [e for e in log.events if visit.seq < e.seq < until and e.type in ("meeting_decided", "closed")]
        if within:
            end = within[0]
            good = end.type == "meeting_decided" and end.data["kind"] in rules["settles"]
            where = log.where_at(visit.seq)
            yield Found("meeting_yield", end.at, where, Fraction(int(good)), (visit.seq,), (end.seq,) if good else ())


def _tasks(log: Log) -> Iterator[Found]:
    """Given to another than who had it last, or again to who gave it back; and every part of a co-unit."""
    last, holder = 0, None
    for e, party in _assignments(log):
        if party != holder or _given_back(log, last, e.seq):
            yield Found("load", e.at, log.where_at(e.seq), Fraction(1), (), (e.seq,), rate=False)
        last, holder = e.seq, party
    for e in log.of("co_unit_asked"):
        where = log.where_at(e.seq) | {"unit": e.data["co_unit"]["unit"], "worker": None}
        yield Found("load", e.at, where, Fraction(1), (), (e.seq,), rate=False)


def _counts(log: Log) -> Iterator[Found]:
    opened = log.events[0]
    yield Found("opened", opened.at, log.where_at(len(log.events)), Fraction(1), (), (opened.seq,), rate=False)
    for e in log.of("closed"):
        if not any(r.seq > e.seq for r in log.of("reopened")):
            yield Found("closed", e.at, log.where_at(e.seq), Fraction(1), (), (e.seq,), rate=False)
    yield from _tasks(log)
    yield from _handled(log)


def _handled(log: Log) -> Iterator[Found]:
    for e in log.of("resolved"):
        given = [x for x in log.of("worker_assigned", "unit_assigned") if x.seq < e.seq]
        if given and not e.data.get("primary"):
            yield Found("handled_per_day", e.at, log.where_at(e.seq), Fraction(1), (), (e.seq,), rate=False)
    for e in log.of("co_unit_done"):
        where = log.where_at(e.seq) | {"unit": e.data["unit"], "worker": None}
        yield Found("handled_per_day", e.at, where, Fraction(1), (), (e.seq,), rate=False)
