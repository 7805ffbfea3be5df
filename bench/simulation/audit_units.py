"""Unit tasks in the logs: every part ends, nobody waits without a due instant, and capacity is given back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from bench.simulation.audit import Log
from bench.simulation.people import Cast
from bench.simulation.telephone import Telephone
from domain.demand import Demand
from domain.ledger import Entry
from domain.tasks import co_clocks
from domain.vocabulary import Stage

_LEAD_ENDS = ("unit_refused", "lead_swapped", "sent_to_meeting", "worker_assigned", "resolved", "closed")
_PART_ENDS = ("co_unit_refused", "co_unit_done", "co_unit_released")


class Booking:
    """+1 or -1 of a unit's capacity, read from the events themselves and not from the states they make."""

    def __init__(self, at: datetime, unit: str, change: int, number: str) -> None:
        self.at, self.unit, self.change, self.number = at, unit, change, number


def check_unit_tasks(log: Log) -> Iterator[str]:
    """What is wrong with the holders, the due instants and the parts of one demand."""
    states = list(log.states())
    for (entry, demand), (following, _) in pairwise(states):
        if following.at > entry.at:  # between the events of one turn nobody looks
            yield from _check_owed(log.number, entry, demand)
    for entry, demand in states:
        yield from _check_parts(log.number, entry, demand)
    yield from _check_windows(log)
    yield from _check_resolved(log)


def _check_owed(number: str, entry: Entry, demand: Demand) -> Iterator[str]:
    if demand.stage is not Stage.CLOSED and (demand.holder is None or demand.due_at is None):
        yield f"{number}: after event {entry.seq} ({entry.type}) {demand.holder} owes it, until {demand.due_at}"


def _check_parts(number: str, entry: Entry, demand: Demand) -> Iterator[str]:
    helping = [task.unit for task in demand.co_tasks if task.open]
    if helping and demand.stage is not Stage.UNIT:
        yield f"{number}: {', '.join(helping)} still help after event {entry.seq}, in {demand.stage}"
    if len(set(helping)) < len(helping):
        yield f"{number}: a unit has two parts after event {entry.seq}"
    if entry.type == "unit_assigned" and demand.unit in helping:
        yield f"{number}: {demand.unit} leads and helps after event {entry.seq}"


def _check_windows(log: Log) -> Iterator[str]:
    """A part is refused inside its window, and bound by silence only at its end."""
    before = Demand(number=log.number)
    for entry, demand in log.states():
        unit = str(entry.data.get("unit", ""))
        window = before.clocks.get(co_clocks(unit)[0])
        if entry.type == "co_unit_refused" and (window is None or entry.at >= window.due_at):
            yield f"{log.number}: {unit} refused its part in event {entry.seq}, after its window"
        silent = entry.type == "co_unit_bound" and entry.data["by"] == "silence"
        if silent and (window is None or entry.at < window.due_at):
            yield f"{log.number}: {unit} was bound by silence in event {entry.seq}, before its window ended"
        before = demand


def _check_resolved(log: Log) -> Iterator[str]:
    """What is still open when the lead resolves is released in the same turn: nothing that was required."""
    left: list[tuple[datetime, str]] = []
    for entry, demand in log.states():
        if entry.type == "co_unit_released" and entry.data["reason"] == "left_units":
            left += [(entry.at, t.unit) for t in demand.co_tasks if t.unit == entry.data["unit"] and t.required]
        elif entry.type == "resolved":
            waiting = [unit for at, unit in left if at == entry.at]
            if waiting:
                yield f"{log.number}: resolved in event {entry.seq} while {', '.join(waiting)} had a required part"


# ---- capacity


def bookings(log: Log) -> Iterator[Booking]:
    lead: str | None = None
    kept: str | None = None  # a duplicate's, until it goes on by itself
    follows = False
    for entry in log.entries:
        if entry.type == "merged":
            kept = kept if follows else lead
            follows = True
        elif entry.type == "unmerged":
            follows = False
            if kept is not None and entry.data["reason"] != "redo":
                lead = kept
                yield Booking(entry.at, lead, +1, log.number)
        if entry.type in (*_LEAD_ENDS, "merged") and lead is not None:
            yield Booking(entry.at, lead, -1, log.number)
            lead = None
        elif entry.type == "unit_assigned":
            lead = _lead_of(entry)
            yield Booking(entry.at, lead, +1, log.number)
        elif entry.type == "co_unit_asked":
            yield Booking(entry.at, _helper_of(entry), +1, log.number)
        elif entry.type in _PART_ENDS:
            yield Booking(entry.at, str(entry.data["unit"]), -1, log.number)


def _lead_of(entry: Entry) -> str:
    lead: Any = entry.data["lead"]
    return str(lead["unit"])


def _helper_of(entry: Entry) -> str:
    co_unit: Any = entry.data["co_unit"]
    return str(co_unit["unit"])


def check_capacity(logs: list[Log]) -> tuple[list[str], Counter[str]]:
    """What is wrong with the account of all units over the whole time, and each unit's highest load."""
    wrong: list[str] = []
    loads: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for log in logs:
        own: Counter[str] = Counter()
        for one in bookings(log):
            own[one.unit] += one.change
            if own[one.unit] not in (0, 1):
                wrong.append(f"{log.number}: it counts {own[one.unit]} times as a task of {one.unit} at {one.at}")
    for one in sorted((b for log in logs for b in bookings(log)), key=lambda b: b.at):
        loads[one.unit] += one.change
        most[one.unit] = max(most[one.unit], loads[one.unit])
        if loads[one.unit] < 0:
            wrong.append(f"{one.unit}: its account falls to {loads[one.unit]} at {one.at}, by {one.number}")
    kept = {log.number for log in logs if log.demand.stage is not Stage.CLOSED}
    if not kept:
        wrong += [f"{unit}: {load} tasks are left in its account" for unit, load in loads.items() if load]
    return wrong, most


async def check_resources(phone: Telephone, cast: Cast) -> list[str]:
    """The resource list, when every demand of the installation is closed: everything is free."""
    wrong: list[str] = []
    page: str | None = "/api/v1/lists/resources?limit=100"
    while page:
        said = await phone.get(cast.overseer, page)
        for one in said.json:
            if one["in_use"] or one["unit_tasks"] or one["free"] != one["capacity"]:
                wrong.append(
                    f"{one['unit']['id']} {one['id']}: {one['in_use']} in use, {one['unit_tasks']} tasks of its unit"
                )
        page = said.next
    return wrong


def counted(logs: list[Log]) -> dict[str, int]:
    """What came of asking for help, over all demands."""
    found = Counter(_outcome(entry) for log in logs for entry in log.entries)
    order = ("asked", "accepted", "bound by silence", "bound by a meeting", "refused", "done", "taken back", "released")
    return {name: found[name] for name in (*order, "lead swapped") if found[name]}


def _outcome(entry: Entry) -> str:
    plain = {
        "co_unit_asked": "asked",
        "co_unit_refused": "refused",
        "co_unit_done": "done",
        "lead_swapped": "lead swapped",
    }
    if entry.type == "co_unit_bound":
        bound = {"accepted": "accepted", "silence": "bound by silence", "decision": "bound by a meeting"}
        return bound[str(entry.data["by"])]
    if entry.type == "co_unit_released":
        return "taken back" if entry.data["reason"] == "taken_back" else "released"
    return plain.get(entry.type, "")
