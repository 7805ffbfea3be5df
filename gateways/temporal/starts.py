"""Starting a demand's workflow: its id is the demand's number, so it can only ever start once."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from contracts import names
from contracts.demand import DemandStart, clock_state
from domain.demand import Demand
from domain.worktime import Calendar

TASK_TIMEOUT = timedelta(seconds=2)  # a killed worker's demand moves on after this, not after 10 s


def _attributes(d: Demand) -> TypedSearchAttributes:
    said = [
        (names.STAGE, d.stage), (names.COMMUNITY, d.community), (names.GRID, d.place.grid if d.place else None),
        (names.UNIT, d.unit), (names.CATEGORY, d.category), (names.CLOCK, clock_state(d)),
    ]  # fmt: skip
    pairs: list[SearchAttributePair[str]] = [SearchAttributePair(key, str(value)) for key, value in said if value]
    due = [SearchAttributePair(names.DUE, d.due_at)] if d.due_at else []
    return TypedSearchAttributes([*pairs, *due])


async def start_demand(client: Client, task_queue: str, demand: Demand, calendar: Calendar) -> bool:
    """Start it; False when it had been started before. Raises RPCError when Temporal does not answer."""
    try:
        await client.start_workflow(
            names.DEMAND_WORKFLOW, DemandStart(demand=demand, calendar=calendar), id=demand.number,
            task_queue=task_queue, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE, task_timeout=TASK_TIMEOUT,
            search_attributes=_attributes(demand), static_summary=f"{demand.category} · {demand.community or '?'}",
            static_details=f"Demand {demand.number}, promise {demand.terms.sla_class} of {demand.terms.pack}",
        )  # fmt: skip
    except WorkflowAlreadyStartedError:
        return False
    return True
