"""Where this installation keeps uploaded contents."""

from __future__ import annotations

from functools import lru_cache

from gateways.blobs import Blobs, open_blobs
from runtime.settings import Settings


def blobs_for(settings: Settings) -> Blobs:
    """Opened once for each place: the driver of S3 is loaded only where it is needed."""
    secret = settings.files_s3_secret_key
    return _opened(
        settings.files, settings.files_s3_endpoint, settings.files_s3_region, settings.files_s3_access_key,
        secret.get_secret_value() if secret else None,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _opened(place: str, endpoint: str | None, region: str, access_key: str | None, secret: str | None) -> Blobs:
    return open_blobs(place, endpoint=endpoint, region=region, access_key=access_key, secret=secret)
