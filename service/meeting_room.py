"""A session as those who sit in it see it: its agenda with what each item is about, what was put aside, who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain import roles
from domain.actors import Actor
from domain.bodies import body_of, rules_of
from domain.demand import Demand
from domain.errors import DomainError
from domain.lifecycle import may_see
from domain.meeting import may_convene
from domain.needs import Need
from domain.session import EARLY, Session, SessionState, keeps_minutes, speaks_for
from domain.vocabulary import ClockName, Role
from service.desk import Desk
from service.meeting_views import line_view, member_name
from service.sessions import chair_now
from service.views import View, instant, person_view
from store import meeting_room as storing
from store import meetings

MOST_ITEMS = 200


async def agenda(desk: Desk, actor: Actor, meeting: str, session: Session | None) -> list[View]:
    """What waits for a decision, the hottest first, `late` as `session` sees it, each with what it is about.

    Raises DomainError `not_permitted` for residents, `unknown_meeting`.
    """
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    lines = await meetings.agenda(desk.pool, meeting, desk.now(), after=None, limit=MOST_ITEMS)
    about = await abouts(desk, actor, [one.number for one in lines])
    return [{**line_view(desk, one, session), "about": about.get(one.number)} for one in lines]


async def abouts(desk: Desk, actor: Actor, numbers: Iterable[str]) -> dict[str, View]:
    """What demands are about, by number. Where they lie is said of those that the caller may see."""
    found = await storing.demands(desk.pool, sorted(set(numbers)))
    return {number: _about(desk, actor, demand) for number, demand in found.items()}


def _about(desk: Desk, actor: Actor, demand: Demand) -> View:
    d, seen = desk.district.directory, may_see(demand, actor)
    category = d.categories.get(demand.category)
    resolve = demand.clocks.get(ClockName.RESOLVE)
    place = demand.place if seen else None
    compound = d.compounds.get(place.compound) if place and place.compound else None
    grid = d.grids.get(place.grid) if place else None
    return {
        "number": demand.number, "seen": seen, "code": demand.category,
        "category": category.name if category else demand.category,
        "where": " ".join(one.name for one in (grid, compound) if one is not None) or None,
        "reporters": 1 + len(demand.followers), "opened_at": instant(demand.opened_at),
        "due_at": instant(resolve.due_at) if resolve and resolve.running else None, "breached": demand.breached,
        "refusals": demand.unit_refusals,
    }  # fmt: skip


async def resting(desk: Desk, actor: Actor, meeting: str) -> list[View]:
    """What this meeting put aside, with its review date, and what waits for the approval of a final reply.

    Raises as `agenda` does."""
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    found = await storing.resting(desk.pool, meeting)
    views = []
    for one in found:
        review = one.clocks.get(ClockName.REVIEW)
        rest = {
            "review_at": instant(review.due_at) if one.shelved and review else None,
            "proposed_by": person_view(desk, one.proposed_by), "shelved": one.shelved,
        }  # fmt: skip
        views.append({**_about(desk, actor, one), **rest})
    return sorted(views, key=lambda view: (view["review_at"] or "", view["number"]))


# ---- who may do what


def members(desk: Desk, meeting: str, session: Session | None) -> list[View]:
    """Who is expected there, with who speaks for them: the meeting's members, or whom the whistle names."""
    named = session.whistle.units if session and session.whistle else rules_of(desk.district, meeting).members
    return [
        {"id": unit, "name": member_name(desk.district, unit) or unit, "liaison": person_view(desk, liaison)}
        for unit, liaison in named.items()
    ]


def is_member(desk: Desk, actor: Actor, meeting: str) -> bool:
    """Whether the caller belongs to this meeting: by an office over its place, or for a unit (a community) that sits in it."""
    scope = None if meeting == desk.district.id else meeting
    offices = (Role.CHAIR, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR, Role.AUDITOR)
    sits = rules_of(desk.district, meeting).members
    return (
        any(g.role in offices and g.unit is None and g.community in (None, scope) for g in actor.grants)
        or any(g.role is Role.CHAIR and g.community == scope for g in actor.grants)
        or any(actor.id == liaison or speaks_for(actor, unit) for unit, liaison in sits.items())
    )


def convenes(desk: Desk, actor: Actor, meeting: str) -> bool:
    return may_convene(body_of(desk.district, meeting), actor)


def permitted(desk: Desk, actor: Actor, meeting: str, session: Session) -> dict[str, Any]:
    """What the caller may do with a session now: `open`, `name_chair`, `attend` (for which units), `consent`, `decide`,
    `close`. The meeting judges again when it is done."""
    scope = None if meeting == desk.district.id else meeting
    chair = session.chair or _chair(desk, meeting)
    keeps = session.may_keep_list(actor, scope) or (chair is not None and actor.id == chair.person)
    is_open, ended = session.state is SessionState.OPEN, session.state is SessionState.CLOSED
    at_hand = desk.now() >= session.starts_at - EARLY
    called = {one["id"]: one["liaison"] for one in members(desk, meeting, session)}
    mine = [
        unit
        for unit, liaison in called.items()
        if keeps or speaks_for(actor, unit) or (liaison and liaison["id"] == actor.id)
    ]
    may_attend = not ended and (at_hand or session.whistle is not None)
    here = {one.unit for one in session.present}
    return {
        "open": keeps and not is_open and not ended and at_hand,
        "name_chair": keeps_minutes(actor, scope) and not is_open and not ended and at_hand,
        "keeps": keeps, "at_hand": at_hand,
        "attend": [unit for unit in mine if unit not in here] if may_attend else [],
        "consent": is_open and session.chair is not None and session.chair.person == actor.id,
        "decide": is_open and keeps, "close": not ended and (keeps or (actor.id == session.called_by and not is_open)),
    }  # fmt: skip


def _chair(desk: Desk, meeting: str) -> Any:
    try:
        return chair_now(desk, meeting)
    except DomainError:
        return None


def may_chair(desk: Desk, meeting: str) -> list[View]:
    """Who can be named to chair a session this once."""
    scope = None if meeting == desk.district.id else meeting
    people = desk.district.people_with(Role.CHAIR, community=scope) if scope else desk.district.people_with(Role.CHAIR)
    return [{"id": one.id, "name": one.name} for one in people if one.actor.has(Role.CHAIR, community=scope)]
