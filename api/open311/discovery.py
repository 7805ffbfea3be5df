"""`discovery`: which endpoints there are; and every address that is none."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from api.needs import needs
from api.open311 import described
from api.open311.arguments import Fmt, Jurisdiction, jurisdiction_of, own_address
from api.open311.errors import Open311Route, refusal
from api.open311.xml import document
from domain.needs import Need
from domain.open311_faults import Fault
from service.open311_offer import offer_of

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
PREFIX = "/open311/v2"
PUBLIC = {"Access-Control-Allow-Origin": "*"}

router = APIRouter(prefix=PREFIX, tags=["open311"], route_class=Open311Route)
leftover = APIRouter(prefix=PREFIX, tags=["open311"], route_class=Open311Route)

_DOCUMENT = described.thing(
    changeset="string", contact="string", key_service="string", max_requests="integer", endpoints="array"
)
_READ_ONLY = "discovery|services|services/[^/]+|requests/[^/]+|tokens/[^/]+"
_ADDRESSES = re.compile(rf"/(?:({_READ_ONLY})|requests|servicerequestupdates)\.(?:xml|json)")


@router.get("/discovery.{fmt}", responses=described.responses(_DOCUMENT))
@needs(Need.PUBLIC, because="Open311 is public by its standard.")
async def open311_discovery(fmt: Fmt, request: Request, jurisdiction_id: Jurisdiction = None) -> Response:
    """Where this Open311 endpoint is, whom to ask, and `changeset`, which changes whenever a service does."""
    desk = request.app.state.desk
    offer = offer_of(desk)
    jurisdiction_of(offer, jurisdiction_id or offer.jurisdictions[0], desk.district.id)
    said = {
        "changeset": offer.changeset,
        "contact": offer.file.contact,
        "key_service": offer.file.key_service,
        "max_requests": 1_000,
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": offer.file.url or f"{own_address(request)}{PREFIX}",
                "changeset": offer.changeset,
                "type": offer.file.type,
                "formats": ["text/xml", "application/json"],
            }
        ],
    }
    return document(fmt, "discovery", said, headers=PUBLIC)


@leftover.api_route(
    "{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False
)
@needs(Need.PUBLIC, because="It answers that there is nothing.")
async def open311_nothing(rest: str, request: Request) -> Response:
    """What no other route took: no such resource, or not by this method."""
    known = _ADDRESSES.fullmatch(rest)
    if known is None:
        return refusal(request, [Fault("404000")])
    return refusal(request, [Fault("405001")], headers={"Allow": "GET" if known[1] else "GET, POST"})
