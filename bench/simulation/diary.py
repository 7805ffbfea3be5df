"""What the API promised: every number it gave out, every action it confirmed, and whatever it should not have said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Confirmed:
    """An action that was answered 200: whoever reads the log later must find it there once."""

    number: str
    type: str
    actor: str


@dataclass(frozen=True)
class Turn:
    """Who was to chair a community's meetings from `since` on, and how that came about."""

    person: str
    unit: str
    how: str
    since: datetime


@dataclass
class Diary:
    """`accepted` is plan index -> number. `overtaken` counts refusals that a moving demand explains (403 and 409).

    `sessions` are the ids of those held, by meeting; `chairs` says, month for month, whose turn it was in a community.
    """

    accepted: dict[int, str] = field(default_factory=dict)
    confirmed: list[Confirmed] = field(default_factory=list)
    overtaken: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    said_twice: int = 0
    accepted_without_temporal: int = 0
    closed: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    sessions: dict[str, list[str]] = field(default_factory=dict)
    chairs: dict[str, list[Turn]] = field(default_factory=dict)

    def index_of(self, number: str) -> int | None:
        """Which plan a number belongs to; None for a demand that is not of this run."""
        return self._by_number.get(number)

    def take(self, index: int, number: str) -> None:
        """Note the number given for a plan."""
        self.accepted[index] = number
        if number in self._by_number:
            self.strange.append(f"{number} was given to two submissions: {self._by_number[number]} and {index}")
        self._by_number[number] = index

    _by_number: dict[str, int] = field(default_factory=dict)
