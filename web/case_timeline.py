"""The timeline of a case: events, texts, pictures and notices as one list, in three zooms.

compact: the milestones; full: every event as a sentence, with what was written and sent with it; json: the log itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal, get_args

from domain.actors import SYSTEM
from domain.demand import Demand
from service.desk import Desk
from service.views import View
from web.case_sentences import Sentences, actor_of, by_itself, entry_of
from web.formats import Formats, instant
from web.visitor import Visitor

Zoom = Literal["compact", "full", "json"]
ZOOMS: tuple[Zoom, ...] = get_args(Zoom)
LATER = timedelta(minutes=2)
"""What reached us so much after it was done was done without signal."""


def timeline(
    desk: Desk, visitor: Visitor, demand: Demand, said: Sentences, *,
    log: Iterable[View], texts: Iterable[View], files: Iterable[View], notices: Iterable[View],
) -> list[View]:  # fmt: skip
    """Newest first; texts stand under the event that names them, what came with the demand under its first event."""
    text_by_id, file_by_id = {one["id"]: one for one in texts}, {one["id"]: one for one in files}
    told: defaultdict[int, list[View]] = defaultdict(list)
    for notice in notices:
        told[notice["seq"]].append(notice)
    entries = []
    for one in log:
        data = one["data"]
        named = [text_by_id.get(data[field]) for field in ("note_id", "reply_id") if data.get(field)]
        shown = [file_by_id[id] for id in data.get("file_ids", ()) if id in file_by_id]
        if one["type"] == "demand_submitted":
            named += [text for text in text_by_id.values() if text["kind"] == "demand"]
            shown += [file for file in file_by_id.values() if file["attached_with"] == "submit"]
        did = SYSTEM.id if by_itself(one["type"], data) else one["actor"]
        entry = entry_of(said, one) | {"actor": actor_of(desk, visitor, demand, did), "offline": _offline(one)}
        texts_of = [text for text in named if text]
        entries.append(entry | {"files": shown, "texts": texts_of, "notices": told.get(one["seq"], [])})
    return entries[::-1]


def _offline(one: View) -> bool:
    return bool(one["performed_at"]) and instant(one["at"]) - instant(one["performed_at"]) > LATER


def compact(entries: list[View]) -> list[View]:
    return [entry for entry in entries if entry["milestone"]]


def as_json(log: Iterable[View]) -> str:
    return json.dumps(list(log), ensure_ascii=False, indent=2)


def days(entries: list[View], f: Formats) -> list[tuple[str, list[View]]]:
    """The entries of each local day, under its name."""
    found: dict[Any, list[View]] = {}
    for entry in entries:
        found.setdefault(f.local(entry["at"]).date(), []).append(entry)
    return [(f.day(day), some) for day, some in found.items()]
