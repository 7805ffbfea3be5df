"""How the system does: one page for those who look after it, and a strip of it for other pages."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from domain.needs import Need
from service import system_state
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/system")
@page(Need.SEE_SYSTEM)
async def show_system(request: Request, visitor: Known) -> Response:
    found = await system_state.system(desk_of(request), visitor.staff)
    return render(
        request, visitor, "system/system.html", system=found, commit=request.app.state.settings.commit,
        version=request.app.version,
    )  # fmt: skip


@router.get("/system/strip")
@page(Need.SEE_SYSTEM)
async def show_strip(request: Request, visitor: Known) -> Response:
    """The strip alone, for a page that fetches it after it is there."""
    found = await system_state.system(desk_of(request), visitor.staff)
    return render(request, visitor, "system/strip_only.html", system=found)
