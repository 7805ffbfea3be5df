"""The audit trail of the district: who changed what, when, effective when, and which fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from service.desk import Desk
from service.publish_carry import standing_now
from service.publish_district import OF_THE_DISTRICT, PERSON_LEAVE, ROSTER, UNIT
from service.publish_in_force import CANCELLATION, HOLIDAY_YEAR, ROUTING, SLA, InForce
from service.views import View, instant, person_view
from store import admin_trail
from store.admin_trail import Change

RULING, ROTATION_CHANGE = "ruling", "rotation_change"
KINDS = (HOLIDAY_YEAR, SLA, ROUTING, *OF_THE_DISTRICT, CANCELLATION, RULING, ROTATION_CHANGE)


async def changes(
    desk: Desk, actor: Actor, *, kind: str | None, key: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[View, tuple[datetime, str]]]:
    """Newest first, each with the keyset of what comes after it.

    Raises DomainError: `invalid_filter`, `not_permitted`. The liaison of a unit may ask for that unit, the secretary of a
    community for its rotation.
    """
    if kind is not None and kind not in KINDS:
        raise DomainError("invalid_filter", "There are no changes of this kind.", allowed=list(KINDS))
    unit = key if kind == UNIT else None
    community = key if kind in (ROSTER, ROTATION_CHANGE) else None
    roles.must(actor, Need.SEE_CHANGES, unit=unit, community=community)
    standing = await standing_now(desk)
    found = await admin_trail.page(desk.pool, kind=kind, key=key, after=after, limit=limit)
    personal = roles.may(actor, Need.SEE_LEAVE)
    return [(_view(desk, standing, one, personal=personal), (one.at, one.ref)) for one in found]


def _view(desk: Desk, standing: InForce, one: Change, *, personal: bool) -> View:
    about: View = {
        "kind": one.kind, "key": one.key, "by": person_view(desk, one.by), "at": instant(one.at),
        "effective_at": instant(one.effective_at),
    }  # fmt: skip
    if one.kind in (RULING, ROTATION_CHANGE):
        return {**about, **_register_view(one.data)}
    published = next((p for p in standing.publications if p.id == one.data["id"]), None)
    changed: Any = one.data["changes"]
    if one.kind == PERSON_LEAVE and not personal:
        changed = None  # when somebody is away is nobody's business who does not plan with it
    return {
        **about, "publication": one.data["id"], "version": one.data["version"],
        "state": None if published is None else standing.state(published), "changes": changed,
        **({"reason": one.data["body"]["reason"]} if one.kind == CANCELLATION else {}),
    }  # fmt: skip


def _register_view(data: Any) -> View:
    """An entry is made or revoked, never edited: it has no version before."""
    said = dict(data)
    revoked = bool(said.pop("revoked", False))
    reason = {"reason": said.pop("reason")} if "reason" in said else {}
    return {"state": "revoked" if revoked else "made", "changes": None, **reason, "entry": said}
