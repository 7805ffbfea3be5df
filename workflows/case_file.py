"""What operators see of a demand in the Temporal UI: search attributes and a line that reads like a case file."""

from __future__ import annotations

from contracts import demand as contract
from contracts import names
from domain.demand import Demand
from temporalio import workflow

_KEYS = {k.name: k for k in (names.STAGE, names.COMMUNITY, names.GRID, names.UNIT, names.CLOCK)}


def attributes(d: Demand) -> dict[str, str]:
    return {
        "Stage": d.stage, "Community": d.community or "", "Grid": d.place.grid if d.place else "", "Unit": d.unit or "",
        "Clock": contract.clock_state(d),
    }  # fmt: skip


def show(d: Demand, shown: dict[str, str]) -> dict[str, str]:
    """Show the demand where it differs from `shown`; returns what is shown now. An update of attributes costs an event."""
    workflow.set_current_details(
        f"**{d.stage}** · holder `{d.holder}` · unit `{d.unit}` · due {d.due_at} · event {d.seq}"
    )
    now = attributes(d)
    if now == shown:
        return shown
    changed = [n for n, v in now.items() if v != shown[n]]
    updates = [_KEYS[n].value_set(now[n]) if now[n] else _KEYS[n].value_unset() for n in changed]
    if d.due_at is not None:
        workflow.upsert_search_attributes([*updates, names.DUE.value_set(d.due_at)])
    else:
        workflow.upsert_search_attributes([*updates, names.DUE.value_unset()])
    return now
