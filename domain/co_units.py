"""What a lead, its co-units and a supervisor can do about unit tasks. One function per command, called by `decide`."""

from __future__ import annotations

from domain import commands as c
from domain import events as e
from domain.errors import DomainError
from domain.tasks import CoTask, co_clocks
from domain.turn import Turn
from domain.vocabulary import Role


def add_co_units(t: Turn, cmd: c.AddCoUnits) -> None:
    for co in cmd.co_units:
        if co.unit == t.demand.unit:
            raise DomainError("stage_forbids", "That unit leads it already.", field="/co_units", unit=co.unit)
        if any(task.open and task.unit == co.unit for task in t.demand.co_tasks):
            raise DomainError("stage_forbids", "That unit helps already.", field="/co_units", unit=co.unit)
        t.ask_help(co)


def co_accept(t: Turn, cmd: c.CoAccept) -> None:
    if _own(t, cmd.unit).state == "bound":
        raise DomainError("stage_forbids", "Its part is already accepted. Nothing to do.", unit=cmd.unit)
    _bind(t, cmd.unit)


def co_refuse(t: Turn, cmd: c.CoRefuse) -> None:
    if _own(t, cmd.unit).state == "bound":
        rule = "The refusal window is over or the unit accepted: its part is its own. Ask the lead to take it back."
        raise DomainError("refusal_window_over", rule, unit=cmd.unit)
    t.stop(*co_clocks(cmd.unit))
    t.emit(e.CoUnitRefused(unit=cmd.unit, basis=cmd.basis))


def co_done(t: Turn, cmd: c.CoDone) -> None:
    if _own(t, cmd.unit).state == "offered":
        _bind(t, cmd.unit)
    t.stop(*co_clocks(cmd.unit))
    t.emit(e.CoUnitDone(unit=cmd.unit))


def co_release(t: Turn, cmd: c.CoRelease) -> None:
    _open_part(t, cmd.unit)
    t.release("taken_back", cmd.unit)


def swap_lead(t: Turn, cmd: c.SwapLead) -> None:
    """The resident's clocks and the co-units go on; the new lead gets a window of its own."""
    assert t.demand.unit is not None
    if cmd.lead.unit in t.demand.past_units:
        rule = "That unit has or had it. Name another one, or escalate to the joint meeting."
        raise DomainError("stage_forbids", rule, field="/unit")
    t.emit(e.LeadSwapped(unit=t.demand.unit))
    t.to_unit(cmd.lead)


def _bind(t: Turn, unit: str) -> None:
    t.stop(co_clocks(unit)[0])
    t.emit(e.CoUnitBound(unit=unit, by="accepted"))


def _own(t: Turn, unit: str) -> CoTask:
    if not t.actor.has(Role.UNIT_LIAISON, unit=unit):
        raise DomainError("outside_scope", "A co-unit's part is for its own liaison.", unit=unit)
    return _open_part(t, unit)


def _open_part(t: Turn, unit: str) -> CoTask:
    for task in t.demand.co_tasks:
        if task.unit == unit and task.open:
            return task
    raise DomainError("stage_forbids", "That unit has no open part in this demand.", unit=unit)
