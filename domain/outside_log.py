"""What of a demand's log somebody outside the office reads: its reporter, and other systems. Pure.

Every entry stays, with its place, its type, its instant and its hash, so that nothing can be left out or put in unseen. What
an event says is narrowed to what leaves the product anyway (domain/outgoing.py), and people inside are not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.outgoing import OUTGOING

_ALSO: Mapping[str, tuple[str, ...]] = {
    "demand_submitted": ("category_by", "confidential", "promise.service"),
    "resolved": ("reply_id",),
    "closed": ("reply_id",),
}
"""What a reporter said or is told in other answers too."""

_WHERE = ("place.grid", "place.compound")


def outside_data(type: str, data: Mapping[str, Any], *, confidential: bool) -> dict[str, Any]:
    """The event's data under its own names; of a hand-off only which unit is asked first.

    Of a `confidential` demand without where it lies: for everybody but its reporter.
    """
    if type == "handed_off":
        candidates = data["routing"]["candidates"]
        return {"routing": {"unit": candidates[0]["unit"] if candidates else None}}
    row = OUTGOING.get(type)
    paths = (*(row.names.values() if row else ()), *_ALSO.get(type, ()))
    kept: dict[str, Any] = {}
    for path in paths:
        if not (confidential and path in _WHERE):
            _keep(kept, data, path.split("."))
    return kept


def _keep(kept: dict[str, Any], data: Mapping[str, Any], path: list[str]) -> None:
    name, *rest = path
    if name not in data:
        return
    if not rest:
        kept[name] = data[name]
    elif isinstance(data[name], Mapping):
        _keep(kept.setdefault(name, {}), data[name], rest)
    else:
        kept[name] = None


def outside_actor(actor: str, reader: frozenset[str]) -> str | None:
    """Who did it, where that is the reader or the product itself."""
    return actor if actor in reader or actor == "system" else None
