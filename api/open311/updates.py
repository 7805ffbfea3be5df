"""`servicerequestupdates`: the extension by which FixMyStreet and its like follow requests, and add to them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.needs import needs
from api.open311 import described
from api.open311.arguments import Codes, Fmt, Instant, Jurisdiction, Locale, jurisdiction_of, span_of, viewer_of
from api.open311.discovery import PREFIX
from api.open311.errors import Open311Route
from api.open311.keys import Reader, Writer
from api.open311.xml import document
from domain.needs import Need
from domain.open311_faults import refused
from service import open311_history, open311_updates
from service.open311_form import first
from service.open311_history import Entry
from service.open311_offer import offer_of

router = APIRouter(prefix=PREFIX, tags=["open311"], route_class=Open311Route)

_PRIVATE = {"Cache-Control": "no-store"}
_UPDATES = described.rows(
    update_id="string", service_request_id="string", status="string", updated_datetime="string", description="string",
    media_url="string?", external_status_code="string", fixmystreet_id="string?",
)  # fmt: skip
_RECEIPT = described.rows(update_id="string", account_id="string?")
_FORM = described.form(
    open311_updates.REQUIRED, api_key="The key, unless it stands in the address or in Authorization.",
    service_request_id="Of a request that this key sent.", update_id="The sender's own number of the update.",
    status="OPEN, FIXED, REOPEN, CANCELLED …", updated_datetime="ISO 8601 with an offset.",
    description="At most 4,000 characters of plain text.", first_name="", last_name="", account_id="Echoed.",
    jurisdiction_id="Needed only where there are several.",
)  # fmt: skip


@router.get("/servicerequestupdates.{fmt}", responses=described.responses(_UPDATES, 403))
@needs(Need.FOLLOW_OPEN311)
async def open311_list_updates(
    fmt: Fmt, request: Request, keyed: Reader, jurisdiction_id: Jurisdiction = None, locale: Locale = None,
    start_date: Instant | None = None, end_date: Instant | None = None, service_request_id: Codes = None,
) -> Response:  # fmt: skip
    """What happened from `start_date` to just before `end_date`, both or neither (then: in the last day).

    The time of an update is that of its writing, so a window that overlaps the one before misses nothing."""
    desk = request.app.state.desk
    offer = offer_of(desk)
    jurisdiction_of(offer, jurisdiction_id, desk.district.id)
    if (start_date is None) != (end_date is None):
        raise refused("400003", "end_date" if end_date is None else "start_date")
    span_of(start_date, end_date)
    viewer = viewer_of(request, keyed, locale)
    found = await open311_history.updates(
        desk, offer, viewer, since=start_date, until=end_date, number=service_request_id
    )
    return document(fmt, "service_request_updates", [_update(entry) for entry in found], headers=_PRIVATE)


def _update(entry: Entry) -> dict[str, Any]:
    return {
        "update_id": entry.id,
        "service_request_id": entry.number,
        "status": str(entry.status),
        "updated_datetime": entry.at,
        "description": entry.description,
        "media_url": None,
        "external_status_code": entry.code,
        "fixmystreet_id": entry.ref,
    }


@router.post("/servicerequestupdates.{fmt}", responses=described.responses(_RECEIPT, 403), openapi_extra=_FORM)
@needs(Need.SEND_OPEN311)
async def open311_create_update(fmt: Fmt, request: Request, keyed: Writer) -> Response:
    """Add to a request that this key sent. The same `update_id` again is answered the same and done once."""
    desk, fields = request.app.state.desk, request.state.fields
    jurisdiction = first(fields, "jurisdiction_id") or request.query_params.get("jurisdiction_id")
    jurisdiction_of(offer_of(desk), jurisdiction, desk.district.id)
    update_id = await open311_updates.take(desk, keyed.actor, fields)
    said = {"update_id": update_id, "account_id": first(fields, "account_id") or None}
    return document(fmt, "service_request_updates", [said], headers=_PRIVATE)
