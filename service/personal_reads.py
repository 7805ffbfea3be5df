"""The record of who had personal data opened: for auditors, and supervisors within their scope."""

from __future__ import annotations

from domain.actors import Actor
from domain.errors import DomainError
from domain.privacy import OVERSEES
from service.desk import Desk
from service.views import View, instant, person_view
from store import personal
from store.personal import Read


async def listed(
    desk: Desk, actor: Actor, *, person: str | None, number: str | None, before: int | None, limit: int
) -> list[tuple[int, View]]:
    """Newest first, each with its place in the order. Raises DomainError `not_permitted`."""
    grants = [grant for grant in actor.grants if grant.role in OVERSEES]
    if not grants:
        rule = "Who read personal data is for auditors and supervisors."
        raise DomainError("not_permitted", rule, allowed=[str(role) for role in OVERSEES])
    everywhere = any(grant.community is None for grant in grants)
    communities = None if everywhere else sorted({grant.community for grant in grants if grant.community})
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
