"""Sends a demand to a neighbour, once: before a second try whose first one got no answer, they are asked whether they have it.

opened there anew (REOPEN)  ── the demand was there before, and they take updates
looked up by our number     ── a request went out and its answer was lost
sent                        ── written down first that it goes out, so that whatever dies then, the next try looks first
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from domain.demand import Demand
from domain.district import District
from domain.errors import DomainError
from domain.geometry import Position, polygon
from domain.neighbours import Neighbour, State, description, mark, person_fields
from domain.vocabulary import Stage
from gateways.neighbours.client import Client, Failed, Receipt
from service.neighbour_acting import Acting
from store import forwardings, references
from store.forwardings import Forwarding
from store.pool import Pool

MARGIN = timedelta(days=1)
"""How far their clock may be off from ours."""


def is_with(demand: Demand | None, one: Forwarding) -> bool:
    """Whether the unit still has the demand."""
    return demand is not None and demand.stage is Stage.UNIT and demand.unit == one.unit


class Sending:
    def __init__(
        self, pool: Pool, district: Callable[[], District], acting: Acting, client: Client, now: Callable[[], datetime]
    ) -> None:
        self._pool, self._district, self._acting, self._client, self._now = pool, district, acting, client, now

    async def send(self, to: Neighbour, one: Forwarding) -> None:
        """Raises Failed."""
        demand = await self._acting.demand(one.number)
        if demand is None or not is_with(demand, one) or demand.confidential:
            why = "confidential" if demand is not None and demand.confidential else "left_unit"
            await forwardings.end(self._pool, one, State.STOPPED, self._now(), last_error=why)
            return
        if not one.unsure and await self._opened_anew(to, one):
            return
        if one.unsure and to.known_by == "description" and await self._found(to, one):
            return
        fields = await self._fields(to, one, demand)
        if await forwardings.keep(self._pool, one, unsure=True):
            receipt = await self._client.send(to, fields, key=f"{self._district().id} {one.reference}")
            await self._arrived(to, one, receipt, double=one.unsure and to.known_by == "nothing")

    async def _opened_anew(self, to: Neighbour, one: Forwarding) -> bool:
        """Back with the unit, because the reporter was not content: they open what they had closed, if they can."""
        before = await forwardings.earlier(self._pool, one) if to.updates else None
        if before is None or before.their_id is None:
            return False
        words = "诉求人对办理结果不满意，请重新办理。The reporter is not content; please handle it again."
        try:
            await self._client.add_update(
                to, said_of(before.their_id, f"{one.reference}.reopen", "REOPEN", words, self._now()),
                key=f"{one.reference}.reopen",
            )  # fmt: skip
        except Failed as failed:
            if failed.refused:
                return False
            raise
        await self._settle(to, one, their_id=before.their_id, old_change=before.their_change or "")
        return True

    async def _found(self, to: Neighbour, one: Forwarding) -> bool:
        wanted, now = mark(self._district().id, one.reference), self._now()
        found = await self._client.find(to, wanted, one.service_code, one.planned_at - MARGIN, now + MARGIN)
        if found:
            await self._arrived(to, one, Receipt(found[0], None), double=len(found) > 1)
        return bool(found)

    async def _arrived(self, to: Neighbour, one: Forwarding, receipt: Receipt, *, double: bool) -> None:
        await self._settle(
            to, one, their_id=receipt.id, token=receipt.token, possible_double=one.possible_double or double
        )  # fmt: skip

    async def _settle(self, to: Neighbour, one: Forwarding, *, their_id: str | None, **changes: Any) -> None:
        now = self._now()
        async with self._pool.acquire() as connection, connection.transaction():
            kept = await forwardings.settle(
                connection, one, now + to.poll, state=str(State.SENT), sent_at=now, heard_at=now, their_id=their_id,
                unsure=False, attempts=0, failing_since=None, last_error=None, **changes,
            )  # fmt: skip
            if kept and their_id is not None:
                await references.add(connection, one.number, to.id, their_id)

    async def _fields(self, to: Neighbour, one: Forwarding, demand: Demand) -> list[tuple[str, str]]:
        """The form. That words, place and, where that is allowed, the reporter leave the house is kept before they do."""
        district = self._district()
        person, story = await self._acting.person(one.number), await self._acting.story(one.number)
        (lon, lat), address = _where(district, demand, person)
        room = str(person.get("room") or "")
        if to.share_reporter and room:
            address = f"{address} {room}"
        shared = person_fields(person) if to.share_reporter else {}
        about = [
            "text",
            *(f for f in ("building", "lat") if person.get(f)),
            *(["room"] if room and to.share_reporter else []),
        ]
        await self._acting.keep_reading(
            to,
            one.number,
            *("point" if f == "lat" else f for f in about),
            *("name" if f == "last_name" else f for f in shared),
        )
        return [
            ("service_code", one.service_code),
            ("lat", f"{lat:.6f}"), ("long", f"{lon:.6f}"), ("address_string", address),
            ("description", description(story, person, district.id, one.reference, share=to.share_reporter)),
            ("account_id", one.reference), ("attribute[external_id]", one.reference),
            *((f"attribute[{name}]", value) for name, value in to.attributes.items()), *shared.items(),
        ]  # fmt: skip


def said_of(their_id: str, update_id: str, status: str, words: str, at: datetime) -> list[tuple[str, str]]:
    """The form of an update."""
    moment = at.replace(microsecond=0).isoformat()
    return [
        ("service_request_id", their_id), ("update_id", update_id), ("status", status), ("updated_datetime", moment),
        ("description", words),
    ]  # fmt: skip


def _where(district: District, demand: Demand, person: dict[str, object]) -> tuple[Position, str]:
    """The reporter's point, else the compound's, else one inside the grid; and the address in words, without a room."""
    place = demand.place
    assert place is not None, "a demand that reached a unit has a place"
    names, building = district.directory, str(person.get("building") or "")
    grid, point = names.grids.get(place.grid), (person.get("lon"), person.get("lat"))
    compound = None
    if place.compound is not None:
        try:
            compound = district.compound(place.compound)
        except DomainError:
            compound = None
    parts = [
        district.name, names.communities[place.community].name if place.community in names.communities else "",
        compound.name if compound else grid.name if grid else "", building,
    ]  # fmt: skip
    address = " ".join(part for part in parts if part)
    if isinstance(point[0], float | int) and isinstance(point[1], float | int):
        return (float(point[0]), float(point[1])), address
    if compound is not None:
        return (compound.lon, compound.lat), address
    return _inside(grid.ring) if grid else (0.0, 0.0), address


def _inside(ring: tuple[Position, ...]) -> Position:
    """A point inside the grid: the middle of its widest chord half way up."""
    shape = polygon(ring)
    lat = (shape.south + shape.north) / 2
    cuts = sorted(x1 + (x2 - x1) * (lat - y1) / (y2 - y1) for x1, y1, x2, y2 in shape.edges if y1 <= lat < y2)
    west, east = max(zip(cuts[::2], cuts[1::2], strict=False), key=lambda chord: chord[1] - chord[0])
    return (west + east) / 2, lat
