"""Replaying a kept history, and the state that the workflow has at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from workflows.joint_meeting import JointMeeting
from workflows.resident_demand import ResidentDemand

HISTORIES = Path(__file__).parent / "histories"
# What a clock remembers now and did not in that release: made from the same events, and no part of their hashes.
NOT_YET_IN = {"0.1": frozenset({"shifts", "done"})}


class _Keeper(Interceptor):
    """Holds on to the instance that a replay makes: nothing else shows what the logic has made of the history."""

    def __init__(self) -> None:
        self.instances: list[Any] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        kept = self.instances

        class Inbound(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                kept.append(workflow.instance())
                return await self.next.execute_workflow(input)

        return Inbound


async def golden_of(history: WorkflowHistory) -> str:
    """Replay it; raises what the Replayer raises. Returns the workflow's state afterwards, as JSON."""
    keeper = _Keeper()
    replayer = Replayer(
        workflows=[ResidentDemand, JointMeeting], data_converter=pydantic_data_converter, interceptors=[keeper]
    )
    await replayer.replay_workflow(history)
    instance = keeper.instances[-1]
    state: BaseModel = instance.demand if hasattr(instance, "demand") else instance.meeting
    return state.model_dump_json(indent=1, exclude_defaults=True)  # new fields with a default are no change


def release_of(name: str) -> str:
    """`demand-whole-path-0.1` -> `0.1`."""
    return name.rpartition("-")[2]


def as_told_in(release: str, state: dict[str, Any]) -> dict[str, Any]:
    """The state with those fields that its release had."""
    left_out = NOT_YET_IN.get(release, frozenset())
    clocks = {
        name: {field: value for field, value in clock.items() if field not in left_out}
        for name, clock in state.get("clocks", {}).items()
    }
    return {**state, "clocks": clocks} if clocks else state
