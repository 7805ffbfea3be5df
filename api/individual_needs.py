"""Individual needs over HTTP: a private list, see `service/care.py`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import Code, IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from service import care
from service.care_forms import CareChange, CareForm, CheckInForm
from service.repeats import Answered
from store.care import Wanted

router = APIRouter(prefix="/api/v1", tags=["individual needs"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"care-[0-9]{6,12}", text, re.ASCII):
        raise problem("not_found")
    return text


CareId = Annotated[str, AfterValidator(_is_id)]


@router.get("/care-groups")
@needs(Need.SEE_DISTRICT)
async def list_care_groups(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The special-care groups, each with its usual rhythm of check-ins in days."""
    return care.groups(request.app.state.desk)


@router.get("/individual-needs")
@needs(Need.CARE)
async def list_individual_needs(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    community: Code = None,
    grid: Code = None,
    group: Code = None,
    responsible: Code = None,
    overdue: bool | None = None,
) -> list[dict[str, Any]]:
    """Whom the caller looks after, without names: group, needs, who owes the next check-in and by which day.

    `responsible=me` means the caller. For the grid's worker, the community's secretary and the supervisor only."""
    mine = caller.id if responsible == "me" else responsible
    wanted = Wanted(community=community, grid=grid, group=group, responsible=mine, overdue=overdue)
    after = str(page.after[0]) if page.after else None
    views = await care.entries(request.app.state.desk, caller, wanted, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["id"]])
    return views[: page.limit]


@router.post("/individual-needs", status_code=201)
@needs(Need.CARE)
async def add_individual_need(
    form: CareForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Put somebody on the list. The answer does not repeat the person."""
    return _answer(await care.add(request.app.state.desk, caller, form, idempotency_key), 201)


@router.get("/individual-needs/{id}")
@needs(Need.CARE)
async def read_individual_need(id: CareId, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """One entry with name, phone and address. Reading it leaves a trace."""
    response.headers["Cache-Control"] = "no-store"
    return await care.entry(request.app.state.desk, caller, id)


@router.patch("/individual-needs/{id}")
@needs(Need.CARE)
async def change_individual_need(
    id: CareId, form: CareChange, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Change what is named; the answer does not repeat the person."""
    return _answer(await care.change(request.app.state.desk, caller, id, form, idempotency_key), 200)


@router.delete("/individual-needs/{id}")
@needs(Need.CARE)
async def end_individual_need(
    id: CareId, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take somebody off the list: name, phone and address are erased, the history stays."""
    return _answer(await care.end(request.app.state.desk, caller, id, idempotency_key), 200)


@router.post("/individual-needs/{id}/check-ins")
@needs(Need.CARE)
async def check_in(
    id: CareId, form: CheckInForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Somebody visited or called; answers with the entry and its next check-in."""
    return _answer(await care.check_in(request.app.state.desk, caller, id, form, idempotency_key), 200)


@router.get("/individual-needs/{id}/events")
@needs(Need.CARE)
async def list_individual_need_events(
    id: CareId, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """What was done with an entry, by whom and when, oldest first; nothing personal."""
    after = int(str(page.after[0])) if page.after else 0
    views = await care.history(request.app.state.desk, caller, id, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["seq"]])
    return views[: page.limit]


@router.get("/individual-needs/{id}/readings")
@needs(Need.OVERSEE_CARE)
async def list_individual_need_readings(
    id: CareId, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """Who read the person, newest first. For the community's secretary and the supervisor."""
    before = int(str(page.after[0])) if page.after else None
    rows = await care.readings(request.app.state.desk, caller, id, before=before, limit=page.limit + 1)
    if len(rows) > page.limit:
        page.link_next(response, [rows[page.limit - 1][0]])
    return [view for _, view in rows[: page.limit]]


def _answer(taken: Answered, status: int) -> Response:
    headers = {"Location": f"/api/v1/individual-needs/{taken.id}"} if status == 201 else {}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=status, headers=headers, media_type="application/json")
