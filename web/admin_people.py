"""Administration of people: who they are, what they may do, when they are away, where they are signed in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from domain import roles
from domain.errors import DomainError
from domain.needs import Need
from domain.people import Person
from domain.vocabulary import Role
from service import admin, sign_in_views
from service.admin_views import standing_view
from service.desk import Desk
from service.places import local_date
from service.publish_district import PERSON, PERSON_LEAVE
from web.admin import newest_body
from web.admin_frame import shown
from web.page import Known, PageRoute, desk_of, page
from web.visitor import Visitor

router = APIRouter(prefix="/admin/people", route_class=PageRoute, include_in_schema=False)

PAGE = 50
GRANTED = [role for role in Role if role != "system"]


@router.get("")
@page(Need.SETTLE_LEAVE)
async def people(request: Request, visitor: Known, q: str = "", role: str = "", start: int = 0) -> Response:
    """Those whom one may look at: everybody, or the people of one's community."""
    desk = desk_of(request)
    found = [p for p in desk.district.people if _wanted(p, q.strip(), role) and _may_look(desk, visitor, p)]
    start = max(start, 0)
    return shown(
        request, visitor, "people.html", "people", people=found[start : start + PAGE], count=len(found), q=q, role=role,
        start=start, more=start + PAGE if start + PAGE < len(found) else None, granted=GRANTED,
        today=local_date(desk.now(), desk.district),
    )  # fmt: skip


def _wanted(person: Person, q: str, role: str) -> bool:
    fits = not role or any(grant.role == role for grant in person.grants)
    return fits and any(q.lower() in said.lower() for said in (person.id, person.name, *person.titles))


def _may_look(desk: Desk, visitor: Visitor, person: Person) -> bool:
    if roles.may(visitor.staff, Need.SEE_PERSON, owner=person.id):
        return True
    try:
        admin.must_settle_leave(desk, visitor.staff, person.id)
    except DomainError:
        return False
    return True


@router.get("/{id}")
@page(Need.SETTLE_LEAVE)
async def person(request: Request, visitor: Known, id: str) -> Response:
    """Each part for whom it is: leave for whoever settles it, roles for whoever may read them, sessions to end them."""
    desk, actor = desk_of(request), visitor.staff
    admin.must_settle_leave(desk, actor, id)
    leave = await standing_view(desk, actor, PERSON_LEAVE, id)
    seen = roles.may(actor, Need.SEE_PERSON, owner=id)
    view = await standing_view(desk, actor, PERSON, id) if seen else None
    ends = roles.may(actor, Need.MANAGE_SESSIONS)
    sessions = await sign_in_views.sessions_of(desk, id, None) if ends else None
    return shown(
        request, visitor, "person.html", "people", person=desk.district.person(id), view=view,
        standing=newest_body(view) if view else None, leave=leave, spans=newest_body(leave)["leave"], sessions=sessions,
        granted=GRANTED, changes=roles.may(actor, Need.MANAGE_PEOPLE), units=desk.district.units,
    )  # fmt: skip
