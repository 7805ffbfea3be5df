"""The oracle's clocks: was each promise kept, missed, or taken back; and who was answered in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from bench.rates_year.oracle_log import Event, Found, Log, Where

# What must happen at the instant at which a clock stops for it to have been kept.
WAITS_FOR = {
    "locate": ["demand_located"], "accept": ["accepted"], "contact": ["reporter_contacted"],
    "resolve": ["resolved", "closed"], "refusal_window": ["accepted", "unit_refused"], "unit_due": ["resolved"],
    "co_window": ["co_unit_bound", "co_unit_refused"], "co_due": ["co_unit_done"], "decide": ["meeting_decided"],
    "approve": ["final_reply_decided"], "follow_up": ["feedback_given", "call_back_made", "closed"],
}  # fmt: skip
OF_A_UNIT = ("refusal_window", "unit_due", "co_window", "co_due")


@dataclass(frozen=True)
class Ran:
    """From a start: `missed` is when it became late; `kept` the event at which it stopped because it was kept."""

    name: str
    started: Event
    due: datetime
    where: Where
    missed: datetime | None
    kept: Event | None
    stopped: Event | None
    stands_still: bool

    @property
    def kind(self) -> str:
        return self.name.split(":")[0]


def runs(log: Log, end: datetime) -> list[Ran]:
    """Every start of every clock."""
    of_clocks = [e for e in log.events if e.type.startswith("clock_") and e.type in _TELLING]
    starts = [e for e in of_clocks if e.type == "clock_started"]
    found = []
    for start in starts:
        name = start.data["clock"]
        later = [e for e in of_clocks if e.data["clock"] == name and e.seq > start.seq]
        again = next((e.seq for e in later if e.type == "clock_started"), len(log.events) + 1)
        found.append(_ran(log, name, [start, *(e for e in later if e.seq < again)], end))
    return found


_TELLING = (
    "clock_started", "clock_stopped", "clock_paused", "clock_resumed", "clock_extended", "clock_replanned",
    "clock_breached",
)  # fmt: skip


def _ran(log: Log, name: str, events: list[Event], end: datetime) -> Ran:
    """`known` is the due instant, or the later one at which it was set: nobody is late before it can be known."""
    running, missed, where, known, set_at = False, None, None, events[0].at, events[0].at
    stopped: Event | None = None
    for n, e in enumerate(events):
        if e.type == "clock_breached" and missed is None:
            missed, where = max(datetime.fromisoformat(e.data["due_at"]), set_at), log.where_at(e.seq)
        if e.type in ("clock_started", "clock_resumed"):
            running, stopped = True, None
        if e.type in ("clock_paused", "clock_stopped"):
            running = False
            stopped = e if e.type == "clock_stopped" else None
        if "due_at" in e.data and e.type != "clock_breached":
            set_at = e.at
            known = max(datetime.fromisoformat(e.data["due_at"]), set_at)
        following = events[n + 1] if n + 1 < len(events) else None
        if running and missed is None and known <= (following.at if following else end):
            missed, where = known, _where_missed(log, known, set_at, e, following)
    kept = stopped if stopped and missed is None and _is_kept(log, name, stopped) else None
    if missed is None:
        where = log.where_at(stopped.seq if stopped else len(log.events))
    assert where is not None
    still = not running and stopped is None
    return Ran(name, events[0], known, _of(log, name, events[0], where), missed, kept, stopped, still)


def _where_missed(log: Log, missed: datetime, set_at: datetime, setting: Event, following: Event | None) -> Where:
    """Who had it when it became late; where it was late as soon as it was set, once that turn was over."""
    if missed > set_at:
        return log.where_before(missed)
    if following is not None and following.at == setting.at:
        return log.where_at(following.seq)
    return log.where_at(max(e.seq for e in log.events if e.at == setting.at))


def _of(log: Log, name: str, start: Event, where: Where) -> Where:
    """A unit's task stays its own, whoever has the demand later."""
    if name.split(":")[0] not in OF_A_UNIT:
        return where
    unit = name.partition(":")[2] or log.where_at(start.seq)["unit"]
    return where | {"unit": unit}


def _is_kept(log: Log, name: str, stop: Event) -> bool:
    kind, _, unit = name.partition(":")
    for e in log.turn(stop.at):
        if e.type in WAITS_FOR.get(kind, []) and (not unit or e.data["unit"] == unit):
            by_another = e.type == "resolved" and e.data.get("primary")
            if not by_another or kind == "resolve":
                return True
    return False


def clock_figures(all_runs: list[Ran], rules: dict[str, Any]) -> Iterator[Found]:
    for ran in all_runs:
        figure = f"on_time_{ran.kind}"
        if ran.kind not in rules["clocks"]:
            continue
        if ran.missed is not None:
            yield Found(figure, ran.missed, ran.where, Fraction(0), (ran.started.seq,))
        elif ran.kept is not None:
            yield Found(figure, ran.kept.at, ran.where, Fraction(1), (ran.started.seq,), (ran.kept.seq,))


def responses(log: Log, all_runs: list[Ran], end: datetime, rules: dict[str, Any]) -> Iterator[Found]:
    """Accepted and contacted in time ÷ due: once a demand, when the later of the two is due."""
    firsts = [next((r for r in all_runs if r.name == name), None) for name in ("accept", "contact")]
    needed = [r for r in firsts if r is not None and _is_asked(log, r, rules)]
    closings = log.of("closed")
    if not needed:
        if not all_runs and closings:
            yield Found("response", closings[0].at, log.where_at(closings[0].seq), Fraction(0), (closings[0].seq,))
        return
    due = max(r.due for r in needed)
    if due >= end or any(r.stands_still for r in needed):
        return
    good = all(r.kept for r in needed)
    behind = [log.of("accepted")[:1], log.of("reporter_contacted")[:1]] if good else []
    yield Found(
        "response", due, needed[0].where, Fraction(int(good)), tuple(r.started.seq for r in needed),
        tuple(e.seq for events in behind for e in events),
    )  # fmt: skip


def _is_asked(log: Log, ran: Ran, rules: dict[str, Any]) -> bool:
    if ran.stopped is not None and not ran.kept and ran.missed is None and log.follows_at(ran.stopped.seq):
        return False  # done with the demand that it follows
    if ran.name == "contact":
        return log.events[0].data["channel"] not in rules["contact_not_needed"]
    return bool(ran.kept) or ran.missed is not None or ran.stopped is None
