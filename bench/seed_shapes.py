"""Lives to be copied: demands as the domain makes them, some hundred that are open now and some hundred that are over.

A copy is the life of another demand: its own number, a whole number of weeks earlier or not at all, and a chain of hashes
that is right for it. So a hundred thousand demands cost seconds, and each of them stands up to `domain.ledger.replay`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.rates_year.life import Life
from bench.rates_year.town import Town
from domain.demand import Demand
from domain.ledger import Entry, digest
from domain.meeting import Item, item_of
from domain.vocabulary import Stage

MOST_EVENTS = 24
"""Of a life that is copied; the log is what fills a database."""
_STAND_IN = "00000000-000000"
_INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')
# A life names texts and files that nobody wrote: the texts are written with the copy, of files there are none.
_TEXT_ID = re.compile(r'"(t-[a-z]+)"')
_FILE_IDS = re.compile(r'"file_ids": ?\["f-1"\]')
_OTHERS = ("merged", "unmerged", "duplicate_joined", "duplicate_left")


@dataclass(frozen=True)
class Copy:
    """A demand, its log and its place on an agenda, ready for the tables. `texts`: the ids that its log names."""

    demand: Demand
    state: str
    entries: list[Entry]
    opened_at: datetime
    updated_at: datetime
    channel: str
    opened_by: str
    item: Item | None
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A life as JSON, with a stand-in for its number."""

    state: str
    entries: str
    open: bool

    @classmethod
    def of(cls, life: Life) -> Shape:
        entries = [entry for step in life.steps for entry in step.entries]
        said = json.dumps([entry.model_dump(mode="json", exclude={"hash"}) for entry in entries], ensure_ascii=False)
        state = life.demand.model_dump_json(exclude_defaults=True)
        return cls(_cleared(state), _cleared(said), life.demand.stage is not Stage.CLOSED)

    @property
    def number_day(self) -> datetime:
        first: str = json.loads(self.entries)[0]["at"]
        return datetime.fromisoformat(first)

    def earlier(self, weeks: int) -> Shape:
        """The same a few weeks earlier, at the same hours of the same weekdays."""

        def moved(found: re.Match[str]) -> str:
            at = datetime.fromisoformat(found[1]) - timedelta(weeks=weeks)
            return f'"{at.astimezone(UTC).isoformat().replace("+00:00", "Z")}"'

        return Shape(_INSTANT.sub(moved, self.state), _INSTANT.sub(moved, self.entries), self.open)

    def copy(self, number: str) -> Copy:
        raw: list[dict[str, Any]] = json.loads(_TEXT_ID.sub(rf'"{number}.\1"', self.entries))
        entries: list[Entry] = []
        head = ""
        for one in raw:
            unsealed = Entry(**one)
            head = digest(head, number, unsealed)
            entries.append(unsealed.model_copy(update={"hash": head}))
        said = _TEXT_ID.sub(rf'"{number}.\1"', self.state.replace(_STAND_IN, number))
        demand = Demand.model_validate_json(said).model_copy(update={"seq": len(entries), "head": head})
        first = entries[0].data
        return Copy(
            demand=demand, state=demand.model_dump_json(exclude_defaults=True), entries=entries,
            opened_at=entries[0].at, updated_at=entries[-1].at, channel=str(first["channel"]),
            opened_by=str(first["opened_by"]), item=item_of(demand) if demand.stage is Stage.MEETING else None,
            texts=tuple(dict.fromkeys(f"{number}.{id}" for id in _TEXT_ID.findall(self.entries))),
        )  # fmt: skip


def _cleared(said: str) -> str:
    return _FILE_IDS.sub('"file_ids": []', said)


def open_shapes(town: Town, now: datetime, wanted: int) -> list[Shape]:
    """Of demands that were opened lately and are open at `now`."""
    return _some(town, now, wanted, is_open=True, opened=lambda: now - timedelta(days=town.chance.expovariate(1 / 9)))


def closed_shapes(town: Town, now: datetime, wanted: int) -> list[Shape]:
    """Of demands that were over before last month began."""
    back = timedelta(days=40)
    return _some(
        town, now - back, wanted, is_open=False,
        opened=lambda: now - back - timedelta(days=town.chance.uniform(15, 75)),
    )  # fmt: skip


def _some(town: Town, until: datetime, wanted: int, *, is_open: bool, opened: Any) -> list[Shape]:
    found: list[Shape] = []
    for life in _lives(town, until, opened):
        demand = life.demand
        is_over = demand.stage is Stage.CLOSED
        if is_over == is_open or (is_over and not demand.sealed) or not _alone(life):
            continue
        found.append(Shape.of(life))
        if len(found) == wanted:
            break
    return found


def _lives(town: Town, until: datetime, opened: Any) -> Iterator[Life]:
    while True:
        at: datetime = opened()
        yield Life(town, _STAND_IN, until).lived(at.replace(microsecond=0))


def _alone(life: Life) -> bool:
    """Whether its log is short and names no other demand."""
    types = [entry.type for step in life.steps for entry in step.entries]
    return 0 < len(types) <= MOST_EVENTS and not any(type in _OTHERS for type in types) and not life.demand.primary
