"""Administration over HTTP: units, their resources, stewards of grids, rosters, people, leave; and the trail of every change.

What is PUT replaces a version that the caller has seen (ETag and If-Match), counts at once or from `effective_at` on, and is
tried with `dry_run=true` first.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import Code, IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.publishing import DryRun, EffectiveAt, PublicationId, read_as_json
from api.strict_json import StrictRoute
from domain import roles
from domain.needs import Need
from service import admin, admin_trail
from service.admin_forms import (
    CancelForm,
    How,
    LeaveForm,
    PersonForm,
    ResourceForm,
    RetireForm,
    RosterForm,
    StewardForm,
    UnitForm,
)
from service.admin_views import standing_view
from service.desk import Desk
from service.publish_carry import Published
from service.publish_district import PERSON, PERSON_LEAVE, ROSTER, STEWARDSHIP, UNIT
from service.publish_in_force import CANCELLATION

router = APIRouter(prefix="/api/v1", tags=["administration"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", text):
        raise problem("not_found")
    return text


Id = Annotated[str, AfterValidator(_is_id)]
IfMatch = Annotated[
    str | None, Header(max_length=1_000, description="The ETag of the version that is to be replaced, or `*` for any.")
]


def _tags(header: str | None) -> tuple[str, ...] | None:
    """Weak ones never match (RFC 9110 §13.1.1)."""
    if header is None:
        return None
    found = (tag.strip() for tag in header.split(","))
    return tuple(tag if tag == "*" else tag[1:-1] for tag in found if tag == "*" or re.fullmatch(r'"[^"]*"', tag))


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _answer(published: Published) -> Response:
    """200, or 201 for a unit that is new. The ETag is that of the version that now stands, or is scheduled."""
    if published.id is None:
        return Response(published.body, media_type="application/json")
    said = json.loads(published.body)
    headers = {"Content-Location": f"/api/v1/publications/{published.id}"}
    if said["kind"] != CANCELLATION:
        headers["ETag"] = f'"{said["id"]}-{said["version"]}"'
    if published.repeated:
        headers["Idempotency-Replayed"] = "true"
    status = 201 if said.get("created") else 200
    return Response(published.body, status_code=status, headers=headers, media_type="application/json")


async def _standing(request: Request, response: Response, caller: Caller, kind: str, key: str) -> dict[str, Any]:
    view = await standing_view(_desk(request), caller, kind, key)
    response.headers["ETag"] = f'"{view["version"]}"'
    return view


# ---- units


@router.get("/units/{id}")
@needs(Need.SEE_DISTRICT)
async def read_unit(id: Id, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """The unit as it is in force, and what is scheduled for it."""
    return await _standing(request, response, caller, UNIT, id)


@router.put("/units/{id}")
@needs(Need.MANAGE_UNITS)
async def put_unit(
    id: Id, form: Annotated[UnitForm, read_as_json(UnitForm)], caller: Caller, request: Request, dry_run: DryRun = False,
    effective_at: EffectiveAt = None, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """The whole of a unit; with an id that is not taken, a new one. A retired unit comes back by it.

    Its liaison has the right to speak for it from then on, and the one before no longer has. Demands that the unit leads
    stay with it."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.put_unit(_desk(request), caller, id, form, how))


@router.post("/units/{id}/resources")
@needs(Need.MANAGE_RESOURCES)
async def put_unit_resource(
    id: Id, form: Annotated[ResourceForm, read_as_json(ResourceForm)], caller: Caller, request: Request,
    dry_run: DryRun = False, effective_at: EffectiveAt = None, if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Add a resource, or replace the one with this id. The unit's liaison may change capacity and validity."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.put_resource(_desk(request), caller, id, form, how))


@router.post("/units/{id}/retire")
@needs(Need.MANAGE_UNITS)
async def retire_unit(
    id: Id, form: RetireForm, caller: Caller, request: Request, dry_run: DryRun = False,
    effective_at: EffectiveAt = None, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Nothing new goes to the unit any more. What it leads it finishes (`keep_running`), or another unit takes it over
    (`hand_over_to`); a dry run says how much that is."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.retire_unit(_desk(request), caller, id, form, how))


# ---- stewardships, rosters, leave


@router.get("/stewardships/{grid}")
@needs(Need.SEE_DISTRICT)
async def read_stewardship(grid: Id, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """Who takes care of the grid, one after the other."""
    return await _standing(request, response, caller, STEWARDSHIP, grid)


@router.put("/stewardships/{grid}")
@needs(Need.MANAGE_STEWARDS)
async def put_stewardship(
    grid: Id, form: Annotated[StewardForm, read_as_json(StewardForm)], caller: Caller, request: Request,
    dry_run: DryRun = False, effective_at: EffectiveAt = None, if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """From its first day on this unit takes care of the grid; what was settled for that time falls away."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.put_stewardship(_desk(request), caller, grid, form, how))


@router.get("/rotation/{community}/roster")
@needs(Need.SEE_DISTRICT)
async def read_roster(community: Id, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """The order in which the units chair, and the one that is to follow."""
    return await _standing(request, response, caller, ROSTER, community)


@router.put("/rotation/{community}/roster")
@needs(Need.MANAGE_ROSTERS)
async def put_roster(
    community: Id, form: Annotated[RosterForm, read_as_json(RosterForm)], caller: Caller, request: Request,
    dry_run: DryRun = False, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Another order or another length of the turns, from the first day of a period on (`starts_on`)."""
    how = How(dry_run, idempotency_key, None, _tags(if_match))
    return _answer(await admin.put_roster(_desk(request), caller, community, form, how))


@router.get("/people/{id}")
@needs(Need.SEE_PERSON)
async def read_person(id: Id, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """Who the person is and what they may do: for that person, and for those who plan and check."""
    roles.must(caller, Need.SEE_PERSON, owner=id)
    return await _standing(request, response, caller, PERSON, id)


@router.put("/people/{id}")
@needs(Need.MANAGE_PEOPLE)
async def put_person(
    id: Id, form: Annotated[PersonForm, read_as_json(PersonForm)], caller: Caller, request: Request,
    dry_run: DryRun = False, effective_at: EffectiveAt = None, if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Name, roles and titles; with an id that is not taken, somebody new. How they sign in is another matter: `./run user`.

    The rights of a unit's liaison follow from the unit and are not said here."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.put_person(_desk(request), caller, id, form, how))


@router.get("/people/{id}/leave")
@needs(Need.SEE_LEAVE)
async def read_leave(id: Id, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """When the person is away: for that person, and for those who may settle it."""
    if caller.id != id:
        admin.must_settle_leave(_desk(request), caller, id)
    return await _standing(request, response, caller, PERSON_LEAVE, id)


@router.put("/people/{id}/leave")
@needs(Need.SETTLE_LEAVE)
async def put_leave(
    id: Id, form: Annotated[LeaveForm, read_as_json(LeaveForm)], caller: Caller, request: Request, dry_run: DryRun = False,
    effective_at: EffectiveAt = None, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """All absences of the person. For an administrator, a supervisor, or the secretary of the person's community."""
    how = How(dry_run, idempotency_key, effective_at, _tags(if_match))
    return _answer(await admin.put_leave(_desk(request), caller, id, form, how))


# ---- what was changed


@router.post("/publications/{id}/cancel")
@needs(Need.CANCEL_PUBLICATION)
async def cancel_publication(
    id: PublicationId, form: CancelForm, caller: Caller, request: Request, dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Take back what is yet to take effect."""
    how = How(dry_run, idempotency_key)
    return _answer(await admin.cancel(_desk(request), caller, int(id), form, how))


@router.get("/changes")
@needs(Need.SEE_CHANGES)
async def list_changes(
    caller: Caller, request: Request, response: Response, page: PageAsked,
    kind: Annotated[str | None, Query(max_length=32)] = None, key: Code = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who changed what, when, effective when, newest first; `changes` are the fields, before and after."""
    after = None if page.after is None else (_instant(page.after[0]), str(page.after[1]))
    found = await admin_trail.changes(_desk(request), caller, kind=kind, key=key, after=after, limit=page.limit + 1)
    if len(found) > page.limit:
        page.link_next(response, list(found[page.limit - 1][1]))
    return [view for view, _ in found[: page.limit]]


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
