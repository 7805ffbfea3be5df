"""If-Match on actions: the caller acts only on a version that the caller has seen."""

from __future__ import annotations

from collections.abc import Set

from domain.actors import Actor
from domain.errors import DomainError
from gateways.temporal.engine import was_accepted
from service.actions import update_id
from service.desk import Desk
from service.forms import ActionForm
from service.intake import fingerprint_of, key_of
from service.reading import find


async def must_be(
    desk: Desk, actor: Actor, number: str, form: ActionForm, key: str | None, wanted: Set[int]
) -> None:  # fmt: skip
    """Raises DomainError `changed_meanwhile` with the present `seq` when it is none of `wanted`; `not_found`.

    A repetition under its Idempotency-Key passes: it was the change. Looked at before the command is sent, so it guards
    against what was answered by then, not against a command that is on its way at the same moment.
    """
    demand = await find(desk, actor, number)
    if demand.seq in wanted:
        return
    if key is not None:
        known_as = update_id(key_of(actor, key), fingerprint_of(form.model_dump_json()))
        if await was_accepted(desk.temporal, number, known_as):
            return
    rule = "It is not what you have seen any more. Read it again, and decide on what it is now."
    raise DomainError("changed_meanwhile", rule, seq=demand.seq, stage=demand.stage)
