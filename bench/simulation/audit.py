"""The event logs, read over HTTP as an outsider would, held against what the API had promised."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bench.simulation.diary import Diary
from bench.simulation.people import Cast
from bench.simulation.telephone import Telephone
from domain.demand import Demand, evolve
from domain.events import Event
from domain.ledger import Entry, replay
from domain.lifecycle import RULES
from domain.vocabulary import Stage

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
# Which event says that an action was done; an action is confirmed once for each such event of the same person.
_SAYS = {
    "contact": ("reporter_contacted",), "urge": ("urged",), "withdraw": ("withdrawn",), "reopen": ("reopened",),
    "request_info": ("info_requested",), "resume": ("info_received",), "extend": ("extension_requested",),
    "decide_extension": ("extension_decided",), "resolve": ("resolved",), "verify": ("verified",),
    "call_back": ("call_back_made",), "confirm": ("feedback_given",), "refuse": ("worker_refused", "unit_refused"),
    "add_co_units": ("co_unit_asked",), "co_refuse": ("co_unit_refused",), "co_done": ("co_unit_done",),
    "co_release": ("co_unit_taken_back",), "swap_lead": ("lead_swapped",),
    "merge": ("merged",), "unmerge": ("unmerged",), "supervise": ("supervised", "taken_over"),
    "decide_final_reply": ("final_reply_decided",),
}  # fmt: skip
_MOVES = {(stage, to) for rule in RULES for stage in rule.stages for to in rule.to}


class Log:
    """One demand's events and the states between them."""

    def __init__(self, number: str, entries: list[Entry]) -> None:
        self.number, self.entries = number, entries
        self.demand = replay(number, entries)

    def count(self, *types: str) -> int:
        return sum(one.type in types for one in self.entries)

    def states(self) -> Iterator[tuple[Entry, Demand]]:
        demand = Demand(number=self.number)
        for entry in self.entries:
            demand = evolve(demand, _EVENT.validate_python({"type": entry.type, **entry.data}), entry.at)
            yield entry, demand

    def path(self) -> str:
        """The stages in the order of the visits."""
        stages: list[str] = []
        for _, demand in self.states():
            if not stages or stages[-1] != demand.stage:
                stages.append(str(demand.stage))
        return " → ".join(stages)


async def read_logs(numbers: Iterable[str], *, phone: Telephone, who: str) -> tuple[list[Log], list[str]]:
    """Every log that holds together, and a sentence for each that does not."""
    wrong: list[str] = []
    gate = asyncio.Semaphore(8)

    async def one(number: str) -> Log | None:
        async with gate:
            entries = await _entries(phone, who, number)
        try:
            return Log(number, entries)
        except ValueError as broken:
            wrong.append(f"hash chain: {broken}")
            return None

    logs = await asyncio.gather(*(one(number) for number in numbers))
    return [log for log in logs if log is not None], wrong


async def _entries(phone: Telephone, who: str, number: str) -> list[Entry]:
    entries: list[Entry] = []
    page: str | None = f"/api/v1/demands/{number}/events?limit=100"
    while page:
        said = await phone.get(who, page)
        if said.status != 200:
            return entries
        entries += [Entry.model_validate(_in_python(one)) for one in said.json]
        page = said.next
    return entries


def _in_python(entry: dict[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(entry[name]) for name in ("at", "performed_at") if entry[name]}
    return {**entry, **times}


def check_log(log: Log) -> Iterator[str]:
    """What is wrong inside one log."""
    n, d = log.number, log.demand
    if not log.entries:
        yield f"{n}: accepted, but its log is empty (lost)"
        return
    closed, reopened = log.count("closed"), log.count("reopened")
    if d.stage is not Stage.CLOSED:
        yield f"{n}: not closed; it is in {d.stage}, with {d.holder}"
    elif closed != 1 + reopened:
        yield f"{n}: closed {closed} times with {reopened} reopenings"
    if any(later.at < earlier.at for earlier, later in zip(log.entries, log.entries[1:], strict=False)):
        yield f"{n}: instants run backwards"
    yield from _check_states(log)
    yield from _check_meetings(log)


def _check_states(log: Log) -> Iterator[str]:
    before = Stage.INTAKE
    for entry, demand in log.states():
        if demand.holder is None and demand.stage is not Stage.CLOSED:
            yield f"{log.number}: nobody holds it after event {entry.seq} ({entry.type})"
        if demand.stage is not before and (before, demand.stage) not in _MOVES:
            yield f"{log.number}: event {entry.seq} ({entry.type}) leads from {before} to {demand.stage}"
        before = demand.stage


def _check_meetings(log: Log) -> Iterator[str]:
    asked: dict[int, str] = {}
    answered: Counter[int] = Counter()
    for entry in log.entries:
        if entry.type == "sent_to_meeting":
            turn = int(str(entry.data["turn"]))
            if turn in asked:
                yield f"{log.number}: sent to a meeting twice as turn {turn}"
            asked[turn] = str(entry.data["meeting"])
        elif entry.type == "meeting_decided":
            turn = int(str(entry.data["turn"]))
            answered[turn] += 1
            if asked.get(turn) != entry.data["meeting"]:
                yield f"{log.number}: {entry.data['meeting']} decided turn {turn}, which was never sent to it"
    yield from (f"{log.number}: turn {turn} was decided {times} times" for turn, times in answered.items() if times > 1)
    open_turns = [turn for turn in asked if not answered[turn]]
    if open_turns and not log.count("withdrawn", "merged"):
        yield f"{log.number}: turns {open_turns} were never decided"


def check_promises(logs: list[Log], diary: Diary) -> Iterator[str]:
    """Every confirmed action stands in the log once, by who did it, and nothing else does."""
    promised = Counter((c.number, says, c.actor) for c in diary.confirmed for says in [_SAYS.get(c.type)] if says)
    there = Counter(
        (log.number, says, entry.actor)
        for log in logs for entry in log.entries for says in _SAYS.values()
        if _said(entry) in says and entry.actor != "system"
    )  # fmt: skip
    for (number, says, actor), times in (promised - there).items():
        yield f"{number}: {'/'.join(says)} by {actor} was confirmed, but {times} of them are not in its log (lost)"
    for (number, says, actor), times in (there - promised).items():
        yield f"{number}: {'/'.join(says)} by {actor} stands {times} times more in its log than was confirmed (doubled)"
    decided = Counter(c.number for c in diary.confirmed if c.type == "decide")
    for log in logs:
        if log.count("meeting_decided") != decided[log.number]:
            yield (
                f"{log.number}: {decided[log.number]} decisions were confirmed, "
                f"{log.count('meeting_decided')} are in its log"
            )


def _said(entry: Entry) -> str:
    """Its type; a part that was taken back is another thing than one that ended with the unit's task, and a merge that was
    taken back another than one that ended in a redo."""
    if entry.type == "unmerged" and entry.data["reason"] != "mistake":
        return "unmerged_by_itself"
    return "co_unit_taken_back" if entry.data.get("reason") == "taken_back" else entry.type


async def check_rows(
    logs: list[Log], diary: Diary, before: frozenset[str] | None, *, phone: Telephone, cast: Cast
) -> list[str]:
    """The list of all demands over HTTP: every number there, equal to its log, and no other than those of `before`.

    `before` is None where others submit demands too.
    """
    rows: dict[str, dict[str, Any]] = {}
    page: str | None = "/api/v1/demands?limit=100&duplicates=shown"
    while page:
        said = await phone.get(cast.overseer, page)
        rows |= {row["number"]: row for row in said.json}
        page = said.next
    wrong = [
        f"{number}: accepted, but not in the list (lost)" for number in diary.accepted.values() if number not in rows
    ]
    extra = set(rows) - set(diary.accepted.values()) - (before or set())
    if before is not None and extra:
        wrong.append(f"{len(extra)} demands that nobody submitted: {', '.join(sorted(extra)[:5])} (doubled)")
    for log in logs:
        row, d = rows.get(log.number), log.demand
        if row is None or (row["seq"] > d.seq and not d.sealed):
            continue  # its reopen window has ended since
        if (row["stage"], row["seq"], row["outcome"]) != (d.stage, d.seq, d.outcome):
            wrong.append(f"{log.number}: its row says {row['stage']} at {row['seq']}, its log {d.stage} at {d.seq}")
    return wrong
