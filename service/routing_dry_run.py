"""What another set of routing rules would do: who would be asked first for the demands of the past, now and then.

Both sets are asked on the same terms: today's resources, stewardships, rulings and loads. So what differs comes from the
rules alone, and not from what has changed since a demand was routed. Nothing is written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from domain import roles
from domain.actors import Actor
from domain.commands import Place
from domain.dispatch import route
from domain.district import District
from domain.errors import DomainError
from domain.needs import Need
from domain.policies import RoutingRules
from domain.rulings import in_force
from service.desk import Desk
from service.pack_findings import invalid
from service.places import local_date
from service.routing_checks import check_rules
from service.views import View, unit_view
from store.past_demands import Past, past_demands

MOST_CLOSED = 10_000
BATCH = 200
EXAMPLES = 20

_Asked = tuple[str | None, str]
"""The unit that is asked first (None: the meeting decides), and for which reason."""


async def dry_run(desk: Desk, actor: Actor, rules: RoutingRules, *, days: int | None) -> View:
    """What would change for demands of the last `days`, or all open ones and the newest 10,000 closed ones.

    Raises DomainError: `not_permitted`, `publication_invalid` for rules that name what is not there.
    """
    roles.must(actor, Need.TRY_ROUTING)
    return await routing_impact(desk, rules, days=days)


async def routing_impact(desk: Desk, rules: RoutingRules, *, days: int | None = None) -> View:
    """The figures of a dry run. Raises DomainError `publication_invalid`."""
    problems, warnings = check_rules(desk.district, rules)
    if problems:
        raise invalid(problems)
    before = _Asking(desk, desk.district)
    tally = Tally(before, _Asking(desk, desk.district.model_copy(update={"routing": rules})))
    since = None if days is None else desk.now() - timedelta(days=days)
    async with past_demands(desk.pool, since=since, most_closed=MOST_CLOSED, batch=BATCH) as batches:
        async for batch in batches:
            for one in batch:
                tally.add(one)
            await asyncio.sleep(0)
    return {
        "routing": rules.version,
        "instead_of": desk.district.routing.version,
        "warnings": warnings,
        **tally.figures(desk, rules),
    }


class _Asking:
    """One set of rules with everything else as it is now; the same question is answered once."""

    def __init__(self, desk: Desk, district: District) -> None:
        now = desk.now()
        self._district = district
        self._on = local_date(now, district)
        self._loads = dict(desk.loads.units.loads)
        self._rulings = in_force(desk.rulings, now)
        self._known: dict[tuple[str, str, str | None], _Asked] = {}

    def first(self, one: Past) -> _Asked:
        asked = one.category, one.grid, one.compound
        found = self._known.get(asked)
        if found is None:
            found = self._known[asked] = self._route(one)
        return found

    def is_routed(self, one: Past) -> bool:
        """Whether rules have a say in it: above the grid by its category, or handed off by somebody."""
        return one.handed_off or self._district.category(one.category).handling_level != "grid"

    def _route(self, one: Past) -> _Asked:
        place = Place(
            community=one.community, grid=one.grid, compound=one.compound, worker="-", substitute="-", secretary="-"
        )
        routing = route(
            self._district, place=place, category=self._district.category(one.category), on=self._on, loads=self._loads,
            rulings=self._rulings,
        )  # fmt: skip
        return (routing.candidates[0].unit if routing.candidates else None), routing.rule


@dataclass
class Tally:
    """What differs between two sets of rules, counted over demands."""

    before: _Asking
    after: _Asking
    demands: int = 0
    still_open: int = 0
    not_routed: int = 0
    unknown: int = 0
    elsewhere: int = 0
    elsewhere_open: int = 0
    rules_before: Counter[str] = field(default_factory=Counter)
    rules_after: Counter[str] = field(default_factory=Counter)
    came_by: Counter[str] = field(default_factory=Counter)
    units_before: Counter[str | None] = field(default_factory=Counter)
    units_after: Counter[str | None] = field(default_factory=Counter)
    open_change: Counter[str | None] = field(default_factory=Counter)
    examples: list[tuple[Past, _Asked, _Asked]] = field(default_factory=list)

    def add(self, one: Past) -> None:
        try:
            if not self.before.is_routed(one):
                self.not_routed += 1
                return
            was, now = self.before.first(one), self.after.first(one)
        except DomainError:  # its category or place is no part of the district any more
            self.unknown += 1
            return
        self.demands += 1
        self.still_open += one.still_open
        self.units_before[was[0]] += 1
        self.units_after[now[0]] += 1
        self.rules_before[was[1]] += 1
        self.rules_after[now[1]] += 1
        if was[0] != now[0]:
            self._moved(one, was, now)

    def _moved(self, one: Past, was: _Asked, now: _Asked) -> None:
        self.elsewhere += 1
        self.elsewhere_open += one.still_open
        self.came_by[now[1]] += 1
        if one.still_open:
            self.open_change[was[0]] -= 1
            self.open_change[now[0]] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((one, was, now))

    def figures(self, desk: Desk, rules: RoutingRules) -> View:
        return {
            "demands": self.demands, "open_demands": self.still_open, "not_routed": self.not_routed,
            "unknown": self.unknown, "elsewhere": self.elsewhere, "elsewhere_open": self.elsewhere_open,
            "by_rule": self._by_rule(rules), "by_unit": self._by_unit(desk),
            "examples": [
                {
                    "number": one.number, "category": one.category, "community": one.community,
                    "open": one.still_open, "unit": unit_view(desk, one.unit),
                    "before": {"unit": unit_view(desk, was[0]), "rule": was[1]},
                    "after": {"unit": unit_view(desk, now[0]), "rule": now[1]},
                }
                for one, was, now in self.examples
            ],
        }  # fmt: skip

    def _by_rule(self, rules: RoutingRules) -> list[View]:
        """Each reason with how many demands it decides; the candidate's own rules first, also those that decide none."""
        own = [f"rule:{rule.id}" for rule in rules.rules]
        others = sorted((self.rules_before.keys() | self.rules_after.keys()) - set(own))
        return [
            {
                "rule": rule, "before": self.rules_before[rule], "after": self.rules_after[rule],
                "elsewhere": self.came_by[rule],
            }
            for rule in (*own, *others)
        ]  # fmt: skip

    def _by_unit(self, desk: Desk) -> list[View]:
        """Units for which something changes, most first; `open_change` is of demands that are open now."""
        units = self.units_before.keys() | self.units_after.keys()
        changes = {unit: self.units_after[unit] - self.units_before[unit] for unit in units}
        moved = [u for u in units if changes[u] or self.open_change[u]]
        return [
            {
                "unit": unit_view(desk, unit), "before": self.units_before[unit], "after": self.units_after[unit],
                "change": changes[unit], "open_change": self.open_change[unit],
            }
            for unit in sorted(moved, key=lambda u: (-abs(changes[u]), u or ""))
        ]  # fmt: skip
