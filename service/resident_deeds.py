"""What a reporter without an account does: answers, asks for something, adds, says how to be reached."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from domain.demand import Demand
from domain.errors import DomainError
from domain.masking import is_masked
from domain.resident_door import round_began
from service import reporters
from service.actions import act
from service.desk import Desk
from service.forms import ActionForm
from service.reading import current
from service.resident_door import Entered, must_open
from service.resident_forms import AnswerForm, ContactForm, DeedForm
from service.views import View, instant
from store import links

_ACTION: TypeAdapter[ActionForm] = TypeAdapter(ActionForm)


async def answer(desk: Desk, entered: Entered, form: AnswerForm, key: str | None) -> Demand:
    """The three answers, once for each time the reporter is asked.

    Raises DomainError `link_used` with the answers that were given first, and as `act` does.
    """
    await must_open(desk, entered, "confirm", desk.now())
    try:
        return await _act(desk, entered, {"type": "confirm", **form.model_dump(exclude_none=True)}, key)
    except DomainError as refused:
        if refused.code not in ("stage_forbids", "closed"):
            raise
        given = await given_answer(desk, await current(desk, entered.number))
        if given is None:
            raise
        rule = "The questions were answered already. If it is not solved, have it reopened in time."
        raise DomainError("link_used", rule, answer=given) from None


async def do(desk: Desk, entered: Entered, form: DeedForm, key: str | None) -> Demand:
    """Raises DomainError: `not_permitted`, `too_many_requests`, and as `act` does."""
    await must_open(desk, entered, form.type, desk.now())
    return await _act(desk, entered, form.model_dump(exclude_none=True), key)


async def _act(desk: Desk, entered: Entered, said: dict[str, Any], key: str | None) -> Demand:
    return await act(desk, entered.actor, entered.number, _ACTION.validate_python(said), key)


async def given_answer(desk: Desk, demand: Demand) -> View | None:
    """What was answered since the work was last said to be done; None where nothing was."""
    began = round_began(demand)
    found = None if began is None else await links.given_answer(desk.pool, demand.number, began)
    if found is None:
        return None
    at, data = found
    said = json.loads(data)
    return {name: said[name] for name in ("contacted", "solved", "satisfied")} | {"at": instant(at)}


async def put_contact(desk: Desk, entered: Entered, form: ContactForm) -> None:
    """From now on messages go there. Raises DomainError: `not_permitted`, `too_many_requests`, `masked_value`,
    `validation_failed`, `personal_data_erased`."""
    await must_open(desk, entered, "contact", desk.now())
    said: dict[str, str | None] = {name: getattr(form, name) for name in sorted(form.model_fields_set)}
    if not said:
        raise DomainError("validation_failed", "Name at least one of phone, email.", field="")
    for name, value in said.items():
        if value is not None and is_masked(value):
            raise DomainError("masked_value", "This is a masked value. Send the whole true one.", field=f"/{name}")
    await reporters.change(desk, entered.actor, entered.number, said)
