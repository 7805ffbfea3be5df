"""What one demand's event log says for the figures: facts, each with the events (seq) that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol


class Line(Protocol):
    """As much of a log's entry as the figures read."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Mark(NamedTuple):
    """An event of the log: its number and its instant."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Where:
    """Where a demand lay, and with whom, at some instant."""

    channel: str = ""
    category: str = ""
    community: str | None = None
    grid: str | None = None
    compound: str | None = None
    unit: str | None = None
    worker: str | None = None

    @property
    def party(self) -> str:
        """Who deals with it: a unit, or the grid, whoever stands in there."""
        return f"unit:{self.unit}" if self.unit else f"grid:{self.grid}"


@dataclass(slots=True)
class Run:
    """A clock from a start to its stop. `due` is when it falls due, and never earlier than that was known.

    `broken_at` is set once it was missed and stays. `met` says that it stopped because what it waits for was done;
    otherwise the demand was taken out of these hands. `waived`: it stopped while the demand followed another one.
    """

    clock: str
    started: Mark
    due_at: datetime
    due_set: Mark
    where: Where
    stopped: Mark | None = None
    met: bool = False
    paused_at: datetime | None = None
    broken_at: datetime | None = None
    waived: bool = False

    @property
    def kind(self) -> str:
        return self.clock.partition(":")[0]

    @property
    def due(self) -> datetime:
        return max(self.due_at, self.due_set.at)


@dataclass(slots=True)
class Offer:
    """A task that was given to a grid or a unit, which may refuse it. `first`: the demand's first dispatch."""

    given: Mark
    where: Where
    first: bool = False
    answered: Mark | None = None
    result: str = ""


@dataclass(slots=True)
class Ending:
    """Something that began with `mark` and, perhaps, came to an end: a resolution, a closing, a visit to a meeting."""

    mark: Mark
    where: Where
    kind: str = ""
    ended: Mark | None = None
    result: str = ""


@dataclass(slots=True)
class Spell:
    """A task in somebody's hands, from when it came to when it left them; `done`: because the work was done."""

    begun: Mark
    where: Where
    ended: Mark | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    mark: Mark
    where: Where
    solved: str
    satisfied: str


@dataclass(slots=True)
class Facts:
    """Of one demand, as far as the log was read. `circles` are assignments back to somebody who had it before."""

    number: str
    opened: Mark | None = None
    where: Where = field(default_factory=Where)
    outcome: str | None = None
    runs: list[Run] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    tasks: list[tuple[Mark, Where]] = field(default_factory=list)
    contacted: list[Mark] = field(default_factory=list)
    accepted: list[Mark] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    resolutions: list[Ending] = field(default_factory=list)
    closings: list[Ending] = field(default_factory=list)
    visits: list[Ending] = field(default_factory=list)
    circles: list[Mark] = field(default_factory=list)
    handed_off: list[Mark] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
