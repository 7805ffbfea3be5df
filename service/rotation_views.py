"""How the rotation looks in answers: chairs, turns of a year, changes, and turns that were handed over."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

from contracts.rotation import TurnTaken
from domain.rotation import Chair, Roster, Stretch, Turn, days
from domain.rotation_changes import Change
from service.desk import Desk
from service.views import View, instant, person_view, unit_view
from store.rosters import RosterChange

Days = dict[str, str | None]


def span(first: date | None, last: date | None) -> Days:
    """Both days included."""
    return {"from": first.isoformat() if first else None, "until": last.isoformat() if last else None}


def chair_view(desk: Desk, chair: Chair) -> View:
    """The person, with the unit they sit for; `period` is that of the unit `whose` turn it is."""
    person = person_view(desk, chair.person)
    assert person is not None
    return {
        **person, "unit": unit_view(desk, chair.unit), "how": chair.how, "whose": unit_view(desk, chair.whose),
        "period": span(chair.period_from, chair.period_until) if chair.period_from else None, "change": chair.change,
    }  # fmt: skip


def stretch_view(desk: Desk, stretch: Stretch) -> View:
    return {**span(stretch.starts_on, stretch.ends_on), **chair_view(desk, stretch.chair)}


def turn_view(desk: Desk, turn: Turn, today: date) -> View:
    """One period of the calendar: who has it, who was passed over, and who chairs on which of its days."""
    state = "past" if turn.period_until < today else "ahead" if turn.period_from > today else "now"
    passed = [{"unit": unit_view(desk, unit), "change": change} for unit, change in turn.passed]
    marks = {s.chair.how for s in turn.stretches} | ({"swap"} if turn.swap is not None else set())
    marked = sorted(marks - {"rotation"} | ({"skip"} if passed else set()))
    return {
        **span(turn.period_from, turn.period_until), "unit": unit_view(desk, turn.unit), "state": state,
        "marks": marked, "swap": turn.swap, "skipped": passed,
        "chairs": [stretch_view(desk, stretch) for stretch in turn.stretches],
    }  # fmt: skip


def change_view(desk: Desk, change: RosterChange, void: str | None = None) -> View:
    """`void` says why a change has no effect any more."""
    return {
        "id": change.entry.id, **_said(desk, change.entry.change), "reason": change.reason,
        "made_by": person_view(desk, change.made_by), "made_at": instant(change.made_at),
        "revoked_by": person_view(desk, change.revoked_by), "revoked_at": instant(change.revoked_at), "void": void,
    }  # fmt: skip


def _said(desk: Desk, change: Change) -> View:
    said: dict[str, Any] = change.model_dump(mode="json", by_alias=True)
    for name in ("unit", "with_unit", "by_unit"):
        if name in said:
            said[name] = unit_view(desk, said[name])
    for name in ("by_person", "person"):
        if name in said:
            said[name] = person_view(desk, said[name])
    return said


def taken_view(desk: Desk, turn: TurnTaken, *, inside: bool) -> View:
    """A turn that was handed over; which items were open is for those who work with them."""
    told = {
        **span(turn.period_from, turn.period_until), "unit": unit_view(desk, turn.unit),
        "chair": person_view(desk, turn.person), "how": turn.how, "handed_over_at": instant(turn.handed_over_at),
        "open_items": turn.open_items,
    }  # fmt: skip
    return {**told, "agenda": list(turn.agenda), "projects": list(turn.projects)} if inside else told


def moves(desk: Desk, before: Roster, after: Roster, first: date, last: date) -> list[View]:
    """The stretches of days from `first` to `last` on which somebody else chairs than before."""
    told = []
    for (old, new), group in groupby(days(first, last), key=lambda day: (before.chair_on(day), after.chair_on(day))):
        together = list(group)
        if (old.unit, old.person) != (new.unit, new.person):
            stretch = Stretch(together[0], together[-1], new)
            told.append({**stretch_view(desk, stretch), "before": chair_view(desk, old)})
    return told
