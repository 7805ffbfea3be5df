"""The turn of the rotating chair (轮值主席): a schedule starts it when a period begins, and it hands over what is open.

A run that comes late, or twice, records what is missing and nothing else; so the runs of one community are the timeline
of its chairs.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from contracts import rotation as contract

FOR_EVER = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


@workflow.defn(name=contract.ROTATION_WORKFLOW)
class ChairRotation:
    @workflow.run
    async def run(self, start: contract.RotationStart) -> contract.HandedOver:
        due = contract.HandOver(community=start.community, at=workflow.now())
        handed = await workflow.execute_activity(
            contract.hand_over_chair, due, start_to_close_timeout=timedelta(seconds=30), retry_policy=FOR_EVER
        )
        workflow.set_current_details(
            "\n".join(_line(turn) for turn in handed.turns) or "Nothing was left to hand over."
        )
        return handed


def _line(turn: contract.TurnTaken) -> str:
    return f"* {turn.period_from} – {turn.period_until}: **{turn.unit}** ({turn.how}), {turn.open_items} open"
