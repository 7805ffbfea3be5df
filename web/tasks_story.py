"""A demand's log as sentences for the phone: who did what, without the clocks' own ticking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.district import District
from service.views import View
from web.visitor import Visitor
from web.words import has

_QUIET = frozenset({
    "clock_started", "clock_stopped", "clock_paused", "clock_resumed", "clock_extended", "clock_replanned",
    "clock_warned", "clock_escalated", "clock_far_breached", "notice_issued", "calendar_adopted", "note_added",
    "handed_off", "unit_bound", "co_unit_bound", "sealed",
})  # fmt: skip
_TONE = {
    "clock_breached": "bad", "redo_ordered": "bad", "unit_refused": "warn", "worker_refused": "warn", "urged": "warn",
    "info_requested": "warn", "resolved": "good", "closed": "good", "feedback_given": "good",
}  # fmt: skip


def story(visitor: Visitor, district: District, events: Iterable[View]) -> list[dict[str, Any]]:
    """Oldest first. What is unknown to the catalogue is left out: the whole log stands on the case's own page."""
    told: list[dict[str, Any]] = []
    for one in events:
        name = f"tasks.event.{one['type']}"
        if one["type"] in _QUIET or not has(name):
            continue
        who = _who(visitor, district, one["actor"])
        told.append(
            {
                "at": one["at"], "performed_at": one["performed_at"], "tone": _TONE.get(one["type"], ""),
                "text": visitor.t(name, who=who, **_blanks(visitor, district, one["data"])),
            }
        )  # fmt: skip
    return told


def _who(visitor: Visitor, district: District, actor: str | None) -> str:
    person = district.directory.people.get(actor or "")
    if person is not None:
        return person.name
    return visitor.t("tasks.event_word.product" if actor in (None, "system") else "tasks.event_word.resident")


def _blanks(visitor: Visitor, district: District, data: Mapping[str, Any]) -> dict[str, Any]:
    """Whatever a sentence may have a blank for."""
    known = district.directory

    def name(table: Mapping[str, Any], id: Any) -> str:
        found = table.get(str(id or ""))
        return "" if found is None else str(found.name)

    lead = data.get("lead") or data.get("co_unit") or {}
    blanks: dict[str, Callable[[], Any]] = {
        "person": lambda: name(known.people, data.get("person")),
        "unit": lambda: name(known.units, data.get("unit") or lead.get("unit")),
        "clock": lambda: _word(visitor, "shell.clock", str(data.get("clock", "")).partition(":")[0]),
        "days": lambda: data.get("working_days", ""),
        "reason": lambda: _word(visitor, "tasks.reason", data.get("reason") or data.get("basis")),
        "ok": lambda: _word(
            visitor, "tasks.event_word", f"ok_{str(bool(data.get('ok', data.get('approved')))).lower()}"
        ),
        "solved": lambda: _word(visitor, "tasks.solved", data.get("solved")),
        "satisfied": lambda: _word(visitor, "tasks.satisfied", data.get("satisfied")),
        "channel": lambda: _word(visitor, "tasks.channel", data.get("channel")),
        "result": lambda: _word(visitor, "tasks.result", data.get("result")),
        "outcome": lambda: _word(visitor, "tasks.outcome", data.get("outcome")),
        "n": lambda: len(data.get("file_ids") or ()) or data.get("count") or "",
    }
    return {blank: make() for blank, make in blanks.items()}


def _word(visitor: Visitor, table: str, key: Any) -> str:
    name = f"{table}.{key}"
    return visitor.t(name) if key and has(name) else str(key or "")
