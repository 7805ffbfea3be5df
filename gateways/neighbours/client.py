"""Requests to other city systems: every one to a checked address, in bounded time, with an answer of bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from domain.neighbours import Neighbour, Standing, Update, their_id
from gateways.neighbours.answers import Row, Unreadable, rows_of, standing_of, text, update_of
from gateways.webhooks.answer import Fetched
from gateways.webhooks.sender import Sender

TIMEOUT = timedelta(seconds=20)
MOST_BYTES, MOST_LISTED = 262_144, 4_194_304
PAGE, MOST_PAGES = 500, 20
NOT_SENT = frozenset({
    "unreachable", "tls_failed", "unknown_host", "address_refused", "not_encrypted", "not_a_url", "not_http", "has_user",
    "has_fragment",
})  # fmt: skip
FORM = "application/x-www-form-urlencoded"


class Failed(Exception):
    """It did not work; `code` says how. `unsure`: what was sent may have arrived all the same. `wait`: their Retry-After."""

    def __init__(self, code: str, *, unsure: bool = False, wait: timedelta | None = None) -> None:
        super().__init__(code)
        self.code, self.unsure, self.wait = code, unsure, wait

    @property
    def refused(self) -> bool:
        """They understood, and said no."""
        return self.code in ("http_400", "http_403", "http_404", "http_405", "http_409", "http_410", "http_422")


@dataclass(frozen=True)
class Receipt:
    """What they call a request: an id, or a token that becomes one."""

    id: str | None
    token: str | None


class Client:
    """`keys` by neighbour. One for all neighbours; each has its own connections."""

    def __init__(self, sender: Sender, keys: Mapping[str, str]) -> None:
        self._sender = sender
        self._keys = keys

    async def close(self) -> None:
        await self._sender.close()

    async def send(self, to: Neighbour, fields: Sequence[tuple[str, str]], *, key: str) -> Receipt:
        """A new request. `key` is an Idempotency-Key for those who know it. Raises Failed."""
        rows = await self._post(to, "requests", fields, key)
        row = rows[0] if rows else {}
        receipt = Receipt(their_id(row.get("service_request_id")), their_id(row.get("token")))
        if receipt.id is None and receipt.token is None:
            raise Failed("no_id", unsure=True)
        return receipt

    async def add_update(self, to: Neighbour, fields: Sequence[tuple[str, str]], *, key: str) -> None:
        """A word on a request that they have. Raises Failed."""
        await self._post(to, "servicerequestupdates", fields, key)

    async def find(self, to: Neighbour, mark: str, service_code: str, since: datetime, until: datetime) -> list[str]:
        """The ids of requests whose description has `mark` in it. Raises Failed."""
        span = {"service_code": service_code, "start_date": _moment(since), "end_date": _moment(until)}
        found: dict[str, None] = {}
        known: set[str] = set()
        for page in range(1, MOST_PAGES + 1):
            paging = {"page": str(page), "page_size": str(PAGE)}
            rows = await self._get(to, "requests", {**span, **paging}, most=MOST_LISTED)
            if any("service_request_id" not in row for row in rows):  # not conclusive: nothing is sent on its word
                raise Failed("garbage")
            new = {id: text(row, "description") for row in rows if (id := their_id(row.get("service_request_id")))}
            if new.keys() <= known:  # the end, or a system that knows no pages
                return list(found)
            known |= new.keys()
            found |= dict.fromkeys(id for id, words in new.items() if mark in words)
        raise Failed("too_many_listed")

    async def id_of(self, to: Neighbour, token: str) -> str | None:
        """What a token has become; None where it is not decided yet. Raises Failed."""
        rows = await self._get(to, f"tokens/{quote(token, safe='')}", {})
        return their_id(rows[0].get("service_request_id")) if rows else None

    async def read(self, to: Neighbour, id: str) -> Standing:
        """How a request stands. Raises Failed."""
        rows = await self._get(to, f"requests/{quote(id, safe='')}", {"extensions": "true"})
        mine = [row for row in rows if text(row, "service_request_id") in (id, "")]
        if len(mine) != 1:
            raise Failed("garbage")
        try:
            return standing_of(mine[0])
        except Unreadable:
            raise Failed("garbage") from None

    async def updates(self, to: Neighbour, id: str, since: datetime, until: datetime) -> list[Update]:
        """What they wrote on it in that time, the oldest first. Raises Failed."""
        asked = {"start_date": _moment(since), "end_date": _moment(until), "service_request_id": id}
        rows = await self._get(to, "servicerequestupdates", asked, most=MOST_LISTED)
        mine = (update_of(row) for row in rows if text(row, "service_request_id") == id)
        return sorted((one for one in mine if one is not None), key=lambda one: one.changed)

    # ---- one request

    async def _post(self, to: Neighbour, what: str, fields: Sequence[tuple[str, str]], key: str) -> list[Row]:
        said = [*fields]
        if own := self._keys.get(to.id):
            said.append(("api_key", own))
        if to.jurisdiction:
            said.append(("jurisdiction_id", to.jurisdiction))
        headers = {"Content-Type": FORM, "Idempotency-Key": key, **self._accept(to)}
        url, body = f"{to.base_url}/{what}.{to.format}", urlencode(said).encode()
        return _read(to, await self._sender.fetch(to.id, "POST", url, headers, body, most=MOST_BYTES), posted=True)

    async def _get(self, to: Neighbour, what: str, asked: Mapping[str, str], *, most: int = MOST_BYTES) -> list[Row]:
        query, headers = dict(asked), self._accept(to)
        if to.jurisdiction:
            query["jurisdiction_id"] = to.jurisdiction
        if own := self._keys.get(to.id):
            if to.key_in == "query":
                query["api_key"] = own
            else:
                headers["Authorization"] = f"Bearer {own}"
        url = f"{to.base_url}/{what}.{to.format}?{urlencode(query)}".rstrip("?")
        return _read(to, await self._sender.fetch(to.id, "GET", url, headers, b"", most=most), posted=False)

    def _accept(self, to: Neighbour) -> dict[str, str]:
        return {"Accept": "application/json" if to.format == "json" else "text/xml, application/xml"}


def _read(to: Neighbour, answer: Fetched, *, posted: bool) -> list[Row]:
    if answer.error is not None:
        refused = answer.status is not None and 400 <= answer.status < 500 and answer.status not in (408, 425, 429)
        raise Failed(answer.error, unsure=posted and not refused and answer.error not in NOT_SENT, wait=answer.wait)
    try:
        return rows_of(answer.body, to.format)
    except Unreadable:
        raise Failed("garbage", unsure=posted) from None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
