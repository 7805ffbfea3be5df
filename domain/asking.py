"""Asking the reporter (回访): the rungs of the call-back ladder, one after the other, and how it ends without an answer."""

from __future__ import annotations

from domain import events as e
from domain.call_backs import BY_PERSON, CallBackPlan, CallBackStep
from domain.demand import Demand
from domain.turn import Turn
from domain.vocabulary import ClockName, Outcome


def ask(t: Turn) -> None:
    """The work is done and looked at: the ladder begins."""
    plan = t.demand.terms.call_back_plan
    if plan is None:
        t.start(ClockName.CALL_BACK)
    else:
        _wait_for_next(t, plan)


def ask_again(t: Turn) -> None:
    """The next rung's instant has come, or the end of the ladder: closed without an answer is never satisfied."""
    plan = t.demand.terms.call_back_plan
    if plan is None:
        _ask_by_link(t)
    elif t.demand.asked < len(plan.ladder(t.demand.reach)):
        _take(t, plan.ladder(t.demand.reach)[t.demand.asked])
        _wait_for_next(t, plan)
    else:
        t.close(Outcome.UNREACHABLE if t.demand.call_backs else Outcome.UNCONFIRMED)


def attempted(t: Turn, channel: str, result: str) -> None:
    """Somebody tried and got no answer. It counts, but only the bell ends the ladder, so that it takes its days; save
    where the reporter does not want to be asked."""
    t.emit(e.CallBackMade(attempt=t.demand.call_backs + 1, channel=channel, result=result))
    if t.demand.terms.call_back_plan is None:
        return
    if channel in BY_PERSON:
        t.stop(ClockName.FOLLOW_UP)  # who owed the asking has asked
    if result == "declined":
        t.close(Outcome.UNCONFIRMED)


def _wait_for_next(t: Turn, plan: CallBackPlan) -> None:
    ladder = plan.ladder(t.demand.reach)
    while (at := plan.next_at(t.calendar, t.now, t.demand.asked, t.demand.reach)) <= t.now:
        if t.demand.asked == len(ladder):
            break
        _take(t, ladder[t.demand.asked])
    t.start(ClockName.CALL_BACK, due_at=at)


def _take(t: Turn, step: CallBackStep) -> None:
    person = {"phone": t.demand.operator, "visit": _visitor(t.demand)}.get(step.channel)
    t.emit(e.ReporterAsked(attempt=t.demand.asked + 1, channel=step.channel, person=person))


def _visitor(demand: Demand) -> str:
    """The grid's worker; where that one did the work, the substitute asks how it was."""
    assert demand.place is not None and demand.worker is not None, "what was resolved has a place"
    return demand.place.substitute if demand.worker == demand.handler else demand.worker


def _ask_by_link(t: Turn) -> None:
    """The ladder of promises without a plan: the link again, a number of times."""
    t.emit(e.CallBackMade(attempt=t.demand.call_backs + 1, channel="link", result="no_answer"))
    if t.demand.call_backs >= t.demand.terms.call_backs:
        t.close(Outcome.UNCONFIRMED)
    else:
        t.start(ClockName.CALL_BACK)
