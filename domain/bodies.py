"""Who sits in a joint meeting: what it goes by, and who speaks for its members. Pure questions to a district."""

from __future__ import annotations

from domain.district import District
from domain.meeting import Meeting
from domain.session import Rules
from domain.vocabulary import Role


def body_of(district: District, meeting: str) -> Meeting:
    """The meeting as it begins: nothing on its agenda, no session called. Raises DomainError `unknown_meeting`."""
    rules = rules_of(district, meeting)
    if meeting == district.id:
        return Meeting(id=meeting, rules=rules)
    convener = district.people_with(Role.SUPERVISOR)[0].id
    return Meeting(id=meeting, scope=meeting, upper=district.id, upper_convener=convener, rules=rules)


def rules_of(district: District, meeting: str) -> Rules:
    """A community's members are its units; the committee's are the communities, for which their secretaries speak."""
    settings = district.meeting(meeting)
    if meeting == district.id:
        members = {one.id: district.secretary(one.id) for one in district.communities}
    else:
        members = {unit.id: unit.liaison for unit in district.units_of(meeting)}
    return Rules(quorum=settings.quorum, agenda_cutoff_days=settings.agenda_cutoff_days, members=members)
