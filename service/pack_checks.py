"""Cross-checks of a pack: every reference leads somewhere, every place and every role is filled.

Places and people here; units and settings in their own modules.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.actors import Grant
from domain.district import District
from domain.errors import ConfigError
from domain.geometry import crosses_itself, polygon
from domain.places import Compound, Grid
from domain.vocabulary import Role
from service.pack_files import Counts
from service.pack_findings import Findings
from service.pack_menu_checks import check_care_groups, check_menu
from service.pack_neighbour_checks import check_neighbours
from service.pack_notice_checks import check_notices
from service.pack_settings_checks import check_settings
from service.pack_unit_checks import check_units

GRIDS, COMPOUNDS, PEOPLE = "grids.geojson", "compounds.geojson", "people.toml"
DISTRICT_ROLES = (Role.SUPERVISOR, Role.OPERATOR, Role.ADMIN)
COMMUNITY_ROLES = (Role.COMMUNITY_SECRETARY, Role.OPERATOR)
SCOPE_OF_ROLE = {
    Role.GRID_WORKER: ("community", "grid"),
    Role.UNIT_LIAISON: ("unit",),
    Role.COMMUNITY_SECRETARY: ("community",),
}


def check_district(district: District) -> list[ConfigError]:
    """The same of a district that somebody has changed on purpose: whatever there is of everything is right."""
    return check_pack(district, Counts(**_counted(district)), district.id)


def check_pack(district: District, counts: Counts, pack: str) -> list[ConfigError]:
    """Every problem of a pack whose files are sound one by one."""
    findings = Findings(pack)
    _check_ids(district, findings)
    _check_counts(district, counts, findings)
    _check_places(district, findings)
    _check_people(district, findings)
    check_units(district, findings)
    check_settings(district, findings)
    check_menu(district, findings)
    check_care_groups(district, findings)
    check_notices(district, findings)
    check_neighbours(district, findings)
    return findings.problems


def _check_ids(d: District, f: Findings) -> None:
    f.unique("communities.toml", "communities", (c.id for c in d.communities))
    f.unique(GRIDS, "features", (g.id for g in d.grids))
    f.unique(COMPOUNDS, "features", (c.id for c in d.compounds))
    f.unique(COMPOUNDS, "features", (c.name for c in d.compounds), "name")
    f.unique("property-units.toml", "property_units", (p.id for p in d.property_units))
    f.unique("units.toml", "units", (u.id for u in d.units))
    f.unique("units.toml", "resources", (r.id for u in d.units for r in u.resources))
    f.unique(PEOPLE, "people", (p.id for p in d.people))
    f.unique("categories.toml", "codes", (c.code for c in (*d.category_groups, *d.categories)), "code")
    f.unique("routing.toml", "rules", (r.id for r in d.routing.rules))
    f.unique("rotation.toml", "rotations", (r.community for r in d.rotations), "community")
    f.unique("meetings.toml", "meetings", (m.id for m in d.meetings))
    f.unique("screening.toml", "rules", (s.id for s in d.screening))
    f.unique("screening.toml", "phrases", (p.casefold() for s in d.screening for p in s.phrases), "phrase")
    try:
        ZoneInfo(d.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        f.add("district.toml", "timezone", f"`{d.timezone}` is no time zone", "Write Asia/Shanghai")


def _check_counts(d: District, counts: Counts, f: Findings) -> None:
    for name, number in _counted(d).items():
        wanted = getattr(counts, name)
        if wanted != number:
            remedy = f"Bring back what is missing, remove what is too much, or write {name} = {number}"
            f.add("district.toml", f"counts.{name}", f"{wanted} are expected, {number} are there", remedy)


def _counted(d: District) -> dict[str, int]:
    return {
        "communities": len(d.communities),
        "grids": len(d.grids),
        "compounds": len(d.compounds),
        "property_units": len(d.property_units),
        "member_units": sum(u.kind == "member_unit" for u in d.units),
    }


def _check_places(d: District, f: Findings) -> None:
    for community in d.communities:
        if community.id not in d.directory.grids_of:
            remedy = f"Draw at least one polygon with community {community.id}"
            f.add(GRIDS, f"features[{community.id}]", "the community has no grid", remedy)
    sound = {grid.id for grid in d.grids if _sound_ring(grid, f)}
    for grid in d.grids:
        key = f"features[{grid.id}].properties"
        f.known(GRIDS, f"{key}.community", grid.community, d.directory.communities, "communities.toml")
        _check_workers(d, grid, f)
    for compound in d.compounds:
        _check_compound(d, compound, sound, f)


def _sound_ring(grid: Grid, f: Findings) -> bool:
    key = f"features[{grid.id}].geometry"
    if grid.ring[0] != grid.ring[-1]:
        f.add(GRIDS, key, "the polygon is not closed", "Repeat the first position at the end")
        return False
    shape = polygon(grid.ring)
    if shape.west == shape.east or shape.south == shape.north or crosses_itself(grid.ring):
        f.add(GRIDS, key, "the polygon crosses itself or has no area", "Draw the border once round, without a loop")
        return False
    return True


def _check_workers(d: District, grid: Grid, f: Findings) -> None:
    key = f"features[{grid.id}].properties"
    people = d.directory.people
    if f.known(GRIDS, f"{key}.duty_worker", grid.duty_worker, people, PEOPLE) and not any(
        g.role is Role.GRID_WORKER and g.community == grid.community and g.grid == grid.id
        for g in people[grid.duty_worker].grants
    ):
        grant = f'{{ role = "grid_worker", community = "{grid.community}", grid = "{grid.id}" }}'
        f.add(GRIDS, f"{key}.duty_worker", f"{grid.duty_worker} is not its grid worker", f"Grant {grant} in {PEOPLE}")
    if grid.substitute == grid.duty_worker:
        f.add(GRIDS, f"{key}.substitute", "nobody stands in for themselves", "Name another grid worker nearby")
    elif f.known(GRIDS, f"{key}.substitute", grid.substitute, people, PEOPLE):
        grants = people[grid.substitute].grants
        if not any(g.role is Role.GRID_WORKER and g.community == grid.community for g in grants):
            problem = f"{grid.substitute} is no grid worker of {grid.community}"
            f.add(GRIDS, f"{key}.substitute", problem, "Name a grid worker of the same community")


def _check_compound(d: District, compound: Compound, sound: set[str], f: Findings) -> None:
    key = f"features[{compound.id}]"
    f.known(COMPOUNDS, f"{key}.properties.community", compound.community, d.directory.communities, "communities.toml")
    if compound.property_unit is not None:
        managers = d.directory.property_units
        f.known(COMPOUNDS, f"{key}.properties.property_unit", compound.property_unit, managers, "property-units.toml")
    if not f.known(COMPOUNDS, f"{key}.properties.grid", compound.grid, d.directory.grids, GRIDS):
        return
    community = d.directory.grids[compound.grid].community
    if community != compound.community:
        problem = f"grid {compound.grid} belongs to {community}, not to {compound.community}"
        f.add(COMPOUNDS, f"{key}.properties.community", problem, f"Write {community}, or another grid")
    if compound.grid not in sound:
        return
    at = d.grid_at(compound.lat, compound.lon)
    if at is None or at.id != compound.grid:
        where = f"in grid {at.id}" if at else "outside every grid"
        problem = f"it lies {where}, not in {compound.grid}"
        f.add(COMPOUNDS, f"{key}.geometry", problem, "Correct the point (longitude first, WGS-84) or the grid")


def _check_people(d: District, f: Findings) -> None:
    for person in d.people:
        for n, grant in enumerate(person.grants):
            _check_grant(d, f"people[{person.id}].grants[{n}]", grant, f)
        for n, leave in enumerate(person.leave):
            if leave.ends_on is None or leave.ends_on < leave.starts_on:
                key = f"people[{person.id}].leave[{n}].until"
                f.add(PEOPLE, key, "the leave does not end after it begins", "Give a later date; a leave has an end")
    for role in DISTRICT_ROLES:
        if not d.people_with(role):
            f.add(PEOPLE, "people", f"nobody is {role} of the district", f'Grant {{ role = "{role}" }} to somebody')
    for community in d.communities:
        for role in COMMUNITY_ROLES:
            if not d.people_with(role, community=community.id):
                remedy = f'Grant {{ role = "{role}", community = "{community.id}" }} to somebody'
                f.add(PEOPLE, "people", f"nobody is {role} of {community.id}", remedy)


def _check_grant(d: District, key: str, grant: Grant, f: Findings) -> None:
    if grant.role is Role.SYSTEM:
        f.add(PEOPLE, f"{key}.role", "`system` is not a person's role", "Remove the grant")
    for scope in SCOPE_OF_ROLE.get(grant.role, ()):
        if getattr(grant, scope) is None:
            f.add(PEOPLE, f"{key}.{scope}", "is missing", f"A {grant.role} has a {scope}")
    if grant.community is not None:
        f.known(PEOPLE, f"{key}.community", grant.community, d.directory.communities, "communities.toml")
    if grant.grid is not None:
        f.known(PEOPLE, f"{key}.grid", grant.grid, d.directory.grids, GRIDS)
    if grant.unit is not None:
        f.known(PEOPLE, f"{key}.unit", grant.unit, d.directory.units, "units.toml")
