"""What somebody above the handler does: supervise (督办), and approve a final reply (最终答复)."""

from __future__ import annotations

from domain import commands as c
from domain import events as e
from domain.demand import Demand
from domain.errors import DomainError
from domain.turn import Turn
from domain.vocabulary import ClockName, Outcome, Stage


def supervise(t: Turn, cmd: c.Supervise) -> None:
    d = t.demand
    assert d.holder is not None, "an open demand has a holder"
    if cmd.deed == "order":
        if cmd.note_id is None:
            raise DomainError("validation_failed", "Say what is to be done: send `note`.", field="/note")
        t.emit(e.Supervised(deed="order", person=d.holder))
    elif cmd.deed == "take_over":
        if d.holder == t.actor.id:
            raise DomainError("stage_forbids", "You hold it already: act, or return it.")
        t.emit(e.TakenOver(person=t.actor.id, reason="supervised"))
    else:
        if d.holder == _by_itself(d):
            raise DomainError("stage_forbids", "Nobody has taken it over: there is nothing to return.")
        t.emit(e.Supervised(deed="return", person=_by_itself(d)))


def _by_itself(d: Demand) -> str:
    """Who holds a demand in this stage where nobody took it over."""
    if d.stage is Stage.UNIT and d.lead is not None:
        return d.lead.liaison
    if d.stage is Stage.GRID and d.worker is not None:
        return d.worker
    if d.stage is Stage.MEETING and d.place is not None and d.proposed is None:
        return d.place.secretary
    if d.stage is Stage.FEEDBACK and not d.awaiting_verification:
        return d.operator
    return d.dispatcher if d.stage is Stage.INTAKE else d.supervisor


def propose_final_reply(t: Turn, cmd: c.Decide) -> None:
    """By the meeting; promises that know no approval end at once."""
    if cmd.reply_id is None:
        raise DomainError("reply_required", "A final reply needs the text the resident will read.", field="/reply")
    if t.demand.terms.budget_of(ClockName.APPROVE) is None:
        t.close(Outcome.FINAL_REPLY, cmd.reply_id)
        return
    t.stop(ClockName.DECIDE)
    t.emit(e.FinalReplyProposed(reply_id=cmd.reply_id, chair=cmd.chair, document=cmd.document))
    t.start(ClockName.APPROVE)


def decide_final_reply(t: Turn, cmd: c.DecideFinalReply) -> None:
    d = t.demand
    if t.actor.id == d.proposed_by:
        rule = "Whoever chaired the meeting that proposed it cannot approve it: somebody else must."
        raise DomainError("not_permitted", rule, command="decide_final_reply")
    t.emit(e.FinalReplyDecided(approved=cmd.approved))
    t.stop(ClockName.APPROVE)
    if cmd.approved:
        t.close(Outcome.FINAL_REPLY, d.proposed)
    else:
        t.to_meeting("reply_not_approved")
