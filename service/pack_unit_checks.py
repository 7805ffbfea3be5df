"""Cross-checks of units, their resources and their stewardships."""

from __future__ import annotations

from itertools import pairwise

from domain.district import District
from domain.units import COMMUNITY_KINDS, Retirement, Stewardship, Unit
from domain.vocabulary import Role
from service.pack_findings import Findings

UNITS, STEWARDSHIPS = "units.toml", "stewardships.toml"


def check_units(d: District, f: Findings) -> None:
    codes = d.directory.groups.keys() | d.directory.categories.keys()
    for unit in d.units:
        _check_unit(d, unit, codes, f)
    for community in d.communities:
        for kind in COMMUNITY_KINDS:
            if not d.units_of(community.id, kind):
                remedy = f'Add a unit with kind = "{kind}" and communities = ["{community.id}"]'
                f.add(UNITS, "units", f"{community.id} has no {kind}", remedy)
    for stewardship in d.stewardships:
        _check_stewardship(d, f"stewardships[{stewardship.grid}]", stewardship, f)
    for grid in d.grids:
        _check_turns(grid.id, d.directory.stewards_of.get(grid.id, ()), f)
    for unit in d.units:
        if unit.retired is not None:
            _check_retired(d, unit, unit.retired, f)


def _check_unit(d: District, unit: Unit, codes: set[str], f: Findings) -> None:
    key = f"units[{unit.id}]"
    for community in unit.communities:
        f.known(UNITS, f"{key}.communities", community, d.directory.communities, "communities.toml")
    people = d.directory.people
    if f.known(UNITS, f"{key}.liaison", unit.liaison, people, "people.toml") and not any(
        g.role is Role.UNIT_LIAISON and g.unit == unit.id for g in people[unit.liaison].grants
    ):
        grant = f'{{ role = "unit_liaison", unit = "{unit.id}" }}'
        f.add(UNITS, f"{key}.liaison", f"{unit.liaison} is not its liaison", f"Grant {grant} in people.toml")
    for resource in unit.resources:
        for code in resource.categories:
            f.known(UNITS, f"{key}.resources[{resource.id}].categories", code, codes, "categories.toml")
        if resource.valid_until is not None and resource.valid_until < resource.valid_from:
            key_until = f"{key}.resources[{resource.id}].valid_until"
            f.add(UNITS, key_until, "it ends before it begins", "Give a date after valid_from")


def _check_retired(d: District, unit: Unit, retired: Retirement, f: Findings) -> None:
    """Nothing that is settled for the days to come may name a unit that takes nothing any more."""
    problem = f"{unit.id} is retired from {retired.on} on"
    for rule in d.routing.rules:
        if rule.to.unit == unit.id:
            f.add("routing.toml", f"rules[{rule.id}].to.unit", problem, "Name another unit in the rule")
    for turn in d.stewardships:
        if turn.unit == unit.id and (turn.ends_on is None or turn.ends_on > retired.on):
            f.add(STEWARDSHIPS, f"stewardships[{turn.grid}]", problem, "Name another steward from that day on")
    for rotation in d.rotations:
        if unit.id in rotation.roster:
            f.add("rotation.toml", f"rotations[{rotation.community}].roster", problem, "Take it off the roster")
    for service in d.menu:
        if unit.id in service.partners.values() or (service.to is not None and service.to.unit == unit.id):
            f.add("menu.toml", f"services[{service.id}]", problem, "Let another unit provide the service")
    if retired.hand_over_to is not None:
        _check_successor(d, unit, retired.hand_over_to, f)


def _check_successor(d: District, unit: Unit, successor: str, f: Findings) -> None:
    key = f"units[{unit.id}].retired.hand_over_to"
    if not f.known(UNITS, key, successor, d.directory.units, UNITS):
        return
    other = d.directory.units[successor]
    missing = [c for c in unit.communities if c not in other.communities]
    if other.retired is not None or successor == unit.id:
        f.add(UNITS, key, f"{successor} takes nothing itself any more", "Name a unit that is not retired")
    elif missing:
        problem = f"{successor} is no unit of {', '.join(missing)}"
        f.add(UNITS, key, problem, "Name a unit that works in all its communities")


def _check_stewardship(d: District, key: str, stewardship: Stewardship, f: Findings) -> None:
    unit = d.directory.units.get(stewardship.unit)
    grid = d.directory.grids.get(stewardship.grid)
    f.known(STEWARDSHIPS, f"{key}.unit", stewardship.unit, d.directory.units, UNITS)
    f.known(STEWARDSHIPS, f"{key}.grid", stewardship.grid, d.directory.grids, "grids.geojson")
    if unit and grid and grid.community not in unit.communities:
        problem = f"{unit.id} is no unit of {grid.community}, where {grid.id} lies"
        f.add(STEWARDSHIPS, f"{key}.unit", problem, f"Name a unit that has {grid.community} among its communities")
    if stewardship.ends_on is not None and stewardship.ends_on < stewardship.starts_on:
        f.add(STEWARDSHIPS, f"{key}.until", "it ends before it begins", "Give a date after `from`")


def _check_turns(grid: str, turns: tuple[Stewardship, ...], f: Findings) -> None:
    key = f"stewardships[{grid}]"
    if not turns:
        f.add(STEWARDSHIPS, key, "nobody stewards this grid", "Add a stewardship of a unit of its community")
    for earlier, later in pairwise(sorted(turns, key=lambda t: t.starts_on)):
        if earlier.ends_on is None or earlier.ends_on >= later.starts_on:
            problem = f"{earlier.unit} and {later.unit} steward it at the same time"
            f.add(STEWARDSHIPS, key, problem, f"End the first before {later.starts_on}")
