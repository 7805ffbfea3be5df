"""The links in notices: staff are led to the demand's page, a reporter to what is theirs."""

from __future__ import annotations

from runtime.settings import Settings
from store.notice_reading import Noticed
from store.pool import Pool
from store.seal import Sealer


class Links:
    """Without `public_url` nobody outside can follow a link, and none is written."""

    def __init__(self, pool: Pool, sealer: Sealer, settings: Settings) -> None:
        self._pool, self._sealer, self._base = pool, sealer, settings.public_url

    @property
    def inbox(self) -> str:
        return "" if self._base is None else f"{self._base}/inbox"

    def page_of(self, one: Noticed) -> str:
        """The demand's page, for whoever is signed in."""
        return "" if self._base is None or one.number is None else f"{self._base}/demands/{one.number}"

    async def of(self, one: Noticed) -> str:
        """For a message that leaves the product."""
        return self.page_of(one)
