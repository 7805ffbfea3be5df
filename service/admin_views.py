"""How what can be published stands: in force, and what is scheduled, each with the version that an editor has to name."""

from __future__ import annotations

import json

from domain import roles
from domain.actors import Actor
from domain.district import District
from domain.errors import DomainError
from domain.needs import Need
from service.admin_versions import newest, scheduled
from service.desk import Desk
from service.publish_carry import standing_now
from service.publish_district import PERSON, PERSON_LEAVE, ROSTER, STEWARDSHIP, UNIT, Leave, standing_of, turns_of
from service.publish_in_force import InForce
from service.views import View


def before_any(base: District, standing: InForce, kind: str, key: str) -> str | None:
    """What stands of a thing of which nothing was published: as the files say, or what another publication brought, as
    the leave of a person who was added."""
    return file_of(base, kind, key) or (file_of(standing.district, kind, key) if kind == PERSON_LEAVE else None)


def file_of(district: District, kind: str, key: str) -> str | None:
    """What a district says of one thing, as JSON like the body of a publication; None for what it does not know."""
    d = district.directory
    if kind == UNIT:
        return d.units[key].model_dump_json() if key in d.units else None
    if kind == STEWARDSHIP:
        return turns_of(district, key).model_dump_json(by_alias=True) if key in d.grids else None
    if kind == ROSTER:
        return d.rotations[key].model_dump_json() if key in d.rotations else None
    if kind == PERSON:
        return standing_of(d.people[key]).model_dump_json() if key in d.people else None
    assert kind == PERSON_LEAVE
    return Leave(leave=d.people[key].leave).model_dump_json(by_alias=True) if key in d.people else None


async def standing_view(desk: Desk, actor: Actor, kind: str, key: str) -> View:
    """`in_force` is None for what is yet to take effect; what is scheduled is for those who work here.

    Raises DomainError `not_found`.
    """
    standing = await standing_now(desk)
    now = file_of(standing.district, kind, key)
    inside = roles.holds(actor, Need.SEE_INSIDE)
    ahead = scheduled(desk, standing, kind, key) if inside else []
    if now is None and not ahead:
        raise DomainError("not_found", "There is nothing with this id.")
    version = newest(standing, kind, key, before_any(desk.watch.base.district, standing, kind, key))
    return {
        "kind": kind, "key": key, "version": version.name, "in_force": None if now is None else json.loads(now),
        "scheduled": ahead,
    }  # fmt: skip
