"""A demand's case file over HTTP, and the keys that such files are signed with."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.demands import Number
from api.needs import needs
from api.strict_json import StrictRoute
from api.system import product_version
from domain.case_file import written
from domain.needs import Need
from service import case_file, case_signing

router = APIRouter(prefix="/api/v1", tags=["demands"], route_class=StrictRoute)


@router.get(
    "/demands/{number}/case-file",
    response_class=Response,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
@needs(Need.EXPORT_CASE_FILE)
async def export_demand_case_file(number: Number, caller: Caller, request: Request) -> Response:
    """The demand with its log, calendars and texts as one file that proves itself: `./run verify FILE` checks and replays
    it without a server. Texts that the caller may not read are named and left out."""
    file = await case_file.case_file(request.app.state.desk, caller, number, product=product_version())
    headers = {
        "Content-Disposition": f'attachment; filename="{number}.linli-case.json"',
        "Cache-Control": "no-store",
    }
    return Response(written(file), media_type="application/json", headers=headers)


@router.get("/case-file-keys")
@needs(Need.SEE_DISTRICT)
async def list_case_file_keys(caller: Caller, request: Request) -> dict[str, Any]:
    """The public keys that this product's case files are signed with, the one that signs now first."""
    keys = case_signing.public_keys(request.app.state.desk.settings.key_ring())
    return {"algorithm": "Ed25519", "keys": [{"id": id, "public_key": key} for id, key in keys.items()]}
