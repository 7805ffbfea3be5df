"""The service menu over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.auth import Caller
from api.demands import Code
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import menu

router = APIRouter(prefix="/api/v1", tags=["menu"], route_class=StrictRoute)


@router.get("/menu")
@needs(Need.SEE_DISTRICT)
async def list_services(caller: Caller, request: Request, community: Code = None) -> list[dict[str, Any]]:
    """What the community companies and their partners offer, with prices; `community` narrows it to one and names who
    provides it there. To ask for one, submit a demand with its id as `service`."""
    return menu.menu(request.app.state.desk, caller, community)
