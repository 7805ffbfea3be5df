"""The person behind a demand: shown masked, opened for those who may and say why, corrected by operators."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.masking import is_masked, mask_degrees, mask_email, mask_name, mask_phone, mask_room
from domain.needs import Need
from domain.privacy import REPORTER_FIELDS, Field, ReadingReason, Sight, sight
from service import reporter_index
from service.desk import Desk
from service.forms import Email, Phone, Short
from service.reading import find
from service.reporter_forms import ReporterChange
from service.views import View, instant
from service.words import kept_person, reading
from store import personal

_MASKS = {Field.NAME: mask_name, Field.PHONE: mask_phone, Field.EMAIL: mask_email, Field.ROOM: mask_room}
_SPELLED: dict[str, TypeAdapter[str]] = {
    "name": TypeAdapter(Short), "phone": TypeAdapter(Phone), "email": TypeAdapter(Email),
    "building": TypeAdapter(Short), "room": TypeAdapter(Short),
}  # fmt: skip


async def reporter(desk: Desk, actor: Actor, number: str, *, reveal: bool, reason: ReadingReason | None) -> View:
    """Who it is and where, masked; with `reveal` and a reason in clear, as far as the caller may. That is kept.

    Raises DomainError: `not_found`, `not_permitted` for whom nothing may be opened, `reason_required`.
    """
    demand = await find(desk, actor, number)
    sights = {field: sight(demand, actor, field) for field in REPORTER_FIELDS}
    opens = tuple(field for field, much in sights.items() if much is Sight.FULL)
    if not reveal:
        return await _view(desk, demand, await kept_person(desk, number), sights, opened=())
    if not opens:
        rule = "Nothing of this reporter may be opened by your role. Read it without `reveal`."
        raise DomainError("not_permitted", rule, allowed=[])
    if reason is None:
        rule = "Say why it is opened: `reason` is one of facts.reasons."
        raise DomainError("reason_required", rule, reasons=[str(one) for one in ReadingReason])
    sealed = await personal.reporter(desk.pool, number, reading(desk, actor, "reporter", reason, *opens))
    said = {} if sealed is None else json.loads(desk.sealer.open(sealed, number))
    return await _view(desk, demand, said, sights, opened=opens)


async def correct(desk: Desk, actor: Actor, number: str, form: ReporterChange) -> View:
    """Change what is named; answers as a masked reading does. That it was changed is kept, and which fields.

    Raises DomainError: `not_found`, `not_permitted`, `masked_value` for what a mask made, `validation_failed`,
    `personal_data_erased`.
    """
    demand = await find(desk, actor, number)
    roles.must(actor, Need.CORRECT_REPORTER, community=demand.community)
    said = {name: _checked(name, value) for name, value in form.model_dump(exclude_none=True).items()}
    if not said:
        raise DomainError("validation_failed", "Name at least one field to correct.", field="")
    after = await change(desk, actor, number, said)
    sights = {field: sight(demand, actor, field) for field in REPORTER_FIELDS}
    return await _view(desk, demand, after, sights, opened=())


async def change(desk: Desk, actor: Actor, number: str, said: Mapping[str, str | None]) -> dict[str, Any]:
    """Write what was checked over what is kept of the reporter, None takes a field away; and that it was done, by whom.

    Returns all that is kept then. Raises DomainError `personal_data_erased`.
    """
    async with desk.pool.acquire() as connection, connection.transaction():
        sealed = await personal.lock_reporter(connection, number)
        if await personal.erased_at(connection, number) is not None:
            raise erased()
        kept: dict[str, Any] = {} if sealed is None else json.loads(desk.sealer.open(sealed, number))
        after = {name: value for name, value in {**kept, **said}.items() if value is not None}
        text = json.dumps(after, ensure_ascii=False)
        await personal.save_reporter(connection, number, desk.sealer.seal(text, number))
        await reporter_index.keep(connection, desk.phone_digests, number, after.get("phone"))
        told = reading(desk, actor, "reporter_corrected", ReadingReason.CORRECTION, *sorted(said))
        await personal.tell(connection, told, [number])
    return after


def erased() -> DomainError:
    return DomainError("personal_data_erased", "What was personal of this demand has been erased; it cannot come back.")


def _checked(name: str, value: str) -> str:
    if is_masked(value):
        rule = "This is a masked value, as an answer showed it. Leave the field out, or send the whole true value."
        raise DomainError("masked_value", rule, field=f"/{name}")
    try:
        return _SPELLED[name].validate_python(value)
    except ValidationError:
        raise DomainError("validation_failed", f"This is no {name}.", field=f"/{name}") from None


async def _view(
    desk: Desk, demand: Demand, said: dict[str, Any], sights: dict[Field, Sight], *, opened: tuple[Field, ...]
) -> View:
    def shown(field: Field) -> Any:
        value = said.get(field)
        if value is None or sights[field] is Sight.NONE:
            return None
        return value if field in opened or field not in _MASKS else _MASKS[field](value)

    lat, lon = (_degrees(said.get(name), sights[Field.POINT], Field.POINT in opened) for name in ("lat", "lon"))
    compound = demand.place.compound if demand.place else None
    hidden = demand.confidential and sights[Field.NAME] is Sight.NONE
    return {
        "number": demand.number,
        "name": shown(Field.NAME),
        "phone": shown(Field.PHONE),
        "email": shown(Field.EMAIL),
        "address": {
            "compound": _compound(desk, compound), "building": shown(Field.BUILDING), "room": shown(Field.ROOM),
            "lat": lat, "lon": lon,
        },
        "masked": not opened,
        "may_reveal": [str(field) for field, much in sights.items() if much is Sight.FULL],
        "confidential": demand.confidential,
        "hidden": hidden,
        "erased_at": instant(await personal.erased_at(desk.pool, demand.number)),
    }  # fmt: skip


def _degrees(value: float | None, much: Sight, opened: bool) -> float | None:
    if value is None or much is Sight.NONE:
        return None
    return value if opened else mask_degrees(value)


def _compound(desk: Desk, id: str | None) -> View | None:
    known = None if id is None else desk.district.directory.compounds.get(id)
    return None if known is None else {"id": known.id, "name": known.name}
