"""The record of who had personal data opened: for auditors, and supervisors within their scope."""

from __future__ import annotations

from domain import roles
from domain.actors import Actor
from domain.needs import Need
from service.desk import Desk
from service.views import View, instant, person_view
from store import personal
from store.personal import Read


async def listed(
    desk: Desk, actor: Actor, *, person: str | None, number: str | None, before: int | None, limit: int
) -> list[tuple[int, View]]:
    """Newest first, each with its place in the order. Raises DomainError `not_permitted`."""
    roles.must_hold(actor, Need.SEE_PERSONAL_READS)
    reach = roles.reach(actor, Need.SEE_PERSONAL_READS)
    communities = None if reach.everywhere else sorted(reach.communities)
    rows = await personal.page(
        desk.pool, person=person, subject=number, communities=communities, before=before, limit=limit
    )
    return [(one.id, _view(desk, one)) for one in rows]


def _view(desk: Desk, one: Read) -> View:
    about_care = one.what.startswith("care_")
    return {
        "at": instant(one.at), "by": person_view(desk, one.actor), "what": one.what, "fields": list(one.fields),
        "reason": one.reason, "number": None if about_care else one.subject,
        "care_entry": one.subject if about_care else None, "request_id": one.request_id,
    }  # fmt: skip
