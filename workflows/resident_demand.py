"""One resident demand, from intake to the end of its reopen window: a thin shell around `domain.decide`.

Commands come in as the `act` update, meetings answer by the `decided` signal, and one timer runs to the next alarm.
Handlers decide and append to the log; the main loop records, so a row is written when the update returns.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from contracts import demand as contract
    from contracts import names
    from domain.actors import SYSTEM
    from domain.clocks import next_alarm, rung
    from domain.commands import Act, AdoptCalendar, Decide, Join, Leave, LosePrimary, Ring, Settle
    from domain.decide import UNHEARD, take_turn
    from domain.demand import Demand
    from domain.errors import DomainError
    from domain.ledger import Entry, seal
    from domain.worktime import Calendar

    from workflows import case_file, errands
    from workflows.refusals import failure, is_repetition

RECORD_QUICKLY = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=2)
RECORD_FOR_EVER = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=names.DEMAND_WORKFLOW)
class ResidentDemand:
    @workflow.init
    def __init__(self, start: contract.DemandStart) -> None:
        self.demand = start.demand
        self.calendar = start.calendar
        self.seen = dict(start.seen)
        self.log: list[Entry] = []
        self.recorded, self.head = start.demand.seq, start.demand.head
        self.shown = case_file.attributes(start.demand)
        self.bell = False
        self.stale = False
        self.timer: asyncio.Task[None] | None = None
        self.timer_at = workflow.now()
        self.errands = errands.of_start(start.demand)

    @workflow.run
    async def run(self, start: contract.DemandStart) -> str:
        messenger = asyncio.create_task(self._run_errands())
        while True:
            await self._record()
            if self.demand.sealed:
                break
            if workflow.info().is_continue_as_new_suggested() and not self.errands:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self.log:
                    workflow.continue_as_new(
                        contract.DemandStart(demand=self.demand, calendar=self.calendar, seen=self.seen)
                    )
            self._arm()
            await workflow.wait_condition(lambda: bool(self.log) or self.bell or self.stale)
            if self.bell:
                self.bell = False
                if not self.demand.sealed:  # a command may have closed it in the moment the timer fired
                    self._apply(Act(command=Ring(), actor=SYSTEM))
        await workflow.wait_condition(lambda: not self.errands and workflow.all_handlers_finished())
        messenger.cancel()
        return str(self.demand.outcome)

    # ---- what comes in

    @workflow.update
    async def act(self, act: Act) -> contract.Acted:
        if act.key not in self.seen:
            try:
                self._apply(act)
            except DomainError as refused:
                raise failure(refused) from None
            self.seen[act.key] = act.fingerprint
        seq = self.demand.seq
        await workflow.wait_condition(lambda: self.recorded >= seq)
        return contract.Acted(seq=seq, stage=self.demand.stage)

    @act.validator
    def _may_act(self, act: Act) -> None:
        if is_repetition(self.seen, act.key, act.fingerprint):
            return
        try:
            take_turn(self.demand, act, workflow.now(), self.calendar)
        except DomainError as refused:
            raise failure(refused) from None

    @workflow.signal
    def decided(self, command: Decide) -> None:
        self._take(command)

    @workflow.signal
    def followed(self, following: contract.Following) -> None:
        """Another demand follows this one, or does not any more; where there is something to tell, it hears it now."""
        number = following.number
        self._take(Join(number=number) if following.joins else Leave(number=number))
        if following.joins:
            self.errands += errands.for_late_comer(self.demand, number)

    @workflow.signal
    def adopt(self, calendar: Calendar) -> None:
        """Count by a newly published calendar from now on; what has rung until now rang by the old one."""
        if self.demand.sealed or calendar.version == self.demand.terms.calendar:
            return
        self._hear()
        if not self.demand.sealed:
            self.calendar = calendar
            self._apply(Act(command=AdoptCalendar(version=calendar.version), actor=SYSTEM))

    @workflow.signal
    def resync(self) -> None:
        """The tables may hold an attempt that never came to be: write what is true."""
        self.stale = True

    @workflow.update
    def read(self) -> None:
        """A read that is never accepted: see `_show_state`."""

    @read.validator
    def _show_state(self) -> None:
        """The state as a refusal. Unlike a query it is answered in a workflow task of its own, after all that happened
        before, and it leaves no history (docs/decisions/0007-no-queries.md)."""
        raise ApplicationError("read", self.demand.model_dump(mode="json"), type=contract.READ, non_retryable=True)

    @workflow.query
    def state(self) -> Demand:
        """For tools, while a worker runs; the product itself reads by `read`."""
        return self.demand

    # ---- what follows

    def _apply(self, act: Act) -> None:
        now = workflow.now()
        if act.command.type not in UNHEARD:
            self._hear()
        before = self.demand
        turn = take_turn(self.demand, act, now, self.calendar)
        self.demand, entries = seal(turn.demand, turn.events, at=now, actor=act.actor.id, performed_at=act.performed_at)
        self.log += entries
        self.errands += errands.following(before, self.demand)

    def _take(self, command: Decide | Settle | LosePrimary | Join | Leave) -> None:
        """What others decided about it. A late or doubled answer is not taken: the demand has gone on without it."""
        try:
            self._apply(Act(command=command, actor=SYSTEM))
        except DomainError as refused:
            workflow.logger.info("decision not taken", extra={"code": refused.code})

    def _hear(self) -> None:
        """The bells that have come: what a clock did stands in the log as nobody's doing."""
        if rung(self.demand, workflow.now(), self.calendar):
            self._apply(Act(command=Ring(), actor=SYSTEM))

    async def _record(self) -> None:
        """Write what happened. A database that is down delays the answer; it never fails the demand."""
        while self.log or self.stale:
            batch, self.stale = list(self.log), False
            record = contract.Record(demand=self.demand, entries=batch, after=self.head, at=workflow.now())
            try:
                await workflow.execute_local_activity(
                    contract.record, record,
                    schedule_to_close_timeout=timedelta(seconds=4), retry_policy=RECORD_QUICKLY,
                )  # fmt: skip
            except FailureError as failed:
                if is_cancelled_exception(failed):
                    raise
                await workflow.execute_activity(
                    contract.record, record,
                    start_to_close_timeout=timedelta(seconds=10), retry_policy=RECORD_FOR_EVER,
                )  # fmt: skip
            del self.log[: len(batch)]
            self.recorded, self.head = record.demand.seq, record.demand.head
            self.shown = case_file.show(self.demand, self.shown)

    def _arm(self) -> None:
        """One timer to the next alarm. An earlier timer may stay: it rings, finds nothing due, and is set anew."""
        alarm = next_alarm(self.demand, self.calendar)
        if alarm is None:
            return
        if self.timer is not None and not self.timer.done():
            if self.timer_at <= alarm.at:
                return
            self.timer.cancel()
        self.timer_at = alarm.at
        wait = max(alarm.at - workflow.now(), timedelta(milliseconds=1))
        self.timer = asyncio.create_task(self._ring_in(wait, f"{alarm.clock} {alarm.step.key}"))

    async def _ring_in(self, wait: timedelta, why: str) -> None:
        await workflow.sleep(wait, summary=why)
        self.bell = True

    async def _run_errands(self) -> None:
        """Tell others what they must hear of it; commands go on meanwhile."""
        while True:
            await workflow.wait_condition(lambda: bool(self.errands))
            answer = await errands.run(self.errands[0], self.demand)
            if answer is not None:
                self._take(answer)
            self.errands.pop(0)
