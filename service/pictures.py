"""Photographs made harmless: decoded within limits and written anew, so that nothing but the picture is left of them.

Comments, names of cameras and owners, hidden previews, whatever is appended behind the picture: none of it survives. The
place and the time that the camera wrote are read first.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from PIL import ExifTags, Image, ImageOps

from domain.errors import DomainError
from domain.files import JPEG, PNG, WEBP

MOST_PIXELS = 25_000_000
"""What is decoded at full size: 100 MB of memory."""
MOST_PIXELS_OF_JPEG = 52_000_000
"""Decoded at a fraction of its size, but one that is stored in several passes is held whole: 300 MB of memory."""
LONGEST_EDGE = 4096
THUMBNAIL_EDGE = 480

_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_HERE = ZoneInfo("Asia/Shanghai")
Image.MAX_IMAGE_PIXELS = None  # it would warn; `_must_fit` refuses

log = structlog.get_logger()


@dataclass(frozen=True)
class Picture:
    """`point` is (lat, lon) in WGS-84 as the camera wrote it; `taken_at` in UTC."""

    content: bytes
    thumbnail: bytes
    media_type: str
    width: int
    height: int
    taken_at: datetime | None
    point: tuple[float, float] | None


def cleaned(raw: bytes, media_type: str, now: datetime) -> Picture:
    """Slow: call it in a thread. Raises DomainError `picture_too_large` or `file_broken`."""
    try:
        if media_type == WEBP:  # its decoder takes memory for the whole picture when it is opened
            _must_fit(media_type, *_webp_size(raw))
        image = Image.open(io.BytesIO(raw), formats=(_FORMATS[media_type],))
        _must_fit(media_type, *image.size)
        return _written_anew(image, media_type, now)
    except DomainError:
        raise
    except MemoryError:
        raise _too_large(MOST_PIXELS) from None
    except Exception as broken:  # a decoder that meets hostile bytes may raise anything at all
        log.info("picture refused", reason=type(broken).__name__)
        rule = "It cannot be read as a picture, or it is cut off. Send the original again."
        raise DomainError("file_broken", rule) from None


def _must_fit(media_type: str, width: int, height: int) -> None:
    most = MOST_PIXELS_OF_JPEG if media_type == JPEG else MOST_PIXELS
    if width * height > most:
        raise _too_large(most)


def _webp_size(raw: bytes) -> tuple[int, int]:
    """Width and height as its header says (RFC 9649)."""
    kind = raw[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(raw[24:27], "little"), 1 + int.from_bytes(raw[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(raw[26:28], "little") & 0x3FFF, int.from_bytes(raw[28:30], "little") & 0x3FFF


def _too_large(most: int) -> DomainError:
    return DomainError("picture_too_large", f"At most {most:,} pixels: make it smaller.", max_pixels=most)


def _written_anew(image: Image.Image, media_type: str, now: datetime) -> Picture:
    exif = image.getexif()
    taken_at, point = _taken_at(exif, now), _point(exif)
    if media_type == JPEG:
        image.draft("RGB", (LONGEST_EDGE, LONGEST_EDGE))  # no more is decoded than is kept
    # The decoder's own checks of what follows the header are at work here: a picture that is cut off is refused.
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    kept = _plain(image, media_type)
    small = kept.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
    return Picture(
        content=_encoded(kept, media_type), thumbnail=_encoded(_flat(small), JPEG), media_type=media_type,
        width=kept.width, height=kept.height, taken_at=taken_at, point=point,
    )  # fmt: skip


def _plain(image: Image.Image, media_type: str) -> Image.Image:
    """The pixels alone, in a form that its format can hold."""
    transparent = media_type != JPEG and ("A" in image.getbands() or "transparency" in image.info)
    mode = "RGBA" if transparent else "RGB"
    pixels = image if image.mode == mode else image.convert(mode)
    pixels.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare


def _flat(image: Image.Image) -> Image.Image:
    """On white, where it was transparent."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _encoded(image: Image.Image, media_type: str) -> bytes:
    out = io.BytesIO()
    if media_type == PNG:
        image.save(out, "PNG", compress_level=6)
    elif media_type == WEBP:
        image.save(out, "WEBP", quality=82, method=3)
    else:
        image.save(out, "JPEG", quality=85, progressive=True)
    return out.getvalue()


# ---- what the camera wrote


def _taken_at(exif: Image.Exif, now: datetime) -> datetime | None:
    """A camera without a zone is one of here; a time that cannot be is none."""
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    said = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        local = datetime.strptime(str(said).strip("\x00 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  (its zone follows)
        at = local.replace(tzinfo=_zone(inner.get(ExifTags.Base.OffsetTimeOriginal))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if datetime(2000, 1, 1, tzinfo=UTC) <= at <= now + timedelta(days=1) else None


def _zone(said: Any) -> timezone | ZoneInfo:
    try:
        sign, hours, minutes = str(said)[0], int(str(said)[1:3]), int(str(said)[4:6])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if sign == "-" else offset)
    except (ValueError, IndexError):
        return _HERE


def _point(exif: Image.Exif) -> tuple[float, float] | None:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat == 0 and lon == 0):
        return None
    return round(lat, 6), round(lon, 6)


def _degrees(parts: Any, reference: Any, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not math.isfinite(value):
        return None
    return -value if str(reference).strip("\x00 ").upper() == negative else value
