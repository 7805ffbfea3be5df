"""The third-party files that the pages serve: public name → where `npm ci` puts it, and what it must be.

They are installed from the registry by web/package-lock.json (`./run` does it) and never committed. Of htmx 4 the extensions lie
in dist/ext (hx-sse, hx-head, …); swaps by morphing (`innerMorph`, `outerMorph`) are in htmx itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

INSTALLED = Path(__file__).parent / "node_modules"


@dataclass(frozen=True)
class Vendored:
    path: str
    sha256: str


FILES: dict[str, Vendored] = {
    "bootstrap.css": Vendored(
        "bootstrap/dist/css/bootstrap.min.css", "9caac977a0af0c2229abd397eee3345899c4020da2a1a0b711c1cc543fe3719d"
    ),
    "htmx.js": Vendored(
        "htmx.org/dist/htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    ),
    "leaflet.js": Vendored(
        "leaflet/dist/leaflet.js", "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a"
    ),
    "leaflet.css": Vendored(
        "leaflet/dist/leaflet.css", "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6"
    ),
    "echarts.js": Vendored(
        "echarts/dist/echarts.min.js", "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
    ),
}
