"""The district over HTTP: its places, units and categories, as the pack has them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.auth import Caller
from api.needs import needs
from api.strict_json import StrictRoute
from domain.needs import Need

router = APIRouter(prefix="/api/v1", tags=["district"], route_class=StrictRoute)


@router.get("/communities")
@needs(Need.SEE_DISTRICT)
async def list_communities(caller: Caller, request: Request) -> list[dict[str, Any]]:
    d = request.app.state.desk.district
    return [
        {"id": c.id, "name": c.name, "name_en": c.name_en, "grids": len(d.grids_of(c.id))} for c in d.communities
    ]  # fmt: skip


@router.get("/grids")
@needs(Need.SEE_DISTRICT)
async def list_grids(caller: Caller, request: Request, community: str | None = None) -> list[dict[str, Any]]:
    """Grids with their duty worker and the ring of their polygon (WGS-84, lon and lat)."""
    d = request.app.state.desk.district
    return [
        {
            "id": g.id, "name": g.name, "community": g.community, "duty_worker": g.duty_worker,
            "substitute": g.substitute, "ring": g.ring,
        }
        for g in d.grids
        if community in (None, g.community)
    ]  # fmt: skip


@router.get("/units")
@needs(Need.SEE_DISTRICT)
async def list_units(
    caller: Caller, request: Request, community: str | None = None, kind: str | None = None
) -> list[dict[str, Any]]:
    d = request.app.state.desk.district
    return [
        {
            "id": u.id, "name": u.name, "kind": u.kind, "communities": u.communities, "liaison": u.liaison,
            "resources": [r.model_dump(mode="json") for r in u.resources],
        }
        for u in d.units
        if u.retired is None and (community is None or community in u.communities) and kind in (None, u.kind)
    ]  # fmt: skip


@router.get("/categories")
@needs(Need.SEE_DISTRICT)
async def list_categories(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The leaves; a demand is filed under one of them."""
    d = request.app.state.desk.district
    return [
        {
            "code": c.code, "name": c.name, "name_en": c.name_en,
            "path": [g.name for g in d.category_path(c.code)], "handling_level": c.handling_level,
            "sla_class": c.sla_class, "evidence": c.evidence,
        }
        for c in d.categories
    ]  # fmt: skip
