"""docs/reference/events.md names every event with its meaning and fields: `python -m tests.docs.test_events_documented`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from domain import events

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md"
KINDS: tuple[type[BaseModel], ...] = get_args(get_args(events.Event)[0])
HEAD = """\
# Events 诉求事件

What can happen to a demand, in its own log (`GET /api/v1/demands/{number}/events`). Every entry has `seq` (gapless), `type`,
`at` (UTC), `actor` (a person's id, or `system`), `performed_at` (when a device says it was done, if that differs), `data` (the
fields below) and `hash`: SHA-256 over the previous entry's hash followed by the canonical JSON (sorted keys, no spaces, UTF-8)
of `[number, seq, type, at, actor, data, performed_at]`. There is no free text and nothing personal in an event: ids and codes.

| type | fields | meaning |
|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(_row(kind) for kind in KINDS)


def _row(kind: type[BaseModel]) -> str:
    fields = ", ".join(f"`{name}`" for name in kind.model_fields if name != "type")
    own = kind.__dict__.get("__doc__") or ""
    meaning = re.sub(r"\s+", " ", own).strip() or _spoken(kind.__name__)
    return f"| `{kind.model_fields['type'].default}` | {fields or '–'} | {meaning} |\n"


def _spoken(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r" \1", name).capitalize() + "."


def test_every_event_is_documented() -> None:
    again = "python -m tests.docs.test_events_documented"
    assert PAGE.read_text(encoding="utf-8") == page(), f"the page is old; run: {again}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
