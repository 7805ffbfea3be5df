"""Requests as an Open311 client reads them. The public sees categories and grids; words only who sent them.

| who | description, address, pictures |
|---|---|
| the public | the category's name, the grid with a point inside it |
| the key that sent it | what was written, the compound, the address and pictures; also where it is confidential or private |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.errors import DomainError
from domain.geometry import haversine_m
from domain.open311 import DETAILED, Standing, Status, status_of
from domain.open311_text import Sent, taken_apart
from service.desk import Desk
from service.open311_history import Entry, notes_of
from service.open311_offer import Offer
from service.open311_viewer import Viewer, keep_reading, open_texts
from store import open311 as storing
from store.open311 import Search

View = dict[str, Any]

DEFAULT_DAYS = timedelta(days=90)
MOST = 1_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The arguments of a search, checked; `page` counts from 1, None asks for no pages."""

    codes: tuple[str, ...] | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    status: frozenset[str] = frozenset()
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    around: tuple[float, float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    community: str | None = None
    page: int | None = None
    size: int = MOST


@dataclass(frozen=True)
class Found:
    """A page of requests, and how many there are in all, which is counted only for who asked for pages."""

    views: list[View]
    total: int | None = None


async def search(desk: Desk, offer: Offer, viewer: Viewer, asked: Asked, *, extended: bool) -> Found:
    """Three statements at most, however many requests there are."""
    wanted = _search(desk, offer, viewer, asked)
    offset = 0 if asked.page is None else (asked.page - 1) * asked.size
    total = None if asked.page is None else await storing.count(desk.pool, wanted)
    rows = [] if total is not None and offset >= total else await storing.search(
        desk.pool, wanted, limit=asked.size, offset=offset
    )  # fmt: skip
    return Found(await views(desk, offer, viewer, rows, extended=extended), total)


async def by_numbers(desk: Desk, offer: Offer, viewer: Viewer, numbers: Sequence[str], *, extended: bool) -> list[View]:
    """These requests, whatever else was asked; unknown ones are left out."""
    rows = await storing.named(desk.pool, viewer.id, offer.private, numbers)
    return await views(desk, offer, viewer, rows, extended=extended)


def _search(desk: Desk, offer: Offer, viewer: Viewer, asked: Asked) -> Search:
    since, until = asked.opened_from, asked.opened_until
    if since is None and until is None and asked.changed_from is None:
        since = desk.now() - DEFAULT_DAYS
    zone = ZoneInfo(desk.district.timezone)
    return Search(
        viewer=viewer.id, private=offer.private,
        first=f"{since.astimezone(zone) - timedelta(days=1):%Y%m%d}" if since else None,
        beyond=f"{until.astimezone(zone) + timedelta(days=2):%Y%m%d}" if until else None,
        opened_from=since, opened_until=until,
        categories=None if asked.codes is None else list(asked.codes),
        closed=None if len(asked.status) != 1 else "closed" in asked.status,
        grids=_grids(offer, asked), community=asked.community,
        changed_from=asked.changed_from, changed_until=asked.changed_until,
    )  # fmt: skip


def _grids(offer: Offer, asked: Asked) -> list[str] | None:
    """The grids whose point lies in the box or the circle."""
    if asked.box is not None:
        west, south, east, north = asked.box
        return [g for g, (lon, lat) in offer.points.items() if west <= lon <= east and south <= lat <= north]
    if asked.around is not None:
        lat, lon, radius = asked.around
        return [g for g, point in offer.points.items() if haversine_m((lon, lat), point) <= radius]
    return None


# ---- views


@dataclass(frozen=True)
class _Words:
    """What was opened for those who may read it, by number."""

    sent: dict[str, Sent]
    replies: dict[str, str]


async def views(desk: Desk, offer: Offer, viewer: Viewer, rows: Sequence[Standing], *, extended: bool) -> list[View]:
    words = await _words(desk, viewer, [s for s in rows if viewer.may_read(s)])
    history: dict[str, list[Entry]] = {}
    if extended:
        history = await notes_of(desk, [s.number for s in rows], words.replies, english=viewer.english)
    found = []
    for s in rows:
        view = _view(desk, offer, viewer, s, words)
        if extended:
            view |= _extensions(s, words.sent.get(s.number), history.get(s.number, []))
        found.append(view)
    return found


async def _words(desk: Desk, viewer: Viewer, readable: Sequence[Standing]) -> _Words:
    if not readable:
        return _Words({}, {})
    await keep_reading(desk, viewer, [s.number for s in readable], "demand", "reply")
    ids = {f"{s.number}.0" for s in readable} | {s.reply_id for s in readable if s.reply_id}
    opened = await open_texts(desk, sorted(ids))
    return _Words(
        sent={s.number: taken_apart(opened[id]) for s in readable if (id := f"{s.number}.0") in opened},
        replies={s.reply_id: opened[s.reply_id] for s in readable if s.reply_id in opened},
    )


def _view(desk: Desk, offer: Offer, viewer: Viewer, s: Standing, words: _Words) -> View:
    zone = ZoneInfo(desk.district.timezone)
    service = offer.services.get(s.category)
    name = service.category.name_en if service and viewer.english else service.category.name if service else s.category
    sent = words.sent.get(s.number)
    lon, lat = offer.points.get(s.grid or "", (None, None))
    return {
        "service_request_id": s.number,
        "status": "closed" if s.is_closed else "open",
        "status_notes": words.replies.get(s.reply_id or "") or status_of(s)[1][viewer.english],
        "service_name": name,
        "service_code": s.category,
        "description": sent.description if sent else name,
        "agency_responsible": _agency(desk, s),
        "service_notice": None,
        "requested_datetime": moment(s.opened_at, zone),
        "updated_datetime": moment(s.changed_at, zone),
        "expected_datetime": moment(s.due_at, zone),
        "address": _address(desk, s, sent),
        "address_id": (s.compound if sent else None) or s.grid,
        "zipcode": None,
        "lat": lat,
        "long": lon,
        "media_url": sent.pictures[0] if sent and sent.pictures else None,
    }


def moment(at: datetime | None, zone: ZoneInfo) -> str | None:
    """To the second, with the district's offset."""
    return None if at is None else at.astimezone(zone).replace(microsecond=0).isoformat()


def _agency(desk: Desk, s: Standing) -> str | None:
    names = desk.district.directory
    if s.unit is not None and s.unit in names.units:
        return names.units[s.unit].name
    if s.grid is not None and s.grid in names.grids and s.meeting is None:
        return names.grids[s.grid].name
    if s.community is not None and s.community in names.communities:
        return names.communities[s.community].name
    return desk.district.name


def _address(desk: Desk, s: Standing, sent: Sent | None) -> str | None:
    """From the smallest place up; the building and the room stay with those who work there."""
    names, d = desk.district.directory, desk.district
    parts = [sent.address if sent else None]
    try:
        parts += [d.compound(s.compound).name if sent and s.compound else None]
    except DomainError:
        parts += [None]  # the district has lost it since
    parts += [names.grids[s.grid].name if s.grid in names.grids else None] if s.grid else []
    parts += [names.communities[s.community].name if s.community in names.communities else None] if s.community else []
    return ", ".join([*(part for part in parts if part), d.name, d.county])


def _extensions(s: Standing, sent: Sent | None, notes: Sequence[Entry]) -> View:
    status, _ = status_of(s)
    return {
        "extended_attributes": {
            "extended_status": status,
            "detailed_status": DETAILED.get(status, "IN_PROCESS"),
            "external_status_code": s.code,
            "channel": s.channel,
            "community": s.community,
            "grid": s.grid,
            "duplicate": status is Status.DUPLICATE,
            "parent_service_request_id": s.primary,
            "media_urls": list(sent.pictures) if sent else [],
        },
        "attributes": [
            {"label": label, "code": code, "name": label, "value": value}
            for label, code, value in (sent.attributes if sent else ())
        ],
        "notes": [{"datetime": n.at, "type": n.status, "description": n.description} for n in notes],
    }
