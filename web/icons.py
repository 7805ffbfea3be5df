"""The icons of the pages: one sprite, made in memory of the installed outline icons that are named here."""

from __future__ import annotations

import re

from web.vendor import INSTALLED

PACKAGE = "@tabler/icons"
FOLDER = INSTALLED / PACKAGE / "icons" / "outline"

_NAMES = """
home list-check clock alarm alert-triangle alert-octagon check circle-check x player-pause player-play phone
map-pin navigation camera photo send user users building-community building gavel calendar message star flag
arrow-right arrow-left chevron-right chevron-down dots search filter download printer refresh settings language
moon sun text-size logout login plus pencil trash bell history link copy wifi-off cloud-upload cloud-check
chart-bar map table key webhook shield-lock help info-circle external-link hand-stop arrows-exchange repeat bolt
eye file-text microphone qrcode device-tv keyboard arrow-back-up thumb-up thumb-down mood-smile mood-sad
"""
ICONS = tuple(_NAMES.split())

_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
# Each file begins with a square that only editors show.
_SQUARE = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')
_DRAWN = 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'


def sprite() -> bytes:
    """`icons.svg#i-NAME`, drawn in `currentColor`, as bold as `stroke-width` of the <svg> that uses it says.

    Raises FileNotFoundError for a name that is not installed.
    """
    return ('<svg xmlns="http://www.w3.org/2000/svg">' + "".join(map(_symbol, ICONS)) + "</svg>").encode()


def _symbol(name: str) -> str:
    found = _INSIDE.search((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
    assert found is not None, name
    drawing = re.sub(r"\s+", " ", _SQUARE.sub("", found[1])).replace("> <", "><").replace(" />", "/>").strip()
    return f'<symbol id="i-{name}" {_DRAWN}>{drawing}</symbol>'
