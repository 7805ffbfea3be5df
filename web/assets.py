"""Static files by their content: `/assets/<first of its hash>/<name>` never changes, so browsers keep it for a year.

    url("linli.css")  ->  /assets/3f2a91c07be4/linli.css

Ours lie in static/, third-party ones where vendor.py says, the icons are one sprite made in memory (icons.py).
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from domain.needs import Need
from web import icons
from web.need import page
from web.vendor import FILES, INSTALLED

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json", ".json": "application/json",
}  # fmt: skip
# Names that lead out of the folder, or that a file system refuses, are none.
_NAME = re.compile(r"(\w[\w.-]{0,60}/)?\w[\w.-]{0,60}", re.ASCII)
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_PACKED_ALREADY = frozenset({".png", ".jpg", ".webp", ".woff2", ".ico"})


@dataclass(frozen=True)
class Asset:
    name: str
    body: bytes

    @cached_property
    def digest(self) -> str:
        return sha256(self.body).hexdigest()[:12]

    @cached_property
    def packed(self) -> bytes | None:
        """Packed once, as small as gzip makes it."""
        if Path(self.name).suffix in _PACKED_ALREADY:
            return None
        return gzip.compress(self.body, 9, mtime=0)

    @property
    def media_type(self) -> str:
        suffix = Path(self.name).suffix
        return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


_kept: dict[str, tuple[float, Asset]] = {}


def find(name: str) -> Asset | None:
    """None for what is not served. Read anew when the file has changed."""
    path = _path_of(name)
    if path is None or not path.is_file():
        return None
    changed = path.stat().st_mtime
    kept = _kept.get(name)
    if kept is None or kept[0] != changed:
        body = icons.sprite() if name == "icons.svg" else path.read_bytes()
        kept = _kept[name] = (changed, Asset(name, body))
    return kept[1]


def _path_of(name: str) -> Path | None:
    if name == "icons.svg":
        return Path(icons.__file__)
    if name in FILES:
        return INSTALLED / FILES[name].path
    return _STATIC / name if _NAME.fullmatch(name) else None


def url(name: str) -> str:
    """Where to get it now. Raises LookupError with what to do when it is not there."""
    asset = find(name)
    if asset is None:
        raise LookupError(
            f"There is no asset {name}: of our own it lies in web/static; the others are installed by ./run"
        )
    return f"/assets/{asset.digest}/{name}"


@router.get("/assets/{digest}/{name:path}")
@page(Need.PUBLIC)
def read_asset(digest: str, name: str, request: Request) -> Response:
    """An address of another release leads to what there is now, so that a page left open goes on working.

    In a thread of its own, because files are read and packed.
    """
    asset = find(name)
    if asset is None:
        return Response(status_code=404)
    if asset.digest != digest:
        return RedirectResponse(url(name), 302, headers={"Cache-Control": "no-store"})
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if _GZIP.search(request.headers.get("accept-encoding", "")) and asset.packed is not None:
        return Response(asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)
