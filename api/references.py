"""A demand's numbers in other systems over HTTP. `GET /demands?reference=SYSTEM:NUMBER` finds a demand by any of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import IdempotencyKey, Number
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import references
from service.forms import ExternalRef

router = APIRouter(prefix="/api/v1", tags=["demands"], route_class=StrictRoute)

_System = Annotated[str, Query(min_length=1, max_length=40, pattern=r"\S")]
_Ref = Annotated[
    str, Query(alias="number", min_length=1, max_length=80, pattern=r"\S", description="The number in that system.")
]


@router.get("/demands/{number}/references")
@needs(Need.SEE_DEMANDS)
async def list_demand_references(number: Number, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """What the demand is called in other systems, such as 12345 or 城管."""
    return await references.references_of(request.app.state.desk, caller, number)


@router.post("/demands/{number}/references", status_code=201)
@needs(Need.KEEP_REFERENCES)
async def add_demand_reference(
    number: Number, form: ExternalRef, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """One more number in another system; answers with all the demand has. A number stands for one demand only."""
    done = await references.add(request.app.state.desk, caller, number, form, idempotency_key)
    headers = {"Idempotency-Replayed": "true"} if done.repeated else {}
    return Response(done.body, status_code=201, headers=headers, media_type="application/json")


@router.delete("/demands/{number}/references", status_code=204)
@needs(Need.KEEP_REFERENCES)
async def remove_demand_reference(
    number: Number, caller: Caller, request: Request, system: _System, reference: _Ref
) -> Response:
    """Take a number in another system away from the demand, because it was wrong."""
    await references.remove(
        request.app.state.desk, caller, number, ExternalRef(system=system, number=reference)
    )  # fmt: skip
    return Response(status_code=204)
