"""An update of another system: its words become a note of the demand, and where it asks for it, more.

REOPEN, or OPEN of a closed request   reopen      inside the window of a week
CANCELLED                             withdraw
everything else                       note        that it is fixed, the reporter is asked, nobody else decides
"""

from __future__ import annotations

import hashlib
import json

from pydantic import TypeAdapter

from domain import open311_text as t
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.open311 import TAKEN
from domain.open311_faults import Fault, Refused, refused
from domain.open311_services import instant_of
from domain.vocabulary import Stage
from service import actions
from service.desk import Desk
from service.forms import ActionForm
from service.intake import key_of
from service.open311_form import MOST_DESCRIPTION, MOST_SHORT, Fields, first, name_of, picture_faults, pictures
from service.reading import find
from service.repeats import Asked
from service.words import text_id
from store.open311 import is_noted

REQUIRED = ("service_request_id", "update_id", "status", "updated_datetime", "description")
MOST_NOTE = 4_000

_ACTION: TypeAdapter[ActionForm] = TypeAdapter(ActionForm)
_SAME = ("service_request_id", "status", "updated_datetime", "description")
_OVER = frozenset({"closed", "reopen_window_over"})
_NOT_NOW = frozenset({"stage_forbids", "not_permitted"})


async def take(desk: Desk, actor: Actor, fields: Fields) -> str:
    """Do what the update says, once; returns our id for it, the same for every repetition.

    Raises Refused; DomainError where the product cannot answer now.
    """
    _check(fields)
    update_id, number = first(fields, "update_id"), first(fields, "service_request_id")
    said = json.dumps([*(first(fields, name) for name in _SAME), pictures(fields)], ensure_ascii=False)
    asked = Asked(desk, actor, f"open311 update {number} {update_id}", said)
    try:
        before = await asked.repetition()
    except DomainError:
        raise refused("400040") from None
    if before is not None:
        return before.id
    demand = await _demand(desk, actor, number)
    await _act(desk, actor, demand, fields)
    id = f"u-{hashlib.sha256(f'{actor.id} {number} {update_id}'.encode()).hexdigest()[:20]}"
    async with desk.pool.acquire() as connection:
        await asked.keep(connection, id, id)
    return id


def _check(fields: Fields) -> None:
    faults = [Fault("400003", name) for name in REQUIRED if not first(fields, name)]
    if first(fields, "status").upper() not in TAKEN and first(fields, "status"):
        faults.append(Fault("400013", "status"))
    if first(fields, "updated_datetime") and instant_of(first(fields, "updated_datetime")) is None:
        faults.append(Fault("400020", "updated_datetime"))
    if len(first(fields, "description")) > MOST_DESCRIPTION:
        faults.append(Fault("400030", "description"))
    for name in ("update_id", "first_name", "last_name"):
        if len(first(fields, name)) > MOST_SHORT:
            faults.append(Fault("400030", name))
    faults += picture_faults(fields)
    if faults:
        raise Refused(faults)
    if len(_note(fields)) > MOST_NOTE:
        raise refused("400030", "description")


async def _demand(desk: Desk, actor: Actor, number: str) -> Demand:
    try:
        demand = await find(desk, actor, number)
    except DomainError:
        raise refused("404003") from None
    if demand.opened_by != actor.id:
        raise refused("403002")
    return demand


def _note(fields: Fields) -> str:
    """What staff read: the words, then who wrote them and what the other system thinks of the matter."""
    lines = [(t.STATUS, first(fields, "status").upper()), (t.WRITTEN, first(fields, "updated_datetime"))]
    if name := name_of(fields):
        lines.append((t.FROM, name))
    lines += [(t.PICTURE, url) for url in pictures(fields)]
    return t.joined(first(fields, "description").strip(), lines)


def _wish(demand: Demand, status: str) -> str:
    if demand.stage is Stage.CLOSED:
        return "reopen" if status in ("OPEN", "REOPEN", "CONFIRMED") else "note"
    return "withdraw" if status == "CANCELLED" else "note"


async def _act(desk: Desk, actor: Actor, demand: Demand, fields: Fields) -> None:
    wish = _wish(demand, first(fields, "status").upper())
    form = _ACTION.validate_python({"type": wish, "note": _note(fields)})
    key = f"open311 update {first(fields, 'update_id')}"  # whatever is wished for: a try whose answer was lost counts
    try:
        await actions.act(desk, actor, demand.number, form, key)
    except DomainError as refusal:
        if refusal.code == "idempotency_key_reused":
            return  # it was: since then the demand stands otherwise, and the wish would be another one
        if refusal.code not in (*_OVER, *_NOT_NOW):
            raise
        if await is_noted(desk.pool, demand.number, text_id(demand.number, key_of(actor, key), "note")):
            return  # a try whose answer was lost did it, and what it did is why nothing more is possible
        raise refused("400041" if refusal.code in _OVER else "400042") from None
