"""The links in notices: staff are led to the demand's page, a reporter through the door without an account.

    https://linli.example.cn/f#<token>

What stands behind `#` a browser keeps to itself: no server, no log, no other site and nothing that opens links to look at them
gets to see it. The token is made from the notice's number, so the same notice has the same link however often it is sent,
by whatever channel, and only its hash is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime

from runtime.settings import Settings
from service.identity_marks import token_hash
from store import links
from store.links import New
from store.notice_reading import Noticed
from store.pool import Pool
from store.reporter_keys import ReporterKeys
from store.seal import Sealer

PAGE = "/f"
ASKS = "reporter_asked"
"""The event whose notice leads to the three questions."""


class Links:
    """Without `public_url` nobody outside can follow a link, and none is written."""

    def __init__(self, pool: Pool, sealer: Sealer, settings: Settings) -> None:
        self._pool, self._sealer, self._base = pool, sealer, settings.public_url
        self._ring = settings.key_ring

    @property
    def inbox(self) -> str:
        return "" if self._base is None else f"{self._base}/inbox"

    def page_of(self, one: Noticed) -> str:
        """The demand's page, for whoever is signed in."""
        return "" if self._base is None or one.number is None else f"{self._base}/demands/{one.number}"

    async def of(self, one: Noticed) -> str:
        """For a message that leaves the product."""
        if one.person is not None or one.number is None or self._base is None:
            return self.page_of(one)
        return f"{self._base}{PAGE}#{await self._token(one, one.number)}"

    async def code_of(self, one: Noticed) -> str:
        """The code that goes with the number, for its reporter; staff are told none."""
        if one.person is not None or one.number is None:
            return ""
        return ReporterKeys(self._ring()).code(one.number, await links.generation(self._pool, one.number))

    async def _token(self, one: Noticed, number: str) -> str:
        """The one it had before, even where the keys were rotated since."""
        generation = await links.generation(self._pool, number)
        tokens = ReporterKeys(self._ring()).tokens(one.id, number, generation)
        known = await links.of_notice(self._pool, one.id)
        before = next((token for token in tokens if token_hash(token) in known), None)
        if before is not None:
            return before
        asks = one.event == ASKS
        new = New(
            token_hash(tokens[0]), number, "answer" if asks else "follow", generation, notice=one.id,
            asked_at=one.at if asks else None,
        )  # fmt: skip
        await links.keep(self._pool, new, datetime.now(UTC))
        return tokens[0]
