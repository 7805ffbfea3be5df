"""Exclusions from the rates over HTTP: asked for at a demand, decided by somebody else, listed for whoever reads figures."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import IdempotencyKey, Number
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.exclusions import MONTH, Decision, ExclusionState
from domain.needs import Need
from service import exclusions
from service.exclusion_forms import ExclusionForm
from service.repeats import Answered
from store.exclusions import Wanted

router = APIRouter(prefix="/api/v1", tags=["rates"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"exc-[0-9]{6,12}", text, re.ASCII):
        raise problem("not_found")
    return text


ExclusionId = Annotated[str, AfterValidator(_is_id)]


@router.post("/demands/{number}/exclusions", status_code=201)
@needs(Need.ASK_EXCLUSION)
async def ask_for_exclusion(
    number: Number, form: ExclusionForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask that a demand, also a closed one, be left out of some rates for a month. For staff who see the demand.

    It counts once a supervisor other than the caller has approved it."""
    taken = await exclusions.ask(request.app.state.desk, caller, number, form, idempotency_key)
    return _answer(taken, 201)


@router.get("/exclusions")
@needs(Need.SEE_EXCLUSIONS)
async def list_exclusions(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    state: ExclusionState | None = None,
    month: Annotated[str | None, Query(pattern=MONTH, description="A local month.")] = None,
    number: Annotated[str | None, Query(max_length=40, description="A demand's number.")] = None,
) -> list[dict[str, Any]]:
    """Exclusions, newest first: all for supervisors, auditors and admins, those of the community for its secretary, and
    what the caller asked for."""
    before = str(page.after[0]) if page.after else None
    wanted = Wanted(state=state, month=month, number=number)
    views = await exclusions.exclusions(request.app.state.desk, caller, wanted, before=before, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["id"]])
    return views[: page.limit]


@router.get("/exclusions/{id}")
@needs(Need.SEE_EXCLUSIONS)
async def read_exclusion(id: ExclusionId, caller: Caller, request: Request) -> dict[str, Any]:
    """One exclusion with its log. `effect`: what it takes out of each figure by the definition in force."""
    return await exclusions.exclusion(request.app.state.desk, caller, id)


@router.post("/exclusions/{id}/decisions")
@needs(Need.DECIDE_EXCLUSION)
async def decide_exclusion(
    id: ExclusionId, form: Decision, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """`approve` or `refuse` what somebody else asked for, `revoke` what was approved, as a supervisor of the place; who
    asked may `withdraw`. To refuse and to revoke needs a `reason`. Answers with the exclusion as it is afterwards."""
    taken = await exclusions.decide(request.app.state.desk, caller, id, form, idempotency_key)
    return _answer(taken, 200)


def _answer(taken: Answered, status: int) -> Response:
    headers = {"Location": f"/api/v1/exclusions/{taken.id}"} if status == 201 else {}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=status, headers=headers, media_type="application/json")
