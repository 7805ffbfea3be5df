"""Duplicates: a demand that follows another one, its primary. One handling, and every reporter hears the end of it.

The resident's clock of a duplicate runs on; what others owe it stands still until it goes on by itself. Workflows tell each
other by `join`, `leave`, `settle` and `lose_primary`, in any order and as often as they like.
"""

from __future__ import annotations

from domain import commands as c
from domain import events as e
from domain.asking import ask
from domain.demand import Demand
from domain.errors import DomainError
from domain.turn import Turn
from domain.vocabulary import ClockName, Outcome, Stage


def merge(t: Turn, cmd: c.Merge) -> None:
    d = t.demand
    if cmd.primary == d.number:
        raise DomainError("merge_circle", "A demand cannot follow itself. Name another one.", field="/primary")
    if cmd.same_reporter:
        t.emit(e.Merged(primary=cmd.primary, same_reporter=True))
        t.close(Outcome.DUPLICATE, f"duplicate:{cmd.primary}")
        return
    if d.place is None:
        if cmd.place is None:
            raise DomainError("unknown_place", "Neither of the two has a place yet. Locate one first.")
        t.place(cmd.place, None)
    if d.info_reason is not None:
        t.run_on()
    t.release("left_units")
    t.pause(*(name for name in t.demand.clocks if name is not ClockName.RESOLVE))
    t.emit(e.Merged(primary=cmd.primary))


def unmerge(t: Turn, cmd: c.Unmerge) -> None:
    _go_on(t, "mistake")


def join(t: Turn, cmd: c.Join) -> None:
    if cmd.number == t.demand.number or cmd.number in t.demand.followers:
        raise DomainError("stage_forbids", "It follows this demand already.")
    t.emit(e.DuplicateJoined(number=cmd.number))


def leave(t: Turn, cmd: c.Leave) -> None:
    if cmd.number not in t.demand.followers:
        raise DomainError("stage_forbids", "It does not follow this demand.")
    t.emit(e.DuplicateLeft(number=cmd.number))


def settle(t: Turn, cmd: c.Settle) -> None:
    """What was done for the primary was done for this one: its reporter is asked as well, for themselves."""
    _must_follow(t.demand, cmd.primary)
    t.release("left_units")
    t.stop(*list(t.demand.clocks))
    if cmd.outcome is Outcome.FINAL_REPLY:
        t.close(Outcome.FINAL_REPLY, cmd.reply_id)
        return
    t.emit(e.Resolved(reply_id=cmd.reply_id, outcome=Outcome(cmd.outcome), by=cmd.handler, primary=cmd.primary))
    t.start(ClockName.FOLLOW_UP)
    ask(t)


def lose_primary(t: Turn, cmd: c.LosePrimary) -> None:
    _must_follow(t.demand, cmd.primary)
    if cmd.heir is None or cmd.heir == t.demand.number:
        _go_on(t, "primary_gone")
    else:
        t.emit(e.Merged(primary=cmd.heir))


def word_for_followers(primary: Demand) -> c.Settle | c.LosePrimary | None:
    """What a demand that follows `primary` is to hear, as things stand; None while it is being handled."""
    if primary.follows:
        return c.LosePrimary(primary=primary.number, heir=primary.primary)
    if not is_settled(primary):
        return None
    if primary.outcome in (Outcome.WITHDRAWN, Outcome.DUPLICATE, Outcome.OUT_OF_SCOPE) or primary.reply_id is None:
        return c.LosePrimary(primary=primary.number)
    final = primary.outcome is Outcome.FINAL_REPLY
    outcome = Outcome.FINAL_REPLY if final else primary.claimed or Outcome.RESOLVED
    handler = primary.handler or primary.supervisor
    return c.Settle.model_validate(
        {"primary": primary.number, "reply_id": primary.reply_id, "outcome": outcome, "handler": handler}
    )


def is_settled(demand: Demand) -> bool:
    """Whether its handling is over, and looked at where others look."""
    return demand.stage is Stage.CLOSED or (demand.stage is Stage.FEEDBACK and not demand.awaiting_verification)


def _must_follow(demand: Demand, primary: str) -> None:
    if demand.primary != primary:
        raise DomainError("stage_forbids", "It does not follow that demand any more.")


def _go_on(t: Turn, reason: str) -> None:
    assert t.demand.primary is not None, "the table lets only a duplicate go on by itself"
    t.emit(e.Unmerged.model_validate({"primary": t.demand.primary, "reason": reason}))
    t.resume(*(name for name, clock in t.demand.clocks.items() if clock.paused_at is not None))
    if t.demand.stage is Stage.MEETING:  # its agenda has let it go: onto the next one
        t.to_meeting(t.demand.meeting_reason, convener=t.demand.holder)
