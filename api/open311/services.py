"""`services` and their definitions: what may be asked for, and with which fields."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.needs import needs
from api.open311 import described
from api.open311.arguments import Degrees, Fmt, Jurisdiction, Locale, jurisdiction_of, viewer_of
from api.open311.discovery import PREFIX, PUBLIC
from api.open311.errors import Open311Route
from api.open311.xml import document
from domain.needs import Need
from domain.open311_faults import refused
from domain.open311_services import Attribute, Service
from service.open311_offer import offer_of

router = APIRouter(prefix=PREFIX, tags=["open311"], route_class=Open311Route)

_SERVICES = described.rows(
    service_code="string", service_name="string", description="string", metadata="boolean", type="string",
    keywords="string?", group="string",
)  # fmt: skip
_DEFINITION = described.thing(service_code="string", attributes="array")


@router.get("/services.{fmt}", responses=described.responses(_SERVICES))
@needs(Need.PUBLIC, because="Open311 is public by its standard.")
async def open311_services(
    fmt: Fmt, request: Request, jurisdiction_id: Jurisdiction = None, lat: Degrees = None, long: Degrees = None,
    locale: Locale = None,
) -> Response:  # fmt: skip
    """The services; with `lat` and `long` those offered there: all inside the district, none outside."""
    desk = request.app.state.desk
    offer = offer_of(desk)
    jurisdiction_of(offer, jurisdiction_id, desk.district.id)
    if (lat is None) != (long is None):
        raise refused("400014")
    here = lat is None or long is None or desk.district.grid_at(lat, long) is not None
    english = viewer_of(request, None, locale).english
    found = [_service(service, english) for service in offer.services.values()] if here else []
    return document(fmt, "services", found, headers=PUBLIC)


def _service(service: Service, english: bool) -> dict[str, Any]:
    leaf, group = service.category, service.group
    keywords = [*leaf.keywords, "private"] if service.private else leaf.keywords
    return {
        "service_code": leaf.code,
        "service_name": leaf.name_en if english else leaf.name,
        "description": service.path,
        "metadata": bool(service.attributes),
        "type": service.type,
        "keywords": ",".join(keywords),
        "group": group.name_en if english else group.name,
    }


@router.get("/services/{service_code}.{fmt}", responses=described.responses(_DEFINITION))
@needs(Need.PUBLIC, because="Open311 is public by its standard.")
async def open311_service_definition(
    service_code: str, fmt: Fmt, request: Request, jurisdiction_id: Jurisdiction = None
) -> Response:
    """The fields of a service's form."""
    desk = request.app.state.desk
    offer = offer_of(desk)
    jurisdiction_of(offer, jurisdiction_id, desk.district.id)
    service = offer.services.get(service_code)
    if service is None:
        raise refused("404002")
    attributes = [_attribute(attribute, order) for order, attribute in enumerate(service.attributes, 1)]
    said = {"service_code": service_code, "attributes": attributes}
    return document(fmt, "service_definition", said, headers=PUBLIC)


def _attribute(a: Attribute, order: int) -> dict[str, Any]:
    said = {
        "variable": a.variable,
        "code": a.code,
        "datatype": a.datatype,
        "required": a.required,
        "datatype_description": a.hint,
        "order": order,
        "description": a.description,
    }
    return said | ({"values": [{"key": o.key, "name": o.name} for o in a.values]} if a.values else {})
