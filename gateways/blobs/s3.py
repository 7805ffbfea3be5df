"""Contents as objects of an S3-compatible service (AWS, MinIO, Ceph …). An object is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gateways.blobs import BlobMissing

if TYPE_CHECKING:
    from obstore.store import S3Config

T = TypeVar("T")
_PIECE = 256 * 1024


class S3Blobs:
    """Without keys those of the machine are used, as the service's own tools find them."""

    def __init__(
        self, place: str, *, endpoint: str | None, region: str, access_key: str | None, secret: str | None
    ) -> None:
        parts = urlsplit(place)
        config: S3Config = {"region": region or "us-east-1"}
        if endpoint:
            config["endpoint"] = endpoint
        if access_key and secret:
            config |= {"access_key_id": access_key, "secret_access_key": secret}
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")), "timeout": timedelta(seconds=60),
                "connect_timeout": timedelta(seconds=5),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )  # fmt: skip

    def put(self, name: str, content: Iterable[bytes]) -> None:
        try:
            _within_reach(lambda: obstore.put(self._store, name, iter(content)))
        except FileNotFoundError:
            raise ConnectionError("the object store has no such bucket") from None

    def get(self, name: str) -> Iterator[bytes]:
        try:
            found = _within_reach(lambda: obstore.get(self._store, name))
        except FileNotFoundError:
            raise BlobMissing(name) from None
        return _read(found.stream(min_chunk_size=_PIECE))

    def delete(self, name: str) -> None:
        try:
            _within_reach(lambda: obstore.delete(self._store, name))
        except FileNotFoundError:  # deleting twice is the same as once
            return


def _read(stream: Iterable[Any]) -> Iterator[bytes]:
    pieces = iter(stream)
    while (piece := _within_reach(lambda: next(pieces, None))) is not None:
        yield bytes(piece)


def _within_reach(ask: Callable[[], T]) -> T:
    """Raises ConnectionError where the service does not answer or refuses us: its own errors may hold addresses."""
    try:
        return ask()
    except FileNotFoundError:
        raise
    except BaseError as down:
        raise ConnectionError(f"the object store failed: {type(down).__name__}") from None
