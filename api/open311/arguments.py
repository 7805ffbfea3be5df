"""The arguments that GeoReport's readings share: which jurisdiction, which span of time, which page, where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BeforeValidator

from api.open311.keys import Keyed
from api.problems import prefers_english
from domain.open311_faults import refused
from domain.open311_services import instant_of
from service.open311_offer import Offer
from service.open311_reading import DEFAULT_DAYS, MOST, Asked, Found
from service.open311_viewer import Viewer

MOST_A_PAGE, DEFAULT_A_PAGE = 500, 50
_SECOND = timedelta(seconds=1)


def _instant(value: Any) -> datetime:
    found = instant_of(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a date-time with an offset and no fractions")
    return found


Fmt = Literal["xml", "json"]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Codes = Annotated[str | None, Query(max_length=20_000, pattern=r"^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$")]
Jurisdiction = Annotated[str | None, Query(max_length=100, description="Needed only where there are several.")]
Locale = Annotated[Literal["zh", "en"] | None, Query(description="Language of names and sentences.")]
Degrees = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)]


def own_address(request: Request) -> str:
    """Where this installation is: as its settings say, for a Host header is the sender's word; without them as asked for."""
    return (request.app.state.settings.public_url or str(request.base_url)).rstrip("/")


def jurisdiction_of(offer: Offer, given: str | None, district: str) -> str | None:
    """The community it narrows everything to, None for the district. Raises Refused."""
    known = offer.jurisdictions
    if given is None:
        if len(known) > 1:
            raise refused("400001")
        given = known[0]
    if given not in known:
        raise refused("404001")
    return None if given == district else given


def viewer_of(request: Request, keyed: Keyed | None, locale: str | None) -> Viewer:
    english = locale == "en" if locale else prefers_english(request)
    return Viewer(keyed.actor if keyed else None, words=keyed is not None and keyed.reads, english=english)


def span_of(start: datetime | None, end: datetime | None, *, open_ended: bool = False) -> dict[str, datetime | None]:
    """From `opened_from` to just before `opened_until`; of one end only, 90 days. Raises Refused.

    Times go out without fractions, so the last second counts as a whole.
    """
    if start is not None and end is not None and end - start > DEFAULT_DAYS:
        raise refused("400021")
    if start is not None and end is None and not open_ended:
        end = start + DEFAULT_DAYS
    if end is not None and start is None:
        start = end - DEFAULT_DAYS
    return {"opened_from": start, "opened_until": end + _SECOND if end else None}


def box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """long1,lat1,long2,lat2 of any two opposite corners. Raises Refused."""
    if text is None:
        return None
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        raise refused("400013", "bbox") from None
    if not all(abs(x) <= 180 for x in (x1, x2)) or not all(abs(y) <= 90 for y in (y1, y2)):
        raise refused("400013", "bbox")
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def around_of(lat: float | None, long: float | None, radius: float | None) -> tuple[float, float, float] | None:
    given = [x for x in (lat, long, radius) if x is not None]
    if not given:
        return None
    if lat is None or long is None or radius is None or abs(lat) > 90:
        raise refused("400013", "lat, long, radius")
    return lat, long, radius


@dataclass(frozen=True)
class Paging:
    """`number` counts from 1; None where no pages were asked for."""

    number: int | None
    size: int


def paging_of(page: int | None, page_size: int | None) -> Paging:
    if page is None and page_size is None:
        return Paging(None, MOST)
    return Paging(max(page or 1, 1), min(page_size or DEFAULT_A_PAGE, MOST_A_PAGE))


def page_headers(request: Request, asked: Asked, found: Found) -> dict[str, str]:
    """How many there are, and where the neighbours of this page are. No key is written into an address."""
    if asked.page is None or found.total is None:
        return {}
    pages = -(-found.total // asked.size)
    headers = {"X-Result-Count": str(found.total), "X-Page-Count": str(pages), "X-Page-Size": str(asked.size)}
    filters = [(k, v) for k, v in request.query_params.multi_items() if k not in ("page", "page_size", "api_key")]
    for name, number in (("Next", asked.page + 1), ("Previous", asked.page - 1)):
        if 1 <= number <= pages:
            query = urlencode([*filters, ("page", number), ("page_size", asked.size)])
            headers[f"X-{name}-Page-URL"] = f"{own_address(request)}{request.url.path}?{query}"
    return headers
