"""The event log of one demand: numbered without gaps, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.demand import Demand, evolve
from domain.events import Event


class Entry(BaseModel):
    """One event as it is stored: its place in the demand's log, its instant (UTC), who caused it, and its hash.

    `data` is the event as JSON values. `performed_at` is when a device says it was done, where that differs from `at`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int
    type: str
    at: datetime
    actor: str
    data: dict[str, object]
    performed_at: datetime | None = None
    hash: str = ""


_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(previous: str, number: str, entry: Entry) -> str:
    """SHA-256 (hex) over the previous hash and the entry in canonical JSON (sorted keys, no spaces, UTF-8)."""
    e = entry
    return _digest(previous, number, e.seq, e.type, e.at, e.actor, e.data, e.performed_at)


def _digest(previous: str, number: str, *said: object) -> str:
    text = _CANONICAL.encode([number, *(v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for v in said)])
    return hashlib.sha256(previous.encode() + text.encode()).hexdigest()


def append(
    demand: Demand, events: Iterable[Event], *, at: datetime, actor: str, performed_at: datetime | None = None
) -> tuple[Demand, list[Entry]]:
    """The demand after `events`, and their entries. Pure: the same arguments give the same hashes."""
    listed = list(events)
    after = demand
    for event in listed:
        after = evolve(after, event, at)
    return seal(after, listed, at=at, actor=actor, performed_at=performed_at)


def seal(
    after: Demand, events: Iterable[Event], *, at: datetime, actor: str, performed_at: datetime | None = None
) -> tuple[Demand, list[Entry]]:
    """Number and chain `events`, for a demand that has been through them but still bears the old `seq` and `head`."""
    seq, head = after.seq, after.head
    entries: list[Entry] = []
    for event in events:
        seq += 1
        data = event.model_dump(mode="json", exclude={"type"})
        head = _digest(head, after.number, seq, event.type, at, actor, data, performed_at)
        entries.append(
            Entry(seq=seq, type=event.type, at=at, actor=actor, data=data, performed_at=performed_at, hash=head)
        )
    return after.model_copy(update={"seq": seq, "head": head}), entries


def replay(number: str, entries: Iterable[Entry]) -> Demand:
    """The demand that these entries make.

    Raises ValueError at the first entry whose number or hash does not follow from the one before.
    """
    demand = Demand(number=number)
    for entry in entries:
        if entry.seq != demand.seq + 1:
            raise ValueError(f"{number}: event {entry.seq} follows {demand.seq}")
        if entry.hash != digest(demand.head, number, entry):
            raise ValueError(f"{number}: event {entry.seq} does not match its hash")
        event = _EVENT.validate_python({"type": entry.type, **entry.data})
        demand = evolve(demand, event, entry.at).model_copy(update={"seq": entry.seq, "head": entry.hash})
    return demand
