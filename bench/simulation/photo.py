"""A photograph of the result, small and always the same."""

from __future__ import annotations

import io
from functools import cache


@cache
def a_photo() -> bytes:
    """320 × 240 JPEG."""
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((320, 240)).convert("RGB").save(out, "JPEG", quality=70)
    return out.getvalue()
