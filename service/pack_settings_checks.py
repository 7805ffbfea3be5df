"""Cross-checks of what a district has settled: the category tree, routing, rotation, meetings."""

from __future__ import annotations

from domain.actors import Grant
from domain.district import District
from domain.policies import MeetingSettings, Rotation, RoutingRule
from domain.vocabulary import Role
from service.pack_findings import Findings

CATEGORIES, SLA = "categories.toml", "sla.toml"
MOST_CUTOFF_DAYS = 20  # the session before lies at least so far back, and a moved one shall not overtake it
ROUTING, ROTATION, MEETINGS = "routing.toml", "rotation.toml", "meetings.toml"


def check_settings(d: District, f: Findings) -> None:
    _check_tree(d, f)
    check_sla(d, f)
    check_routing(d, f)
    for rotation in d.rotations:
        _check_rotation(d, rotation, f)
    for community in d.directory.communities:
        if community not in d.directory.rotations:
            remedy = f'Add a rotation with community = "{community}"'
            f.add(ROTATION, f"rotations[{community}]", "is missing", remedy)
    for meeting in d.meetings:
        _check_meeting(d, meeting, f)
    for body in (*d.directory.communities, d.id):
        if body not in d.directory.meetings:
            f.add(MEETINGS, f"meetings[{body}]", "is missing", f'Add [[meetings]] with id = "{body}"')


def _check_tree(d: District, f: Findings) -> None:
    groups, leaves = d.directory.groups, d.directory.categories
    parents = {code[:-2] for code in (*groups, *leaves)}
    for code in leaves:
        if code in parents:
            f.add(CATEGORIES, f"leaves[{code}]", "a leaf has codes below it", "Make it a group, or move those codes")
    for code in groups:
        if code not in parents:
            f.add(CATEGORIES, f"groups[{code}]", "a group has nothing below it", "Add a leaf, or remove the group")
    for key, codes in (("groups", groups), ("leaves", leaves)):
        for code in codes:
            parent = code[:-2]
            if parent and parent not in groups:
                remedy = f"Add a group with code {parent}, or correct the code"
                f.add(CATEGORIES, f"{key}[{code}]", f"its parent {parent} is missing", remedy)


def check_sla(d: District, f: Findings) -> None:
    """What the promises say of categories; also asked of promises that are published while the product runs."""
    codes = d.directory.groups.keys() | d.directory.categories.keys()
    for ladder in d.sla.ladders:
        for code in ladder.when.categories if ladder.when else ():
            f.known(SLA, f"ladders[{ladder.id}].when.categories", code, codes, CATEGORIES)


def check_routing(d: District, f: Findings) -> None:
    """What the rules name; also asked of rules that are published while the product runs."""
    for rule in d.routing.rules:
        _check_rule(d, rule, f)


def _check_rule(d: District, rule: RoutingRule, f: Findings) -> None:
    key = f"rules[{rule.id}]"
    codes = d.directory.groups.keys() | d.directory.categories.keys()
    for code in rule.when.categories:
        f.known(ROUTING, f"{key}.when.categories", code, codes, CATEGORIES)
    places = d.directory.communities
    if rule.when.community is not None:
        if not f.known(ROUTING, f"{key}.when.community", rule.when.community, places, "communities.toml"):
            return
        places = {rule.when.community: places[rule.when.community]}
    if rule.to.unit is not None:
        if not f.known(ROUTING, f"{key}.to.unit", rule.to.unit, d.directory.units, "units.toml"):
            return
        missing = [c for c in places if c not in d.directory.units[rule.to.unit].communities]
        problem = f"{rule.to.unit} is no unit of {', '.join(missing)}"
        remedy = "Narrow the rule with when.community, or add the community to the unit"
    else:
        missing = [c for c in places if not d.units_of(c, rule.to.kind)]
        problem = f"{', '.join(missing)} has no {rule.to.kind}"
        remedy = "Narrow the rule with when.community, or add such a unit"
    if missing:
        f.add(ROUTING, f"{key}.to", problem, remedy)


def _check_rotation(d: District, rotation: Rotation, f: Findings) -> None:
    key = f"rotations[{rotation.community}]"
    if not f.known(ROTATION, f"{key}.community", rotation.community, d.directory.communities, "communities.toml"):
        return
    if rotation.starts_on.day != 1:
        f.add(ROTATION, f"{key}.starts_on", "a period begins on the first of a month", "Write the first of a month")
    f.unique(ROTATION, f"{key}.roster", rotation.roster, "unit")
    chair = Grant(role=Role.CHAIR, community=rotation.community)
    for id in rotation.roster:
        if not f.known(ROTATION, f"{key}.roster", id, d.directory.units, "units.toml"):
            continue
        unit = d.directory.units[id]
        if rotation.community not in unit.communities:
            f.add(ROTATION, f"{key}.roster", f"{id} is no unit of {rotation.community}", "Take it off the roster")
        liaison = d.directory.people.get(unit.liaison)
        if liaison is not None and chair not in liaison.grants:
            grant = f'{{ role = "chair", community = "{rotation.community}" }}'
            remedy = f"Grant {grant} to {liaison.id} in people.toml"
            f.add(ROTATION, f"{key}.roster", f"the liaison of {id} may not chair", remedy)


def _check_meeting(d: District, meeting: MeetingSettings, f: Findings) -> None:
    key = f"meetings[{meeting.id}]"
    bodies = {*d.directory.communities, d.id}
    if not f.known(MEETINGS, f"{key}.id", meeting.id, bodies, "communities.toml"):
        return
    if meeting.id == d.id and meeting.chair_source != "director":
        problem = "the subdistrict committee has no rotation and no secretary of a community"
        f.add(MEETINGS, f"{key}.chair_source", problem, 'Write chair_source = "director" and name the director')
    if meeting.chair_source == "director":
        _check_director(d, meeting, key, f)
    elif meeting.director is not None:
        remedy = 'Remove it, or write chair_source = "director"'
        f.add(MEETINGS, f"{key}.director", f"is not used with chair_source = {meeting.chair_source}", remedy)
    if meeting.schedule is not None and meeting.agenda_cutoff_days > MOST_CUTOFF_DAYS:
        problem = f"the agenda would close {meeting.agenda_cutoff_days} days ahead of a session every month"
        f.add(MEETINGS, f"{key}.agenda_cutoff_days", problem, f"Write {MOST_CUTOFF_DAYS} or less")
    members = len(d.directory.units_of.get(meeting.id, d.directory.communities))
    if meeting.quorum > members:
        problem = f"{meeting.quorum} cannot come together: there are {members} members"
        f.add(MEETINGS, f"{key}.quorum", problem, f"Write {members} or less")


def _check_director(d: District, meeting: MeetingSettings, key: str, f: Findings) -> None:
    if meeting.director is None:
        f.add(MEETINGS, f"{key}.director", "is missing", "Name the person who chairs")
    elif f.known(MEETINGS, f"{key}.director", meeting.director, d.directory.people, "people.toml"):
        scope = None if meeting.id == d.id else meeting.id
        grants = d.directory.people[meeting.director].grants
        if not any(g.role is Role.CHAIR and g.community == scope for g in grants):
            remedy = f"Grant the role chair to {meeting.director} in people.toml"
            f.add(MEETINGS, f"{key}.director", f"{meeting.director} may not chair", remedy)
