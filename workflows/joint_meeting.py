"""A joint meeting (联席会议) as a long-lived entity: it holds the agenda and sends each decision to its demand.

One per community and one for the subdistrict committee. Demands come by the `submit` signal, the chair decides by
update.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from contracts import meeting as contract
    from contracts import names
    from domain.commands import Decide
    from domain.errors import DomainError
    from domain.meeting import Item, MeetingAct, decide_item

RECORD_FOR_EVER = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=names.MEETING_WORKFLOW)
class JointMeeting:
    @workflow.init
    def __init__(self, start: contract.MeetingStart) -> None:
        self.meeting = start.meeting
        self.seen = dict(start.seen)
        self.rows: list[contract.ItemRow] = []
        self.letters: list[tuple[str, Decide]] = []
        self.changes = 0
        self.recorded = 0

    @workflow.run
    async def run(self, start: contract.MeetingStart) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self.rows or self.letters) or self._must_renew())
            await self._record()
            while self.letters:
                await self._send(*self.letters[0])
                self.letters.pop(0)
            if self._must_renew() and not self.rows:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not (self.rows or self.letters):
                    workflow.continue_as_new(contract.MeetingStart(meeting=self.meeting, seen=self.seen))

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

    @workflow.update
    async def decide(self, act: MeetingAct) -> contract.Decided:
        number = act.decision.number
        if act.key in self.seen:
            return contract.Decided(number=number, turn=0)
        item = self.meeting.agenda.get(number)
        try:
            self.meeting, command = decide_item(self.meeting, act, workflow.now())
        except DomainError as refused:
            raise _failure(refused) from None
        assert item is not None
        self.seen[act.key] = act.fingerprint
        self.letters.append((number, command))
        ended = contract.ItemRow(
            meeting=self.meeting.id, item=item, ended_at=workflow.now(), kind=act.decision.kind, chair=act.actor.id,
            minute_id=act.decision.minute_id,
        )  # fmt: skip
        written = self._row(ended)
        await workflow.wait_condition(lambda: self.recorded >= written)
        return contract.Decided(number=number, turn=item.turn)

    @decide.validator
    def _may_decide(self, act: MeetingAct) -> None:
        known = self.seen.get(act.key)
        if known == act.fingerprint:
            return
        if known is not None:
            rule = "This Idempotency-Key was used with another body. Take a new key for a new decision."
            raise ApplicationError(rule, type="idempotency_key_reused", non_retryable=True)
        try:
            decide_item(self.meeting, act, workflow.now())
        except DomainError as refused:
            raise _failure(refused) from None

    @workflow.query
    def agenda(self) -> list[Item]:
        return list(self.meeting.agenda.values())

    def _row(self, row: contract.ItemRow) -> int:
        self.rows.append(row)
        self.changes += 1
        return self.changes

    def _must_renew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    async def _record(self) -> None:
        """By a regular activity: it runs after the decision is in history, and meetings are not in a hurry."""
        while self.rows:
            batch = list(self.rows)
            await workflow.execute_activity(
                contract.record_items, contract.RecordItems(rows=batch),
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


def _failure(refused: DomainError) -> ApplicationError:
    return ApplicationError(refused.rule, refused.facts, type=refused.code, non_retryable=True)
