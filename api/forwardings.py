"""Forwardings over HTTP: what waits for another city system, who owns the wait and until when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Caller
from api.demands import Code, IdempotencyKey, Number
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from service import forwardings
from service.forwarding_forms import ForwardForm
from service.repeats import Answered

router = APIRouter(prefix="/api/v1", tags=["forwardings"], route_class=StrictRoute)

RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
States = Annotated[
    list[Literal["waiting", "failed", "sent", "done", "stopped", "given_up"]] | None,
    Query(description="Only in these states, any number of them; without it all that are under way."),
]


@router.get("/demands/{number}/forwardings")
@needs(Need.SEE_FORWARDINGS)
async def list_demand_forwardings(number: Number, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """To which other city systems the demand went, oldest first: its number there, how it stands, what is tried when."""
    return await forwardings.of_demand(request.app.state.desk, caller, number)


@router.post("/demands/{number}/forwardings", status_code=201)
@needs(Need.STEER_FORWARDINGS)
async def forward_demand(
    number: Number, form: ForwardForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Forward it to a system of the unit that has it. For that unit's liaison and supervisors."""
    return _answer(await forwardings.forward(request.app.state.desk, caller, number, form, idempotency_key), 201)


@router.get("/forwardings")
@needs(Need.SEE_FORWARDINGS)
async def list_forwardings(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    state: States = None,
    neighbour: Code = None,
    unit: Code = None,
) -> list[dict[str, Any]]:
    """What is under way to other city systems, or was given up, newest first: attempts, the next one, its owner, and the
    code of the last error."""
    found = await forwardings.listed(
        request.app.state.desk, caller, states=state, neighbour=neighbour, unit=unit,
        before=int(str(page.after[0])) if page.after else None, limit=page.limit + 1,
    )  # fmt: skip
    if len(found) > page.limit:
        page.link_next(response, (found[page.limit - 1][1],))
    return [view for view, _ in found[: page.limit]]


@router.post("/forwardings/{id}/retry")
@needs(Need.STEER_FORWARDINGS)
async def retry_forwarding(
    id: RowId, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Try it at once; what was given up or stopped begins anew. For the unit's liaison and supervisors."""
    return _answer(await forwardings.retry(request.app.state.desk, caller, id, idempotency_key))


@router.post("/forwardings/{id}/stop")
@needs(Need.STEER_FORWARDINGS)
async def stop_forwarding(
    id: RowId, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Send and follow it no more; the other system is not told. For the unit's liaison and supervisors."""
    return _answer(await forwardings.stop(request.app.state.desk, caller, id, idempotency_key))


def _answer(taken: Answered, status: int = 200) -> Response:
    headers = {"Idempotency-Replayed": "true"} if taken.repeated else {}
    return Response(taken.body, status_code=status, headers=headers, media_type="application/json")
