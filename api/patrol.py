"""Patrol and fix over HTTP: what a worker found and mended on the spot, opened and resolved in one call."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import patrol
from service.patrol import FixForm

router = APIRouter(prefix="/api/v1", tags=["demands"], route_class=StrictRoute)


@router.post("/patrol-fixes", status_code=201)
@needs(Need.ACT_ON_DEMAND)
async def fix_on_patrol(
    form: FixForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Open a demand of the channel `patrol` and resolve it, with the pictures that show it done. Answers with the demand.

    Where it is not the caller's to resolve (it is another grid's, or a matter for a unit), it stays open with whoever it
    went to, and `refused` names the rule. The same key again finishes what was cut off and opens nothing twice."""
    fixed = await patrol.fix(request.app.state.desk, caller, form, idempotency_key)
    headers = {"Location": f"/api/v1/demands/{fixed.view['number']}"}
    if fixed.repeated:
        headers["Idempotency-Replayed"] = "true"
    body = json.dumps(fixed.view, ensure_ascii=False)
    return Response(body, status_code=201, headers=headers, media_type="application/json")
