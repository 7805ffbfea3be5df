"""The rotating chair: who chairs, the calendar of a year, and changing it. Changes are entered and revoked, never edited."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from domain import roles, rotation
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.rotation import Chair, Roster, roster_of
from domain.rotation_admission import admit, check_revocable
from domain.rotation_changes import Change, Entry, Override, Substitute
from domain.vocabulary import Role
from service.desk import UNAVAILABLE, Desk
from service.places import local_date
from service.repeats import Answered, Asked, other_body
from service.rotation_forms import ChangeForm, change_of
from service.rotation_rosters import Rosters, rosters_of
from service.rotation_views import chair_view, change_view, moves, stretch_view, taken_view, turn_view
from service.views import View, unit_view
from store import rosters
from store.rosters import Changing, RosterChange

CHAIRING = (Role.CHAIR, Role.COMMUNITY_SECRETARY)
PAST_TURNS = 60
LOOKS_AHEAD = timedelta(days=366)


# ---- who chairs


async def chair_of(desk: Desk, meeting: str, at: datetime) -> Chair:
    """Who chairs the meeting at that instant, by the register as it stands in the database: for opening a session.

    Raises DomainError `unknown_meeting`.
    """
    desk.district.meeting(meeting)
    entries = await rosters.entries(desk.pool, meeting)
    return rotation.chair_of(desk.district, meeting, entries, local_date(at, desk.district))


def chair_now(desk: Desk, meeting: str, at: datetime) -> Chair:
    """The same from memory, some seconds old: for showing it."""
    entries = {meeting: _entries(desk.rosters.get(meeting, ()))}
    return rotation.chair_of(desk.district, meeting, entries, local_date(at, desk.district))


def unit_on(desk: Desk, community: str, on: date) -> str:
    """The unit that sits in the chair on that local date, from memory: for plans. Raises DomainError `unknown_community`."""
    chair = _roster(desk, community).chair_on(on)
    assert chair.unit is not None, "a rotation always has a unit"
    return chair.unit


def overview(desk: Desk) -> list[View]:
    """Of each community: who chairs today and until which day, and whose turn is next."""
    today = local_date(desk.now(), desk.district)
    return [
        {"community": c.id, "name": c.name, **_now(desk, _from_memory(desk, c.id), today)}
        for c in desk.district.communities
    ]


def _now(desk: Desk, all_rosters: Rosters, today: date) -> View:
    roster = all_rosters.on(today)
    sources = {m.id: m.chair_source for m in desk.district.meetings}
    chair = roster.chair_on(today)
    turns = roster.turns(today, today)  # none before the rotation begins
    stretch = next((s for turn in turns for s in turn.stretches if s.starts_on <= today <= s.ends_on), None)
    after = turns[0].period_until + timedelta(days=1) if turns else roster.periods.starts_on
    (following,) = all_rosters.turns(after, after)
    return {
        "period": roster.rotation.period, "chair_source": sources.get(roster.rotation.community),
        "chair": stretch_view(desk, stretch) if stretch else chair_view(desk, chair),
        "next": {"unit": unit_view(desk, following.unit), **stretch_view(desk, following.stretches[0])},
    }  # fmt: skip


async def community(desk: Desk, actor: Actor, id: str, year: int | None) -> View:
    """The calendar of a year with its marks, and the turns that were handed over, newest first.

    Reasons, and what was open at a turn, are for those who work with it. Raises DomainError `not_found`.
    """
    _must_rotate(desk, id)
    found = (await rosters.changes(desk.pool, id)).get(id, ())
    all_rosters = rosters_of(desk, id, _entries(found))
    today = local_date(desk.now(), desk.district)
    calendar = all_rosters.turns(date(year or today.year, 1, 1), date(year or today.year, 12, 31))
    inside = roles.holds(actor, Need.SEE_INSIDE)
    view = {
        "community": id, "name": desk.district.community(id).name, **_now(desk, all_rosters, today),
        "roster": [unit_view(desk, unit) for unit in all_rosters.on(today).rotation.roster],
        "year": year or today.year, "turns": [turn_view(desk, turn, today) for turn in calendar],
        "past": [taken_view(desk, t, inside=inside) for t in await rosters.turns(desk.pool, id, limit=PAST_TURNS)],
    }  # fmt: skip
    if inside:
        view["changes"] = [change_view(desk, c, all_rosters.void.get(c.entry.id)) for c in reversed(found)]
        view["may_change"] = _may_change(actor, id)
    return view


# ---- changing it


async def enter(desk: Desk, actor: Actor, id: str, form: ChangeForm, key: str | None) -> Answered:
    """Enter a change; answers with it and with who chairs instead of whom in the year ahead.

    Raises DomainError: `not_found`, `not_permitted`, `outside_scope`, `unknown_person`, `may_not_chair`,
    `idempotency_key_reused`, and what `domain.rotation_admission.admit` refuses.
    """
    _must_change(desk, actor, id)
    change = change_of(form)
    _check_person(desk, id, change)

    async def work(register: Changing, now: datetime) -> tuple[int, View]:
        all_rosters = rosters_of(desk, id, _entries(await register.changes()))
        before, today = all_rosters.of_change(change), local_date(now, desk.district)
        admit(before, change, today)
        number = await register.insert(change, reason=form.reason, by=actor.id, at=now)
        made = next(c for c in await register.changes() if c.entry.id == number)
        after = Roster(before.rotation, before.bench, (*before.entries, made.entry))
        told = moves(desk, before, after, *_looked_at(all_rosters, before, today))
        return number, {**change_view(desk, made), "moves": told}

    return await _answer(desk, actor, id, key, f"enter {form.model_dump_json(by_alias=True)}", work)


async def revoke(desk: Desk, actor: Actor, id: str, change: int, key: str | None) -> Answered:
    """Take a change back; one that was revoked before stays as it is.

    Raises DomainError like `enter`, and what `domain.rotation_admission.check_revocable` refuses.
    """
    _must_change(desk, actor, id)

    async def work(register: Changing, now: datetime) -> tuple[int, View]:
        found = {c.entry.id: c for c in await register.changes()}
        if change not in found:
            raise DomainError("not_found", "This rotation has no such change.")
        told = []
        if found[change].revoked_at is None:
            all_rosters = rosters_of(desk, id, _entries(tuple(found.values())))
            before, today = all_rosters.of_change(found[change].entry.change), local_date(now, desk.district)
            check_revocable(before, change, today)
            await register.revoke(change, by=actor.id, at=now)
            after = Roster(before.rotation, before.bench, _entries(await register.changes()))
            told = moves(desk, before, after, *_looked_at(all_rosters, before, today))
        left = next(c for c in await register.changes() if c.entry.id == change)
        return change, {**change_view(desk, left), "moves": told}

    return await _answer(desk, actor, id, key, f"revoke {change}", work)


def _looked_at(all_rosters: Rosters, roster: Roster, today: date) -> tuple[date, date]:
    """The year ahead, as far as this roster counts; it may begin later."""
    begins, ends = all_rosters.span(roster)
    first = max(today, begins or today)
    return first, min(first + LOOKS_AHEAD, ends or date.max)


Work = Callable[[Changing, datetime], Awaitable[tuple[int, View]]]


async def _answer(desk: Desk, actor: Actor, id: str, key: str | None, said: str, work: Work) -> Answered:
    """Do the work once for a key; a repetition, also one at the same time, gets the first answer."""
    asked = Asked(desk, actor, key, f"rotation {id} {said}")
    before = await asked.repetition()
    if before is not None:
        return before
    try:
        answer = await _done(desk, id, asked, work)
    except DomainError:
        before = await asked.repetition()  # it may have been this very request, sent twice
        if before is None:
            raise
        return before
    with contextlib.suppress(*UNAVAILABLE):  # it is entered; what is not read now, the desk reads in a moment
        await desk.look_at_rosters()
    return answer


async def _done(desk: Desk, id: str, asked: Asked, work: Work) -> Answered:
    async with rosters.changing(desk.pool, id) as register:
        number, view = await work(register, desk.now())
        body = json.dumps(view, ensure_ascii=False)
        if not await asked.keep(register.connection, str(number), body):
            raise other_body()
    return Answered(str(number), body)


# ---- who may


def _may_change(actor: Actor, community: str) -> bool:
    return roles.may(actor, Need.CHANGE_ROTATION, community=community)


def _must_change(desk: Desk, actor: Actor, community: str) -> None:
    _must_rotate(desk, community)
    roles.must(actor, Need.CHANGE_ROTATION, community=community)


def _check_person(desk: Desk, community: str, change: Change) -> None:
    """Who is named must be able to decide: a chair or the secretary of this community."""
    named = None
    if isinstance(change, Substitute):
        named = change.by_person
    elif isinstance(change, Override):
        named = change.person
    if named is not None and not any(desk.district.person(named).actor.has(r, community=community) for r in CHAIRING):
        rule = "This person may not chair here. Name the liaison of a unit on the roster, or the community's secretary."
        raise DomainError("may_not_chair", rule, person=named)


def _must_rotate(desk: Desk, community: str) -> None:
    if community not in desk.district.directory.rotations:
        raise DomainError("not_found", "No community with this id has a rotation.")


def _from_memory(desk: Desk, community: str) -> Rosters:
    """From memory, some seconds old."""
    return rosters_of(desk, community, _entries(desk.rosters.get(community, ())))


def _roster(desk: Desk, community: str) -> Roster:
    return roster_of(desk.district, community, _entries(desk.rosters.get(community, ())))


def _entries(changes: tuple[RosterChange, ...]) -> tuple[Entry, ...]:
    return tuple(change.entry for change in changes)
