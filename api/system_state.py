"""How the parts of the system do, over HTTP: for monitoring that wants more than `/readyz`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.auth import Caller
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need
from service import system_state

router = APIRouter(prefix="/api/v1", tags=["system"], route_class=StrictRoute)


@router.get("/system")
@needs(Need.SEE_SYSTEM)
async def read_system(caller: Caller, request: Request) -> dict[str, Any]:
    """Each part with its `state`: `ok`, `slow`, `down`, or `off` where it is not set up; the whole is as the worst of them.

    `queue` are demands whose workflow is not known to run yet, `events` the consumers of the feed and how far behind each
    is, `receivers` the webhooks (which of them fail is told to supervisors, admins and auditors), `channels` those that
    messages go out through. What is told is at most five seconds old. Also for API keys that may read events."""
    state = request.app.state
    return {**await system_state.system(state.desk, caller), "commit": state.settings.commit}
