"""Two-way match of the lists: which units' resources meet a demand, which resource an open task takes. Pure.

A match is advice for people; the decision that a demand really follows is made in `domain/dispatch.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.units import Resource, Unit

Reason = Literal["leads_it", "had_it_before", "menu", "steward", "free", "full", "expired", "not_yet"]
"""正在承办 · 曾经承办 · 点选服务的提供者 · 包联本网格 · 有余量 · 已满负荷 · 资源已到期 · 资源未生效."""


@dataclass(frozen=True, slots=True)
class Match:
    """A unit whose resource list speaks of the category. `fits`: it could take the demand today.

    `capacity` is what its valid resources allow, `load` all its open tasks but this one.
    """

    unit: Unit
    resources: tuple[Resource, ...]
    fits: bool
    reasons: tuple[Reason, ...]
    capacity: int
    load: int

    @property
    def free(self) -> int:
        return max(0, self.capacity - self.load)


@dataclass(frozen=True, slots=True)
class About:
    """What a match looks at of the demand: its category, the local date, and who has to do with it already."""

    category: str
    on: date
    lead: str | None = None
    past: tuple[str, ...] = ()
    steward: str | None = None
    provider: str | None = None


def matches(units: Iterable[Unit], about: About, loads: Mapping[str, int]) -> list[Match]:
    """Those that could take it first: who provides the service asked for, then the steward, then the freest.

    After them those that cannot, with the reason why.
    """
    found = [m for unit in units if (m := _match(unit, about, loads.get(unit.id, 0))) is not None]
    return sorted(found, key=_order)


def _match(unit: Unit, about: About, load: int) -> Match | None:
    speaking = tuple(r for r in unit.resources if about.category.startswith(r.categories))
    provides = unit.id == about.provider
    if not speaking and not provides:
        return None
    valid = tuple(r for r in speaking if r.covers(about.category, about.on))
    capacity = sum(r.capacity for r in valid)
    reasons: list[Reason] = []
    if unit.id == about.lead:
        reasons.append("leads_it")
    elif unit.id in about.past:
        reasons.append("had_it_before")
    if provides:
        reasons.append("menu")
    if unit.id == about.steward:
        reasons.append("steward")
    if valid:
        reasons.append("free" if capacity > load else "full")
    elif speaking:
        reasons.append("expired" if any(r.valid_from <= about.on for r in speaking) else "not_yet")
    fits = unit.id not in (about.lead, *about.past) and (provides or capacity > load)
    return Match(unit, speaking, fits, tuple(reasons), capacity, load)


def _order(m: Match) -> tuple[bool, bool, bool, float, str]:
    share = m.free / m.capacity if m.capacity else 0.0
    return not m.fits, "menu" not in m.reasons, "steward" not in m.reasons, -share, m.unit.id


@dataclass(frozen=True, slots=True)
class Use:
    """What a unit's open tasks take of its resources: `of` by resource id; `other` tasks are covered by none of them."""

    of: Mapping[str, int]
    other: int


def use_of(unit: Unit, categories: Sequence[str], on: date) -> Use:
    """Each task takes one place of one resource that covers it: the choosiest tasks first, each the one with most room."""
    of = {r.id: 0 for r in unit.resources}
    choices = [unit.resources_for(category, on) for category in sorted(categories)]
    for fitting in sorted((c for c in choices if c), key=len):
        taken = max(fitting, key=lambda r: r.capacity - of[r.id])
        of[taken.id] += 1
    return Use(of, sum(not c for c in choices))
