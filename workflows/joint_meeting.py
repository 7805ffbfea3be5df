"""A joint meeting (联席会议) as a long-lived entity: it holds the agenda and its sessions, and sends decisions to demands.

One per community and one for the subdistrict committee. Demands come by the `submit` signal, the regular sessions are
called by `convene`; people convene, open, attend and close by the `session` update, and decide by `decide`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from contracts import meeting as contract
    from contracts import names
    from domain.commands import Decide
    from domain.convening import SessionAct, Turned, call_regular, hold, next_bell, ring
    from domain.errors import DomainError
    from domain.meeting import Item, MeetingAct, decide_item

    from workflows.refusals import failure, is_repetition

RECORD_FOR_EVER = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))
KEYS_KEPT = 2000  # across continue-as-new; nobody repeats a request that old


@workflow.defn(name=names.MEETING_WORKFLOW)
class JointMeeting:
    @workflow.init
    def __init__(self, start: contract.MeetingStart) -> None:
        self.meeting = start.meeting
        self.seen = dict(start.seen)
        self.rows: list[contract.ItemRow | contract.SessionRow] = []
        self.letters: list[tuple[str, Decide]] = []
        self.changes = 0
        self.recorded = 0
        self.bell = False
        self.timer: asyncio.Task[None] | None = None
        self.timer_at = workflow.now()

    @workflow.run
    async def run(self, start: contract.MeetingStart) -> None:
        while True:
            self._arm()
            await workflow.wait_condition(lambda: self._has_work() or self._must_renew())
            if self.bell:
                self.bell = False
                self._hear()
            await self._record()
            while self.letters:
                await self._send(*self.letters[0])
                self.letters.pop(0)
            if self._must_renew() and not self.rows:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not (self.rows or self.letters):
                    workflow.continue_as_new(contract.MeetingStart(meeting=self.meeting, seen=self._newest_keys()))

    # ---- what comes in

    @workflow.signal
    def submit(self, item: Item) -> None:
        after = self.meeting.with_item(item)
        if after is not self.meeting:
            self.meeting = after
            self._row(contract.ItemRow(meeting=self.meeting.id, item=item))

    @workflow.signal
    def take_off(self, gone: contract.TakeOff) -> None:
        item = self.meeting.agenda.get(gone.number)
        if item is not None and item.turn == gone.turn:
            self.meeting = self.meeting.without(gone.number)
            self._row(contract.ItemRow(meeting=self.meeting.id, item=item, ended_at=workflow.now(), kind="withdrawn"))

    @workflow.signal
    def convene(self, regular: contract.Regular) -> None:
        self._hear()
        self._take(call_regular(self.meeting, regular.call, regular.rules, workflow.now()))

    @workflow.update
    async def session(self, act: SessionAct) -> contract.Held:
        answer = contract.Held(session=act.command.session)
        if act.key not in self.seen:
            self._hold(act)
        await self._is_recorded(self.changes)
        return answer

    @session.validator
    def _may_hold(self, act: SessionAct) -> None:
        if is_repetition(self.seen, act.key, act.fingerprint):
            return
        try:
            hold(ring(self.meeting, workflow.now()).meeting, act, workflow.now())
        except DomainError as refused:
            raise failure(refused) from None

    @workflow.update
    async def decide(self, act: MeetingAct) -> contract.Decided:
        number = act.decision.number
        if act.key in self.seen:
            return contract.Decided(number=number, turn=0)
        self._hear()
        before = self.meeting
        try:
            self.meeting, command = decide_item(before, act, workflow.now())
        except DomainError as refused:
            raise failure(refused) from None
        self.seen[act.key] = act.fingerprint
        self.letters.append((number, command))
        item, session = before.agenda[number], before.open_session
        late = session is not None and not session.in_time(item.number, item.asked_at)
        self._row(
            contract.ItemRow(
                meeting=before.id, item=item, ended_at=workflow.now(), kind=act.decision.kind, chair=command.chair,
                minute_id=act.decision.minute_id, session=session.id if session else None, late=late, consented=late,
                recorded_by=act.actor.id, decision=act.decision,
            )
        )  # fmt: skip
        if self.meeting.open_session is not None:
            self._row(contract.SessionRow(meeting=before.id, session=self.meeting.open_session))
        await self._is_recorded(self.changes)
        return contract.Decided(number=number, turn=item.turn)

    @decide.validator
    def _may_decide(self, act: MeetingAct) -> None:
        if is_repetition(self.seen, act.key, act.fingerprint):
            return
        try:
            decide_item(ring(self.meeting, workflow.now()).meeting, act, workflow.now())
        except DomainError as refused:
            raise failure(refused) from None

    @workflow.query
    def agenda(self) -> list[Item]:
        return self.meeting.in_order(workflow.now())

    # ---- what follows

    def _hold(self, act: SessionAct) -> None:
        self._hear()
        try:
            self._take(hold(self.meeting, act, workflow.now()))
        except DomainError as refused:
            raise failure(refused) from None
        self.seen[act.key] = act.fingerprint

    def _take(self, turned: Turned) -> None:
        self.meeting = turned.meeting
        for session in turned.sessions:
            self._row(contract.SessionRow(meeting=self.meeting.id, session=session))
        for item in turned.items:
            self._row(contract.ItemRow(meeting=self.meeting.id, item=item))

    def _hear(self) -> None:
        """What has fallen due by itself, at its own instant, before anything else happens."""
        self._take(ring(self.meeting, workflow.now()))

    def _row(self, row: contract.ItemRow | contract.SessionRow) -> None:
        self.rows.append(row)
        self.changes += 1

    async def _is_recorded(self, change: int) -> None:
        await workflow.wait_condition(lambda: self.recorded >= change)

    def _has_work(self) -> bool:
        at = next_bell(self.meeting)
        return bool(self.rows or self.letters or self.bell) or (at is not None and self._sooner_than_timer(at))

    def _must_renew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _newest_keys(self) -> dict[str, str]:
        return dict(list(self.seen.items())[-KEYS_KEPT:])

    def _sooner_than_timer(self, at: datetime) -> bool:
        return self.timer is None or self.timer.done() or at < self.timer_at

    def _arm(self) -> None:
        """One timer to the next bell. An earlier timer may stay: it rings, finds nothing due, and is set anew."""
        at = next_bell(self.meeting)
        if at is None or not self._sooner_than_timer(at):
            return
        if self.timer is not None:
            self.timer.cancel()
        self.timer_at = at
        wait = max(at - workflow.now(), timedelta(milliseconds=1))
        self.timer = asyncio.create_task(self._ring_in(wait))

    async def _ring_in(self, wait: timedelta) -> None:
        await workflow.sleep(wait, summary="session")
        self.bell = True

    async def _record(self) -> None:
        """By a regular activity: it runs after the decision is in history, and meetings are not in a hurry."""
        while self.rows:
            batch = list(self.rows)
            record = contract.RecordItems(
                rows=[row for row in batch if isinstance(row, contract.ItemRow)],
                sessions=[row for row in batch if isinstance(row, contract.SessionRow)],
            )
            await workflow.execute_activity(
                contract.record_items, record,
                start_to_close_timeout=timedelta(seconds=10), retry_policy=RECORD_FOR_EVER,
            )  # fmt: skip
            del self.rows[: len(batch)]
            self.recorded += len(batch)

    async def _send(self, number: str, command: Decide) -> None:
        """To the demand, wherever it stands; one that has ended meanwhile needs no decision any more."""
        try:
            await workflow.get_external_workflow_handle(number).signal("decided", command)
        except FailureError as failed:
            if is_cancelled_exception(failed):
                raise
            workflow.logger.info("demand has ended", extra={"number": number})
