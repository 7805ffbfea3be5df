"""Pictures as phones and attackers make them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

SCRIPT = b"<script>alert(document.domain)</script>"


def a_jpeg(width: int = 640, height: int = 480, **how: Any) -> bytes:
    out = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((width, height))
    Image.merge("RGB", (gradient, gradient.rotate(180), gradient)).save(out, "JPEG", quality=80, **how)
    return out.getvalue()


def a_png(width: int = 320, height: int = 200, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


def from_a_phone(lat: float = 29.356, lon: float = 105.927, *, orientation: int = 6) -> bytes:
    """With a place, a time, the owner's name and a script where programs that show EXIF may run it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = "张三 13800001111"
    exif[ExifTags.Base.ImageDescription] = SCRIPT.decode()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:03:01 14:30:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "S" if lat < 0 else "N", ExifTags.GPS.GPSLatitude: _parts(abs(lat)),
            ExifTags.GPS.GPSLongitudeRef: "W" if lon < 0 else "E", ExifTags.GPS.GPSLongitude: _parts(abs(lon)),
        }
    )  # fmt: skip
    return a_jpeg(exif=exif, comment=SCRIPT)


def _parts(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes % 1) * 60, 4)


def a_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of 900 million black pixels in some kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\x00" * (width // 8 + 1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def files_in(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(place for place in folder.rglob(pattern) if place.is_file())


A_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
AN_SVG = b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
A_PAGE = b"<!doctype html><html><body>" + SCRIPT + b"</body></html>"
