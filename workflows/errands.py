"""What a demand's workflow tells others, one errand after the other, while commands go on: a meeting what is or is no longer
its business, a primary who follows it, and those who follow what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from contracts import demand as contract
    from contracts import names
    from contracts.meeting import TakeOff
    from domain.commands import LosePrimary, Settle
    from domain.demand import Demand
    from domain.following import is_settled
    from domain.meeting import item_of
    from domain.vocabulary import Stage

FOR_EVER = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))


class Errand(NamedTuple):
    """`before` is the demand as it was: what there is to do is seen when its turn comes."""

    kind: str
    before: Demand
    followers: tuple[str, ...] = ()


def of_start(demand: Demand) -> list[Errand]:
    """Straight from intake, or renewed: the meeting may not know of it yet."""
    waits = demand.stage is Stage.MEETING and not (demand.shelved or demand.proposed or demand.follows)
    return [Errand("agenda", demand.model_copy(update={"stage": Stage.INTAKE}))] if waits else []


def following(before: Demand, after: Demand) -> list[Errand]:
    """The errands that a turn makes necessary."""
    found: list[Errand] = []
    if after.turn != before.turn or (
        before.stage is Stage.MEETING and _left_agenda(after) and not _left_agenda(before)
    ):
        found.append(Errand("agenda", before))
    elif after.stage is Stage.MEETING and len(after.followers) > len(before.followers):
        found.append(Errand("agenda", before.model_copy(update={"stage": Stage.INTAKE})))
    if before.primary is not None and after.primary != before.primary:
        found.append(Errand("leave", before))
    if after.primary is not None and after.primary != before.primary and after.stage is not Stage.CLOSED:
        found.append(Errand("join", before))
    if after.followers and is_settled(after) and not is_settled(before):
        found.append(Errand("tell_followers", before, after.followers))
    return found


def _left_agenda(demand: Demand) -> bool:
    """Without a decision of the meeting: closed, or handled with another demand."""
    return demand.stage is Stage.CLOSED or demand.follows


def for_late_comer(demand: Demand, number: str) -> list[Errand]:
    """Whoever joins what is over already, or follows another demand itself, hears that at once."""
    return [Errand("tell_followers", demand, (number,))] if is_settled(demand) or demand.follows else []


async def run(errand: Errand, now: Demand) -> Settle | LosePrimary | None:
    """Do it, by what is true now; what a primary answers is for the demand to apply."""
    if errand.kind == "leave":
        await _leave(errand.before)
    elif errand.kind == "join":
        return await _join(now)
    elif errand.kind == "tell_followers":
        await _tell_followers(now, errand.followers)
    elif errand.before.stage is Stage.MEETING and _left_agenda(now) and errand.before.meeting:
        await _take_off(errand.before)
    elif now.stage is Stage.MEETING and not now.follows:
        await _put_on_agenda(now)
    return None


async def _put_on_agenda(d: Demand) -> None:
    await workflow.execute_activity(
        contract.put_on_agenda,
        contract.AgendaItem(
            meeting=d.meeting or "", committee=d.terms.committee, committee_convener=d.supervisor, item=item_of(d)
        ),
        start_to_close_timeout=timedelta(seconds=10), retry_policy=FOR_EVER,
        summary=f"agenda of {d.meeting}",
    )  # fmt: skip


async def _take_off(demand: Demand) -> None:
    meeting = workflow.get_external_workflow_handle(names.meeting_workflow_id(demand.meeting or ""))
    try:
        await meeting.signal("take_off", TakeOff(number=demand.number, turn=demand.turn))
    except FailureError as failed:
        if is_cancelled_exception(failed):
            raise


async def _join(d: Demand) -> Settle | LosePrimary | None:
    if d.primary is None:
        return None
    word = await workflow.execute_activity(
        contract.join_primary, contract.Following(number=d.number, primary=d.primary),
        start_to_close_timeout=timedelta(seconds=20), retry_policy=FOR_EVER, summary=f"follows {d.primary}",
    )  # fmt: skip
    return word.command


async def _leave(before: Demand) -> None:
    await workflow.execute_activity(
        contract.leave_primary, contract.Following(number=before.number, primary=before.primary or ""),
        start_to_close_timeout=timedelta(seconds=20), retry_policy=FOR_EVER, summary=f"leaves {before.primary}",
    )  # fmt: skip


async def _tell_followers(d: Demand, followers: tuple[str, ...]) -> None:
    await workflow.execute_activity(
        contract.tell_followers, contract.Told(primary=d.number, followers=followers),
        start_to_close_timeout=timedelta(minutes=5), heartbeat_timeout=timedelta(seconds=20), retry_policy=FOR_EVER,
        summary=f"{len(followers)} followers",
    )  # fmt: skip
