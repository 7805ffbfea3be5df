"""The third-party files that the pages serve: public name → where `npm ci` puts it, and what it must be.

`./run` installs them by web/package-lock.json; none is committed. `python -m web.vendor FOLDER` takes from there only what is
served, for the image.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

INSTALLED = Path(__file__).parent / "node_modules"
# What the tests run in a page; it is never served.
AXE = INSTALLED / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class Vendored:
    """`path` is below node_modules."""

    path: str
    sha256: str

    @property
    def package(self) -> str:
        parts = self.path.split("/")
        return "/".join(parts[: 2 if parts[0].startswith("@") else 1])


# htmx 4 in htmx.org/dist: htmx(.esm)(.min).js is the library, swaps by morphing (`innerMorph`, `outerMorph`) included; each
# extension is a file of ext/ that a second <script> loads: hx-sse, hx-preload, hx-head, hx-history-cache, hx-csp, hx-pending,
# hx-targets, hx-upsert, hx-live, hx-ws, hx-prompt, hx-download, hx-multipart, hx-ptag, hx-browser-indicator. htmax.js is htmx
# with most of them in one file (twice the size); htmx-2-compat.js speaks the attributes of version 2.
FILES: dict[str, Vendored] = {
    "bootstrap.css": Vendored(
        "bootstrap/dist/css/bootstrap.min.css", "9caac977a0af0c2229abd397eee3345899c4020da2a1a0b711c1cc543fe3719d"
    ),
    "htmx.js": Vendored(
        "htmx.org/dist/htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    ),
    "hx-sse.js": Vendored(
        "htmx.org/dist/ext/hx-sse.min.js", "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103"
    ),
    "hx-preload.js": Vendored(
        "htmx.org/dist/ext/hx-preload.min.js", "6526defdf2cafd6a6b9f09fe39136e7af7611d103f05cc7068489ef83993f244"
    ),
    "leaflet.js": Vendored(
        "leaflet/dist/leaflet.js", "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a"
    ),
    "leaflet.css": Vendored(
        "leaflet/dist/leaflet.css", "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6"
    ),
    # Where leaflet.css and leaflet.js look for them: beside themselves.
    "images/layers.png": Vendored(
        "leaflet/dist/images/layers.png", "1dbbe9d028e292f36fcba8f8b3a28d5e8932754fc2215b9ac69e4cdecf5107c6"
    ),
    "images/layers-2x.png": Vendored(
        "leaflet/dist/images/layers-2x.png", "066daca850d8ffbef007af00b06eac0015728dee279c51f3cb6c716df7c42edf"
    ),
    "images/marker-icon.png": Vendored(
        "leaflet/dist/images/marker-icon.png", "574c3a5cca85f4114085b6841596d62f00d7c892c7b03f28cbfa301deb1dc437"
    ),
    "images/marker-icon-2x.png": Vendored(
        "leaflet/dist/images/marker-icon-2x.png", "00179c4c1ee830d3a108412ae0d294f55776cfeb085c60129a39aa6fc4ae2528"
    ),
    "images/marker-shadow.png": Vendored(
        "leaflet/dist/images/marker-shadow.png", "264f5c640339f042dd729062cfc04c17f8ea0f29882b538e3848ed8f10edb4da"
    ),
    "echarts.js": Vendored(
        "echarts/dist/echarts.min.js", "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
    ),
}


def gather(target: Path) -> None:
    """Copy what is served, and the licences that go with it, to `target` as they lie in node_modules.

    Raises FileNotFoundError for what is not installed, ValueError for what is something else than it must be.
    """
    for one in FILES.values():
        found = sha256((INSTALLED / one.path).read_bytes()).hexdigest()
        if found != one.sha256:
            raise ValueError(f"{one.path} has the SHA-256 {found}; web/vendor.py expects {one.sha256}")
    for source in _served():
        place = target / source.relative_to(INSTALLED)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)


def _served() -> Iterator[Path]:
    from web import icons

    yield from (INSTALLED / one.path for one in FILES.values())
    yield from (icons.FOLDER / f"{name}.svg" for name in icons.ICONS)
    for package in sorted({icons.PACKAGE, *(one.package for one in FILES.values())}):
        yield from (one for word in ("LICENSE*", "NOTICE*") for one in (INSTALLED / package).glob(word))


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
