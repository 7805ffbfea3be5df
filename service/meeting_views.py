"""How meetings, their sessions and the lines of their agendas look to a caller."""

from __future__ import annotations

from datetime import datetime

from domain.district import District
from domain.policies import MeetingSettings
from domain.session import Chair, Session, SessionKind, SessionState
from service.desk import Desk
from service.views import View, instant, person_view, unit_view
from store.meetings import Line


def meeting_view(desk: Desk, m: MeetingSettings, *, chair: Chair, ahead: list[Session], open_items: int) -> View:
    """`next_session` is the one that is open, else the next one that is called; whistles stand apart."""
    following = [one for one in ahead if one.kind is not SessionKind.WHISTLE]
    return {
        "id": m.id, "name": m.name, "name_en": m.name_en, "cadence": m.cadence,
        "schedule": m.schedule.model_dump() if m.schedule else None, "agenda_cutoff_days": m.agenda_cutoff_days,
        "quorum": m.quorum, "chair_source": m.chair_source, "chair": chair_view(desk, chair), "open_items": open_items,
        "next_session": session_view(desk, m.id, following[0]) if following else None,
        "open_session": next((one.id for one in ahead if one.state is SessionState.OPEN), None),
        "whistles": [one.id for one in ahead if one.kind is SessionKind.WHISTLE],
    }  # fmt: skip


def outside_view(view: View) -> View:
    """A meeting without the numbers of demands, which stand in its agenda."""
    said = view["next_session"]
    session = None if said is None else {**said, "consented": None, "rolled_over": None, "whistle": None}
    return {**view, "next_session": session, "whistles": None}


def chair_view(desk: Desk, chair: Chair | None) -> View | None:
    """A person, with the unit that chairs and why it is this one."""
    person = person_view(desk, chair.person) if chair else None
    if person is None or chair is None:
        return None
    return {**person, "unit": unit_view(desk, chair.unit), "how": chair.how}


def member_name(district: District, member: str) -> str | None:
    """A unit's, or in the committee a community's."""
    for table in (district.directory.units, district.directory.communities):
        if member in table:
            return table[member].name
    return None


def session_view(desk: Desk, meeting: str, s: Session) -> View:
    return {
        "id": s.id, "meeting": meeting, "kind": s.kind, "state": s.state,
        "called_at": instant(s.called_at), "called_by": person_view(desk, s.called_by),
        "starts_at": instant(s.starts_at), "cutoff_at": instant(s.cutoff_at),
        "opened_at": instant(s.opened_at), "closed_at": instant(s.closed_at),
        "chair": chair_view(desk, s.chair), "quorum": s.quorum, "has_quorum": s.has_quorum,
        "present": [
            {"unit": _member_view(desk, one.unit), "at": instant(one.at), "said_by": person_view(desk, one.person)}
            for one in s.present
        ],
        "consented": [visit.partition("#")[0] for visit in s.consented],
        "decided": s.decided, "rolled_over": list(s.rolled_over), "whistle": _whistle_view(desk, s),
    }  # fmt: skip


def _member_view(desk: Desk, member: str) -> View:
    return {"id": member, "name": member_name(desk.district, member)}


def _whistle_view(desk: Desk, s: Session) -> View | None:
    w = s.whistle
    if w is None:
        return None
    arrived = {one.unit: one.at for one in s.present}
    return {
        "about": w.about, "numbers": list(w.numbers), "deadline_at": instant(w.deadline_at),
        "mustered_at": instant(w.mustered_at),
        "units": [
            {
                **_member_view(desk, unit), "liaison": person_view(desk, liaison),
                "arrived_at": instant(arrived.get(unit)), "absent_at": instant(_missing_at(s, unit)),
            }
            for unit, liaison in w.units.items()
        ],
    }  # fmt: skip


def _missing_at(s: Session, unit: str) -> datetime | None:
    return s.whistle.mustered_at if s.whistle and unit in s.whistle.absent else None


def line_view(desk: Desk, line: Line, session: Session | None) -> View:
    """A line of the agenda (of `session`, the one that is open or comes next) or, once it has ended, of the minutes."""
    late = line.late
    if line.ended_at is None and session is not None:
        late = not session.admits(line.number, line.turn, line.asked_at)
    return {
        "number": line.number, "turn": line.turn, "community": line.community, "reason": line.reason,
        "heat": line.heat, "rolls": line.rolls, "late": late, "consented": line.consented,
        "asked_at": instant(line.asked_at), "ended_at": instant(line.ended_at), "kind": line.kind,
        "session": line.session, "chair": person_view(desk, line.chair),
        "recorded_by": person_view(desk, line.recorded_by), **_decision_view(desk, line),
    }  # fmt: skip


def _decision_view(desk: Desk, line: Line) -> View:
    d = line.decision
    if d is None:
        return {}
    return {
        "lead": unit_view(desk, d.lead.unit if d.lead else None),
        "co_units": [{"unit": unit_view(desk, one.unit), "required": one.required} for one in d.co_units],
        "due_at": instant(d.due_at),
        "review_at": instant(d.review_at), "project": d.project,
        "milestones": [instant(at) for at in d.milestones],
        "ruling": {"category": d.ruling.category, "until": instant(d.ruling.until)} if d.ruling else None,
    }  # fmt: skip
