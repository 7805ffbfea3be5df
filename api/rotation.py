"""The rotating chair over HTTP: who chairs, the calendar of a year, and changes to it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import rotation
from service.repeats import Answered
from service.rotation_forms import ChangeForm

router = APIRouter(prefix="/api/v1/rotation", tags=["rotation"], route_class=StrictRoute)

Community = Annotated[str, Path(max_length=64)]
ChangeId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Year = Annotated[int | None, Query(ge=2000, le=2199, description="Of the calendar; the current year if left out.")]


@router.get("")
@needs(Need.SEE_DISTRICT)
async def list_rotations(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """Of each community: who chairs today, how they came to it, until which day, and whose turn is next."""
    return rotation.overview(request.app.state.desk)


@router.get("/{community}")
@needs(Need.SEE_DISTRICT)
async def read_rotation(community: Community, caller: Caller, request: Request, year: Year = None) -> dict[str, Any]:
    """The calendar of a year: each turn with who was passed over, exchanged or stood in; and the turns handed over.

    `marks` of a turn are skip, swap, substitute and override; days are local dates, the last one included."""
    return await rotation.community(request.app.state.desk, caller, community, year)


@router.post("/{community}/changes", status_code=201)
@needs(Need.CHANGE_ROTATION)
async def change_rotation(
    community: Community, form: ChangeForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Skip a turn, exchange two, name a substitute for days of absence, or override who chairs.

    For the community's secretary, a supervisor or an administrator. `moves` lists who chairs instead of whom in the
    year ahead."""
    done = await rotation.enter(request.app.state.desk, caller, community, form, idempotency_key)
    return _answer(done, 201)


@router.post("/{community}/changes/{change}/revoke")
@needs(Need.CHANGE_ROTATION)
async def revoke_rotation_change(
    community: Community, change: ChangeId, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a change back. What has happened under it stays; a change that others build on is revoked after them."""
    done = await rotation.revoke(request.app.state.desk, caller, community, change, idempotency_key)
    return _answer(done, 200)


def _answer(done: Answered, status: int) -> Response:
    headers = {"Idempotency-Replayed": "true"} if done.repeated else {}
    return Response(done.body, status_code=status, headers=headers, media_type="application/json")
