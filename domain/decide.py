"""The decider: `decide(demand, act, now, calendar) -> events`, or a DomainError that says which rule refused.

Pure. The workflow calls it twice for a command (validator, handler) and must get the same answer; `now` comes from the
workflow's own clock. One function per command below; what several share is in `domain/turn.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain import co_units as co
from domain import commands as c
from domain import events as e
from domain import following, supervision
from domain.actors import Actor
from domain.asking import ask, attempted
from domain.demand import Demand
from domain.errors import DomainError
from domain.lifecycle import check
from domain.routing import Routing
from domain.rungs import ring
from domain.tasks import co_clocks
from domain.turn import HANDLING, Turn
from domain.vocabulary import ClockName, DecisionKind, Outcome, Satisfied, Solved, Stage
from domain.worktime import Calendar

UNHEARD = ("ring", "adopt_calendar")
"""Commands before which no bell is heard: what came under the calendar of before is not for a new one to tell."""


def decide(demand: Demand, act: c.Act, now: datetime, calendar: Calendar) -> list[e.Event]:
    """What happens when `act` is applied at `now` (aware).

    Raises DomainError when the table, a condition or the command's own rule refuses; then nothing happened.
    """
    return take_turn(demand, act, now, calendar).events


def take_turn(demand: Demand, act: c.Act, now: datetime, calendar: Calendar) -> Turn:
    """`decide`, with the demand that its events make; raises as that does."""
    turn = Turn(demand, now, calendar, act.actor)
    if act.command.type not in UNHEARD:
        ring(turn)  # a bell that has come is heard first, even where the timer and the command come together
    check(turn.demand, act.command.type, act.actor)
    if act.command.note_id and act.command.type != "note":
        turn.emit(e.NoteAdded(note_id=act.command.note_id))
    if act.command.file_ids and act.command.type != "attach":
        turn.emit(e.FilesAttached(file_ids=act.command.file_ids))
    _HANDLERS[act.command.type](turn, act.command)  # last: nothing follows the event that closes a demand
    return turn


def submit(
    submitted: e.DemandSubmitted,
    number: str,
    now: datetime,
    calendar: Calendar,
    *,
    place: c.Place | None,
    routing: Routing | None,
    screened: str | None,
    actor: Actor,
) -> Turn:
    """The first turn of a demand: screened and answered, located and assigned, or waiting for the dispatcher."""
    turn = Turn(Demand(number=number), now, calendar, actor)
    turn.emit(submitted)
    if screened is not None:
        turn.emit(e.DemandScreened(kind=screened))
        turn.close(Outcome.OUT_OF_SCOPE, f"screening:{screened}")
        return turn
    turn.start(ClockName.CONTACT)
    turn.start(ClockName.RESOLVE)
    if place is None:
        turn.start(ClockName.LOCATE)
    else:
        turn.place(place, routing)
    return turn


def _locate(t: Turn, cmd: c.Locate) -> None:
    t.place(cmd.place, cmd.routing)


def _accept(t: Turn, cmd: c.Accept) -> None:
    d = t.demand
    if d.stage is Stage.GRID and d.place and t.actor.id == d.place.substitute != d.holder:
        t.to_worker(t.actor.id, "substitute")  # whoever accepts it holds it
    t.emit(e.Accepted())
    t.stop(ClockName.ACCEPT, ClockName.REFUSAL_WINDOW)
    if t.demand.stage is Stage.UNIT and not t.demand.lead_bound and t.demand.unit:
        t.emit(e.UnitBound(unit=t.demand.unit, by="accepted"))


def _contact(t: Turn, cmd: c.Contact) -> None:
    t.emit(e.ReporterContacted())
    t.stop(ClockName.CONTACT)


def _note(t: Turn, cmd: c.Note) -> None:
    if cmd.note_id is None:
        raise DomainError("validation_failed", "A note needs a text: send `note`.", field="/note")
    t.emit(e.NoteAdded(note_id=cmd.note_id))


def _attach(t: Turn, cmd: c.Attach) -> None:
    if not cmd.file_ids:
        raise DomainError("validation_failed", "Name at least one uploaded file in `file_ids`.", field="/file_ids")
    t.emit(e.FilesAttached(file_ids=cmd.file_ids))


def _resolve(t: Turn, cmd: c.Resolve) -> None:
    if waiting := [task.unit for task in t.demand.co_tasks if task.open and task.required]:
        rule = "A co-unit's required part is still open. Wait for it, or take it back with `co_release`."
        raise DomainError("co_task_open", rule, units=waiting)
    if t.demand.terms.evidence and not cmd.file_ids:
        rule = "Matters of this category are shown to be done: send a photo or a document in `file_ids`."
        raise DomainError("evidence_required", rule, field="/file_ids")
    if not t.demand.accepted:
        _accept(t, c.Accept())
    t.release("left_units")
    t.stop(*HANDLING)
    t.emit(e.Resolved(reply_id=cmd.reply_id, outcome=Outcome(cmd.outcome), by=t.actor.id))
    t.start(ClockName.FOLLOW_UP)
    if not t.demand.awaiting_verification:
        ask(t)


def _hand_off(t: Turn, cmd: c.HandOff) -> None:
    if not t.demand.accepted:
        _accept(t, c.Accept())
    t.hand_off(cmd.routing)


def _refuse(t: Turn, cmd: c.Refuse) -> None:
    if (t.demand.stage is Stage.GRID) != (cmd.basis == "wrong_grid"):
        unit_bases = "not_our_duty, no_power, no_resources, other_unit_responsible"
        allowed = "wrong_grid" if t.demand.stage is Stage.GRID else unit_bases
        raise DomainError("basis_required", f"In stage {t.demand.stage} the basis is: {allowed}.", field="/basis")
    if t.demand.stage is Stage.UNIT:
        _refuse_as_unit(t, cmd)
    else:
        _refuse_as_worker(t, cmd)


def _refuse_as_worker(t: Turn, cmd: c.Refuse) -> None:
    if cmd.place and t.demand.place and cmd.place.grid == t.demand.place.grid:
        raise DomainError("unknown_place", "That is the grid it is in. Name another grid, or none.", field="/grid")
    t.emit(e.WorkerRefused(basis=cmd.basis))
    if t.demand.grid_refusals >= t.demand.terms.refusal_limit:
        t.to_meeting("refused_too_often")
    elif cmd.place is None:
        t.start(ClockName.LOCATE)
    else:
        t.emit(e.DemandLocated(place=cmd.place))
        t.emit(e.WorkerAssigned(person=cmd.place.worker, reason="wrong_grid"))


def _refuse_as_unit(t: Turn, cmd: c.Refuse) -> None:
    assert t.demand.unit is not None
    t.stop(ClockName.REFUSAL_WINDOW)
    t.emit(e.UnitRefused(unit=t.demand.unit, basis=cmd.basis))
    if t.demand.unit_refusals >= t.demand.terms.refusal_limit:
        t.to_meeting("refused_too_often")
    else:
        t.next_unit()


def _request_info(t: Turn, cmd: c.RequestInfo) -> None:
    t.emit(e.InfoRequested(reason=cmd.reason))
    t.pause(*HANDLING, *(co_clocks(task.unit)[1] for task in t.demand.co_tasks if task.open))
    t.start_if_promised(ClockName.PAUSE)


def _resume(t: Turn, cmd: c.Resume) -> None:
    t.run_on()


def _extend(t: Turn, cmd: c.Extend) -> None:
    clock = t.demand.clocks[ClockName.RESOLVE]
    if clock.due_at <= t.now:
        raise DomainError("stage_forbids", "An extension is asked for before the time has run out.", clock="resolve")
    t.emit(e.ExtensionRequested(working_days=cmd.working_days, basis=cmd.basis))


def _decide_extension(t: Turn, cmd: c.DecideExtension) -> None:
    days = t.demand.extension_asked
    t.emit(e.ExtensionDecided(approved=cmd.approved))
    if cmd.approved:
        for name in (ClockName.RESOLVE, ClockName.UNIT_DUE):
            clock = t.demand.clocks.get(name)
            if clock is not None and clock.stopped_at is None:
                t.extend(name, days)


def _escalate(t: Turn, cmd: c.Escalate) -> None:
    t.to_meeting(cmd.reason)


def _reassign(t: Turn, cmd: c.Reassign) -> None:
    if cmd.person == t.demand.holder:
        raise DomainError("stage_forbids", "That person already holds it.", field="/person")
    t.to_worker(cmd.person, "reassigned")


def _urge(t: Turn, cmd: c.Urge) -> None:
    t.emit(e.Urged())


def _verify(t: Turn, cmd: c.Verify) -> None:
    t.emit(e.Verified(ok=cmd.ok))
    if cmd.ok:
        ask(t)
    else:
        t.redo("not_verified")


def _call_back(t: Turn, cmd: c.CallBack) -> None:
    attempted(t, cmd.channel, cmd.result)


def _confirm(t: Turn, cmd: c.Confirm) -> None:
    t.emit(e.FeedbackGiven(contacted=cmd.contacted, solved=cmd.solved, satisfied=cmd.satisfied))
    if cmd.solved is Solved.NO:
        t.redo("not_solved")
    elif cmd.satisfied in (Satisfied.DISSATISFIED, Satisfied.VERY_DISSATISFIED):
        t.redo("dissatisfied")
    else:
        t.close(t.demand.claimed or Outcome.RESOLVED)


def _withdraw(t: Turn, cmd: c.Withdraw) -> None:
    t.emit(e.Withdrawn())
    t.close(Outcome.WITHDRAWN)


def _reopen(t: Turn, cmd: c.Reopen) -> None:
    window = t.demand.clocks.get(ClockName.REOPEN)
    if window is None or window.due_at <= t.now:
        raise DomainError("reopen_window_over", "The reopen window is over. Submit a new demand and name this number.")
    t.emit(e.Reopened())
    t.redo("reopened")


def _decide(t: Turn, cmd: c.Decide) -> None:
    d = t.demand
    if (cmd.meeting, cmd.turn) != (d.meeting, d.turn) or d.shelved or d.proposed is not None:
        raise DomainError("not_on_agenda", "The demand does not wait for this meeting any more.", meeting=cmd.meeting)
    t.emit(e.MeetingDecided(meeting=cmd.meeting, turn=cmd.turn, kind=cmd.kind, chair=cmd.chair, project=cmd.project))
    _DECISIONS[cmd.kind](t, cmd)


def _decided_assign(t: Turn, cmd: c.Decide) -> None:
    if cmd.lead is None:
        raise DomainError("unknown_unit", "Name the lead unit that takes it: send `lead`.", field="/lead")
    t.to_unit(cmd.lead, bound=True)
    for helper in {h.unit: h for h in cmd.co_units if h.unit != cmd.lead.unit}.values():
        t.ask_help(helper, bound=True)
    _set_due(t, cmd, ClockName.RESOLVE, ClockName.UNIT_DUE)


def _set_due(t: Turn, cmd: c.Decide, *names: ClockName) -> None:
    """The instant that the meeting set, where it set one that lies ahead and within reach."""
    if cmd.due_at is not None and t.now < cmd.due_at < t.now + c.FURTHEST:
        for name in names:
            if name in t.demand.clocks:
                t.emit(e.ClockExtended(clock=name, due_at=cmd.due_at))


def _decided_shelve(t: Turn, cmd: c.Decide) -> None:
    # One that has passed on the way here comes back at once: refused, the item would be on no agenda at all.
    if cmd.review_at is None:
        raise DomainError("validation_failed", "Shelving needs a review date: send `review_at`.", field="/review_at")
    t.stop(ClockName.DECIDE)
    t.emit(e.Shelved(review_at=cmd.review_at))
    t.pause(*HANDLING)
    t.start(ClockName.REVIEW, due_at=cmd.review_at)


def _decided_escalate(t: Turn, cmd: c.Decide) -> None:
    if cmd.upper_meeting is None or cmd.upper_meeting == t.demand.meeting:
        raise DomainError("stage_forbids", "There is no meeting above this one. Decide it here.", field="/kind")
    t.to_meeting("escalated", meeting=cmd.upper_meeting, convener=cmd.convener)


def _decided_return(t: Turn, cmd: c.Decide) -> None:
    assert t.demand.place is not None
    t.to_worker(t.demand.place.worker, "returned")
    if not t.demand.terms.of_0_1:
        _set_due(t, cmd, ClockName.RESOLVE)


def _reclassify(t: Turn, cmd: c.Reclassify) -> None:
    if cmd.category == t.demand.category:
        raise DomainError("stage_forbids", "It is filed under that category already.", field="/category")
    kept = cmd.promise.model_copy(update={"calendar": t.demand.terms.calendar})  # the one this workflow carries
    t.emit(e.Reclassified(category=cmd.category, promise=kept))
    t.replan(list(t.demand.clocks), "reclassified")
    ring(t)  # by the new promise some may be broken by now: before they are stopped below
    if cmd.routing is not None and t.demand.stage is Stage.GRID:
        if t.demand.info_reason is not None:
            t.run_on()
        t.hand_off(cmd.routing)


def _adopt_calendar(t: Turn, cmd: c.AdoptCalendar) -> None:
    t.emit(e.CalendarAdopted(version=cmd.version))
    t.replan(list(t.demand.clocks), "calendar")


def _ring(t: Turn, cmd: c.Ring) -> None:
    ring(t)


_DECISIONS: dict[DecisionKind, Callable[[Turn, c.Decide], None]] = {
    DecisionKind.ASSIGN: _decided_assign,
    DecisionKind.PROJECT: _decided_assign,
    DecisionKind.SHELVE: _decided_shelve,
    DecisionKind.ESCALATE: _decided_escalate,
    DecisionKind.RETURN_TO_GRID: _decided_return,
    DecisionKind.FINAL_REPLY: supervision.propose_final_reply,
}

_HANDLERS: dict[str, Callable[[Turn, Any], None]] = {
    "locate": _locate, "accept": _accept, "contact": _contact, "note": _note, "attach": _attach, "resolve": _resolve,
    "hand_off": _hand_off, "refuse": _refuse, "request_info": _request_info, "resume": _resume, "extend": _extend,
    "decide_extension": _decide_extension, "escalate": _escalate, "reassign": _reassign, "urge": _urge,
    "verify": _verify, "call_back": _call_back, "confirm": _confirm, "withdraw": _withdraw, "reopen": _reopen,
    "add_co_units": co.add_co_units, "co_accept": co.co_accept, "co_refuse": co.co_refuse, "co_done": co.co_done,
    "co_release": co.co_release, "swap_lead": co.swap_lead,
    "supervise": supervision.supervise, "decide_final_reply": supervision.decide_final_reply,
    "merge": following.merge, "unmerge": following.unmerge, "join": following.join, "leave": following.leave,
    "settle": following.settle, "lose_primary": following.lose_primary,
    "decide": _decide, "reclassify": _reclassify, "adopt_calendar": _adopt_calendar, "ring": _ring,
}  # fmt: skip
