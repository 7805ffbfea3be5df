"""Rulings of joint meetings: the list, and how one is ended before its time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.rulings import Ruling
from service.desk import Desk
from service.forms import Instant
from service.views import View, instant, person_view, unit_view
from store import rulings as storing
from store.rulings import Kept, Wanted


class RevokeForm(BaseModel):
    """Why it ends, and from which instant on; without one, at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    effective_at: Instant | None = None


async def listed(
    desk: Desk, actor: Actor, wanted: Wanted, *, in_force: bool, after: tuple[datetime, str] | None, limit: int
) -> list[View]:
    """Newest first. `in_force` True leaves out those that are not in force now. Raises DomainError `not_permitted`."""
    roles.must(actor, Need.SEE_RULES)
    now = desk.now()
    if in_force:
        wanted = Wanted(wanted.community, wanted.category, wanted.unit, now)
    return [_view(desk, kept, now) for kept in await storing.page(desk.pool, wanted, after=after, limit=limit)]


async def revoke(desk: Desk, actor: Actor, id: str, form: RevokeForm) -> View:
    """End a ruling. Demands that it brought to a unit stay there; those that come after are routed without it.

    The same once more changes nothing and is answered alike. Raises DomainError: `not_found`, `not_permitted`,
    `outside_scope`, `validation_failed` for an instant in the past, `ruling_over` when it has ended or was revoked.
    """
    kept = await storing.one(desk.pool, id)
    roles.must_hold(actor, Need.END_RULING)
    if kept is None:
        raise DomainError("not_found", "There is no ruling with this id.")
    _must_may(actor, kept.ruling)
    now = desk.now()
    until = form.effective_at or now
    if until < now and kept.revoked_at is None:
        raise DomainError("validation_failed", "What was routed by it stays so: name an instant from now on.",
                          field="/effective_at")  # fmt: skip
    revoked = await storing.revoke(desk.pool, id, until=until, at=now, by=actor.id, reason=form.reason)
    if revoked is None:
        revoked = await _repeated(desk, actor, id, form)
    await desk.look_at_rulings()
    return _view(desk, revoked, now)


async def _repeated(desk: Desk, actor: Actor, id: str, form: RevokeForm) -> Kept:
    kept = await storing.one(desk.pool, id)
    assert kept is not None
    same = (kept.revoked_by, kept.revoke_reason) == (actor.id, form.reason)
    if kept.revoked_at is None or not same or form.effective_at not in (None, kept.ruling.valid_until):
        until = instant(kept.ruling.valid_until)
        raise DomainError("ruling_over", "It was revoked before, or ends before that anyway.", valid_until=until)
    return kept


def _must_may(actor: Actor, ruling: Ruling) -> None:
    roles.must(actor, Need.END_RULING, community=ruling.community)


def _view(desk: Desk, kept: Kept, now: datetime) -> View:
    ruling = kept.ruling
    d = desk.district.directory
    category = d.categories.get(ruling.category) or d.groups.get(ruling.category)
    meeting = d.meetings.get(ruling.meeting)
    revoked = None
    if kept.revoked_at is not None:
        by = person_view(desk, kept.revoked_by)
        revoked = {"at": instant(kept.revoked_at), "by": by, "reason": kept.revoke_reason}
    return {
        "id": ruling.id,
        "meeting": {"id": ruling.meeting, "name": meeting.name if meeting else None},
        "community": ruling.community,
        "category": {"code": ruling.category, "name": category.name if category else None},
        "unit": unit_view(desk, ruling.unit),
        "valid_from": instant(ruling.valid_from),
        "valid_until": instant(ruling.valid_until),
        "in_force": ruling.in_force(now),
        "decided_at": instant(ruling.decided_at),
        "number": ruling.number,
        "chair": person_view(desk, ruling.chair),
        "revoked": revoked,
    }
