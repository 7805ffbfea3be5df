"""Where sealed contents are kept: a folder, or an S3-compatible service. Every method blocks; call it in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class BlobMissing(Exception):
    """Nothing is kept under this name."""


class Blobs(Protocol):
    """Names are `[a-z0-9.-]+`. An OSError means that the place cannot be reached or is full; try again later."""

    def put(self, name: str, content: Iterable[bytes]) -> None:
        """All of it or nothing: nobody ever finds half a content under the name."""
        ...

    def get(self, name: str) -> Iterator[bytes]:
        """Raises BlobMissing before the first piece."""
        ...

    def delete(self, name: str) -> None:
        """Also what an interrupted `put` of this name left; nothing happens where there is nothing."""
        ...


def open_blobs(
    place: str,
    *,
    endpoint: str | None = None,
    region: str = "",
    access_key: str | None = None,
    secret: str | None = None,
) -> Blobs:
    """`place` is a folder or `s3://bucket/prefix`; the rest is for S3. Nothing is looked at yet."""
    if place.startswith("s3://"):
        from gateways.blobs.s3 import S3Blobs

        return S3Blobs(place, endpoint=endpoint, region=region, access_key=access_key, secret=secret)
    from gateways.blobs.folder import FolderBlobs

    return FolderBlobs(Path(place))
