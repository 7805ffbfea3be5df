"""Patrol and fix: a worker finds something, mends it on the spot, and says so in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from domain.actors import Actor
from domain.errors import DomainError
from domain.vocabulary import Channel
from service import intake
from service.actions import UNDECIDED, act, must_be_past
from service.desk import Desk
from service.forms import Code, Instant, Location, ResolveForm, Story, SubmitForm, Words
from service.reading import current
from service.views import View, demand_view

NO_VERDICT = UNDECIDED | {"idempotency_key_reused"}


class FixForm(BaseModel):
    """What was found and where, and the reply that the log keeps; `file_ids` show that it is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Story
    reply: Words
    location: Location
    category: Code | None = None
    file_ids: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    confidential: StrictBool = False
    performed_at: Instant | None = None


@dataclass(frozen=True)
class Fixed:
    view: View
    repeated: bool


async def fix(desk: Desk, actor: Actor, form: FixForm, key: str | None) -> Fixed:
    """Open a demand and resolve it. Where it is not the caller's to resolve, it stays open with whoever it went to, its
    files too, and `refused` says which rule it was. The same key again finishes what was cut off, and opens nothing twice.

    Raises DomainError as `intake.submit`, `idempotency_key_reused` for another reply under the key, and
    `outcome_unknown` or `unavailable` where no verdict came.
    """
    key = key or uuid4().hex
    must_be_past(desk, form.performed_at)
    found = SubmitForm(
        text=form.text, category=form.category, location=form.location, channel=Channel.PATROL,
        confidential=form.confidential, file_ids=form.file_ids,
    )  # fmt: skip
    taken = await intake.submit(desk, actor, found, f"{key}-open")
    done = ResolveForm(
        type="resolve", reply=form.reply, file_ids=form.file_ids, performed_at=form.performed_at
    )  # fmt: skip
    refused: View | None = None
    try:
        demand = await act(desk, actor, taken.number, done, f"{key}-done")
    except DomainError as said:
        if said.code in NO_VERDICT:
            raise
        demand = await current(desk, taken.number)
        refused = {"code": said.code, "rule": said.rule}
    return Fixed({**demand_view(desk, demand, actor), "refused": refused}, taken.repeated)
