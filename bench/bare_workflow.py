"""The floor of a demand's life: a workflow that holds a counter. Six updates, each answered after an empty local activity.

It has the pattern of ours (the handler notes, the main loop runs the step, the answer waits for it) and nothing else.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

UPDATES = 6


@activity.defn(name="bare_step")
async def bare_step() -> None:
    return


@workflow.defn(name="BareCase")
class BareCase:
    def __init__(self) -> None:
        self.asked = 0
        self.done = 0

    @workflow.run
    async def run(self, step: bool) -> int:
        while self.done < UPDATES:
            await workflow.wait_condition(lambda: self.asked > self.done)
            if step:
                await workflow.execute_local_activity(bare_step, schedule_to_close_timeout=timedelta(seconds=4))
            self.done += 1
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done

    @workflow.update
    async def act(self, number: int) -> int:
        self.asked += 1
        mine = self.asked
        await workflow.wait_condition(lambda: self.done >= mine)
        return mine
