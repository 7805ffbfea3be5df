"""Whose hands a demand was in: tasks from when they were given to when they were done or went elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from domain.kpi_facts import Mark, Spell, Where

Data = dict[str, Any]


@dataclass(slots=True)
class Hands:
    """`lead` is the task of the grid or the lead unit, `parts` those of co-units, `kept` one that a merge put aside."""

    spells: list[Spell]
    lead: Spell | None = None
    parts: dict[str, Spell] = field(default_factory=dict)
    kept: Spell | None = None

    def take(self, mark: Mark, where: Where) -> Spell:
        spell = Spell(mark, where)
        self.spells.append(spell)
        return spell

    def end_lead(self, mark: Mark, *, done: bool = False) -> None:
        if self.lead is not None:
            self.lead.ended, self.lead.done = mark, done
            self.lead = None

    def end_part(self, unit: str, mark: Mark, *, done: bool = False) -> None:
        spell = self.parts.pop(unit, None)
        if spell is not None:
            spell.ended, spell.done = mark, done

    def moved(self, mark: Mark, where: Where) -> None:
        """Another place or category: what was in hand goes on there."""

        def on(spell: Spell) -> Spell:
            spell.ended = mark
            return self.take(mark, replace(where, unit=spell.where.unit, worker=spell.where.worker))

        if self.lead is not None:
            self.lead = on(self.lead)
        self.parts = {unit: on(spell) for unit, spell in self.parts.items()}


def _given(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.end_lead(mark)
    h.lead, h.kept = h.take(mark, where), None


def _given_back(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.end_lead(mark)
    h.kept = None


def _resolved(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    """Where the work was another demand's, nobody did this one."""
    h.end_lead(mark, done=not data.get("primary"))


def _closed(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    _given_back(h, data, mark, where)
    for unit in list(h.parts):
        h.end_part(unit, mark)


def _merged(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.kept = h.lead or h.kept
    h.end_lead(mark)


def _unmerged(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    if h.kept is not None:
        kept = h.kept.where
        h.lead, h.kept = h.take(mark, replace(where, unit=kept.unit, worker=kept.worker)), None


def _part_given(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    unit = data["co_unit"]["unit"]
    h.end_part(unit, mark)
    h.parts[unit] = h.take(mark, replace(where, unit=unit, worker=None))


def _part_done(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.end_part(data["unit"], mark, done=True)


def _part_ended(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.end_part(data["unit"], mark)


def _moved(h: Hands, data: Data, mark: Mark, where: Where) -> None:
    h.moved(mark, where)


HANDS: dict[str, Callable[[Hands, Data, Mark, Where], None]] = {
    "worker_assigned": _given,
    "unit_assigned": _given,
    "worker_refused": _given_back,
    "unit_refused": _given_back,
    "lead_swapped": _given_back,
    "sent_to_meeting": _given_back,
    "resolved": _resolved,
    "closed": _closed,
    "merged": _merged,
    "unmerged": _unmerged,
    "co_unit_asked": _part_given,
    "co_unit_done": _part_done,
    "co_unit_refused": _part_ended,
    "co_unit_released": _part_ended,
    "demand_located": _moved,
    "reclassified": _moved,
}
"""What each event changes; it is read after `where` was moved by it."""
