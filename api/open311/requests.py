"""`requests` and `tokens`: send one, search, read one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.needs import needs
from api.open311 import described
from api.open311.arguments import (
    Codes,
    Degrees,
    Fmt,
    Instant,
    Jurisdiction,
    Locale,
    around_of,
    box_of,
    jurisdiction_of,
    page_headers,
    paging_of,
    span_of,
    viewer_of,
)  # fmt: skip
from api.open311.discovery import PREFIX, PUBLIC
from api.open311.errors import Open311Route
from api.open311.keys import Keyed, MaybeKeyed, Writer
from api.open311.xml import document
from domain.needs import Need
from domain.open311_faults import refused
from service import open311_intake, open311_reading
from service.open311_form import first, read_report
from service.open311_offer import offer_of
from service.open311_reading import DEFAULT_DAYS, MOST, Asked

router = APIRouter(prefix=PREFIX, tags=["open311"], route_class=Open311Route)

MOST_KEY = 255
_REQUESTS = described.rows(
    service_request_id="string", status="string", status_notes="string", service_name="string", service_code="string",
    description="string?", agency_responsible="string?", service_notice="string?", requested_datetime="string",
    updated_datetime="string", expected_datetime="string?", address="string", address_id="string?", zipcode="string?",
    lat="number?", long="number?", media_url="string?",
)  # fmt: skip
_RECEIPT = {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1}
_FORM = described.form(
    ("service_code",), api_key="The key, unless it stands in the address or in Authorization.",
    service_code="A code of `services`.", lat="WGS-84.", long="WGS-84.", address_string="In words.",
    address_id="Id of a compound or a grid.", description="At most 4,000 characters of plain text.", email="",
    phone="", first_name="", last_name="", account_id="Echoed.", device_id="Not kept.", title="",
    jurisdiction_id="Needed only where there are several.",
)  # fmt: skip
Extensions = Annotated[
    Literal["true", "false"] | None, Query(description="Whether to add what the core does not have.")
]


@router.post("/requests.{fmt}", responses=described.responses(_RECEIPT, 403), openapi_extra=_FORM)
@needs(Need.SEND_OPEN311)
async def open311_create_request(fmt: Fmt, request: Request, keyed: Writer) -> Response:
    """Send a request. The same one sent again, as after a time-out, gets the same id.

    `attribute[CODE]` are the fields of the definition; `attribute[fixmystreet_id]` is the sender's own number."""
    desk, fields = request.app.state.desk, request.state.fields
    offer = offer_of(desk)
    jurisdiction = first(fields, "jurisdiction_id") or request.query_params.get("jurisdiction_id")
    jurisdiction_of(offer, jurisdiction, desk.district.id)
    key = request.headers.get("idempotency-key")
    if key is not None and len(key) > MOST_KEY:
        raise refused("400030", "Idempotency-Key")
    receipt = await open311_intake.take(desk, keyed.actor, read_report(offer, desk.district, fields), key=key)
    said: dict[str, Any] = {"service_request_id": receipt.number} if receipt.number else {}
    said |= {"token": receipt.token} if receipt.token else {}
    said |= {"service_notice": receipt.notice, "account_id": receipt.account}
    return document(fmt, "service_requests", [said], headers={"Cache-Control": "no-store"})


@router.get("/tokens/{token}.{fmt}", responses=described.responses(_RECEIPT))
@needs(Need.PUBLIC, because="A token is a secret of its own, and stands for a number only.")
async def open311_read_token(token: str, fmt: Fmt, request: Request, jurisdiction_id: Jurisdiction = None) -> Response:
    """The id that a token stands for; null until there is one."""
    desk = request.app.state.desk
    jurisdiction_of(offer_of(desk), jurisdiction_id, desk.district.id)
    number = await open311_intake.of_token(desk, token)
    headers = {**PUBLIC, "Cache-Control": "no-store"}
    return document(fmt, "service_requests", [{"service_request_id": number, "token": token}], headers=headers)


@router.get("/requests.{fmt}", responses=described.responses(_REQUESTS, 403))
@needs(Need.PUBLIC, because="Public by its standard: category, state, a point of the grid; words need a key.")
async def open311_list_requests(
    fmt: Fmt, request: Request, keyed: MaybeKeyed, jurisdiction_id: Jurisdiction = None, locale: Locale = None,
    service_request_id: Codes = None, service_code: Codes = None,
    status: Annotated[str | None, Query(pattern="^(open|closed)(,(open|closed))*$")] = None,
    start_date: Instant | None = None, end_date: Instant | None = None,
    updated_after: Instant | None = None, updated_before: Instant | None = None,
    page: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    page_size: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    lat: Degrees = None, long: Degrees = None,
    radius: Annotated[float | None, Query(ge=0, le=1e8, allow_inf_nan=False, description="Metres.")] = None,
    bbox: Annotated[str | None, Query(max_length=200, description="long1,lat1,long2,lat2")] = None,
    extensions: Extensions = None,
) -> Response:  # fmt: skip
    """Requests, the newest first: of the last 90 days and at most 1,000 unless asked otherwise.

    What the public reads is the category and a point of the grid; words need a key."""
    desk = request.app.state.desk
    offer, viewer = offer_of(desk), viewer_of(request, keyed, locale)
    community = jurisdiction_of(offer, jurisdiction_id, desk.district.id)
    if service_request_id is not None:
        numbers = list(dict.fromkeys(service_request_id.split(",")))
        if len(numbers) > MOST:
            raise refused("400030", "service_request_id")
        views = await open311_reading.by_numbers(desk, offer, viewer, numbers, extended=extensions == "true")
        return document(fmt, "service_requests", views, headers=_headers(keyed))
    paging = paging_of(page, page_size)
    open_ended = updated_after is not None or updated_before is not None
    asked = Asked(
        codes=tuple(service_code.split(",")) if service_code else None,
        status=frozenset(status.split(",")) if status else frozenset(),
        changed_from=updated_after or (updated_before - DEFAULT_DAYS if updated_before else None),
        changed_until=updated_before,
        around=around_of(lat, long, radius), box=box_of(bbox), community=community,
        page=paging.number, size=paging.size, **span_of(start_date, end_date, open_ended=open_ended),
    )  # fmt: skip
    found = await open311_reading.search(desk, offer, viewer, asked, extended=extensions == "true")
    return document(fmt, "service_requests", found.views, headers=_headers(keyed) | page_headers(request, asked, found))


@router.get("/requests/{service_request_id}.{fmt}", responses=described.responses(_REQUESTS, 403))
@needs(Need.PUBLIC, because="Public by its standard: category, state, a point of the grid; words need a key.")
async def open311_read_request(
    service_request_id: str, fmt: Fmt, request: Request, keyed: MaybeKeyed, jurisdiction_id: Jurisdiction = None,
    locale: Locale = None, extensions: Extensions = None,
) -> Response:  # fmt: skip
    """One request."""
    desk = request.app.state.desk
    offer = offer_of(desk)
    jurisdiction_of(offer, jurisdiction_id, desk.district.id)
    viewer = viewer_of(request, keyed, locale)
    views = await open311_reading.by_numbers(desk, offer, viewer, [service_request_id], extended=extensions == "true")
    if not views:
        raise refused("404003")
    return document(fmt, "service_requests", views, headers=_headers(keyed))


def _headers(keyed: Keyed | None) -> dict[str, str]:
    """Any page may read what is public; what a key opens is for its holder."""
    return dict(PUBLIC) if keyed is None else {"Cache-Control": "no-store"}
