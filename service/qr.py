"""A link as a QR code."""

from __future__ import annotations

import io


def qr_of(text: str) -> str:
    """An SVG to be shown as a picture: black on white, with the quiet zone that cameras need."""
    import segno  # here: a process that takes no reports needs none

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, nl=False, scale=4, border=4, light="#fff", omitsize=True
    )
    return out.getvalue().decode()
