"""Likely duplicates and hot spots over HTTP: suggestions for people, nothing is merged here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import Code, IdempotencyKey, Number
from api.needs import needs
from api.paging import PageAsked
from api.preferences import done_within, patience, under_way
from api.strict_json import StrictRoute
from domain.needs import Need
from service import duplicates, followers, hot_spots
from service.forms import DraftForm, GatherForm

router = APIRouter(prefix="/api/v1", tags=["duplicates"], route_class=StrictRoute)


@router.post("/demands/duplicates")
@needs(Need.SEE_DEMANDS)
async def find_duplicates_of_draft(form: DraftForm, caller: Caller, request: Request) -> dict[str, Any]:
    """Demands that may be the same matter as one that is about to be submitted, likeliest first, with the reasons.
    Nothing of the draft is kept.

    Staff see those in their scope. Residents see only how many there are, what about, since which day and in which
    stage; numbers only of their own."""
    return await duplicates.of_draft(request.app.state.desk, caller, form)


@router.get("/demands/{number}/duplicates")
@needs(Need.SEE_DEMANDS)
async def list_duplicates(number: Number, caller: Caller, request: Request) -> dict[str, Any]:
    """Demands that may be the same matter as this one: same branch of categories, same place or not far, near in time,
    similar text; likeliest first, with the reasons. Who sees what is as for a draft."""
    return await duplicates.of_demand(request.app.state.desk, caller, number)


@router.get("/demands/{number}/followers")
@needs(Need.SEE_DEMANDS)
async def list_followers(
    number: Number, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """The demands that follow this one: handled with it, and each reporter asked for themselves; oldest first."""
    after = str(page.after[0]) if page.after else None
    views, last = await followers.listed(request.app.state.desk, caller, number, after=after, limit=page.limit)
    if last is not None:
        page.link_next(response, [last])
    return views


@router.post("/demands/{number}/followers")
@needs(Need.GATHER_DUPLICATES)
async def gather_followers(
    number: Number, form: GatherForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Any:
    """Attach duplicates to this demand, up to 500 at once, and put it on the next agenda if `onto_agenda` says so.

    What is refused of single ones is named in `refused`, and hinders no other; the same request again under its key
    finishes what was cut off."""
    seconds = patience(request, idempotency_key)
    gathering = followers.gather(request.app.state.desk, caller, number, form, idempotency_key or uuid4().hex)
    report = await (gathering if seconds is None else done_within(request, gathering, seconds))
    return under_way(number, f"/api/v1/demands/{number}/followers") if report is None else report


@router.get("/hot-spots")
@needs(Need.SEE_HOT_SPOTS)
async def list_hot_spots(
    caller: Caller,
    request: Request,
    community: Code = None,
    days: Annotated[int, Query(ge=1, le=90, description="How far back, in calendar days.")] = 30,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[dict[str, Any]]:
    """What several people reported at one place across days, the hottest first: matter for the next joint meeting. Heat
    counts reporters, broken clocks and days with a report. For secretaries, chairs and supervisors."""
    return await hot_spots.listed(request.app.state.desk, caller, community, days=days, limit=limit)
