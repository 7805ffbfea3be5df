"""A figure: what ours does against what its floor does, pass by pass, and what was promised."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Side:
    """One pass of one side. `cpu_ms` is CPU per unit of work by part; `facts` are further numbers by name."""

    value: float
    cpu_ms: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One ratio. `at_least` tells whether more is better; without a target it is only told."""

    title: str
    unit: str
    ours: list[Side]
    floor: list[Side]
    target: float | None = None
    at_least: bool = True
    of_ours: bool = False  # the target speaks of our own value, not of the ratio

    @property
    def our_median(self) -> float:
        return median(side.value for side in self.ours)

    @property
    def floor_median(self) -> float:
        return median(side.value for side in self.floor)

    @property
    def ratio(self) -> float:
        """The median of the passes' own ratios: what a pass shares with its neighbour, noise too, falls out."""
        return median(o.value / f.value for o, f in zip(self.ours, self.floor, strict=True))

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        judged = self.our_median if self.of_ours else self.ratio
        return judged >= self.target if self.at_least else judged <= self.target


@dataclass(frozen=True)
class Figure:
    """`headline` is judged; `beside` is told too. `floor_is` and `ours_is` define the two sides in words."""

    name: str
    letter: str
    title: str
    ours_is: str
    floor_is: str
    headline: Line
    beside: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        return [self.headline, *self.beside]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    passes: int = 3
    lanes: int = 16
    intake_seconds: float = 4.0
    lives: int = 120
    lone_lives: int = 36
    open_demands: int = 2000
    counted: int = 24
    worktime_seconds: float = 0.5

    @classmethod
    def quick(cls, passes: int) -> Size:
        return cls(
            passes=passes, intake_seconds=1.5, lives=48, lone_lives=12, open_demands=300, counted=8,
            worktime_seconds=0.1,
        )  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
