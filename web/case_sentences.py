"""What happened to a demand, each event as a sentence of the catalogue (`case.event.<type>`) with names in its blanks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from domain.actors import SYSTEM, reporter_of
from domain.demand import Demand
from domain.events import Event
from service.board import people_named
from service.desk import Desk
from service.views import View
from web.formats import Formats
from web.visitor import Visitor
from web.words import has

TYPES: tuple[str, ...] = tuple(one.model_fields["type"].default for one in get_args(get_args(Event)[0]))

MILESTONES = frozenset({
    "demand_submitted", "demand_screened", "worker_assigned", "worker_refused", "unit_assigned", "unit_refused", "unit_bound",
    "accepted", "reporter_contacted", "info_requested", "extension_decided", "sent_to_meeting", "meeting_decided", "shelved",
    "resolved", "verified", "feedback_given", "redo_ordered", "withdrawn", "reopened", "closed", "sealed", "taken_over",
    "merged", "unmerged", "reclassified", "clock_breached",
})  # fmt: skip
_BAD = frozenset({
    "clock_breached", "clock_far_breached", "clock_escalated", "notice_issued", "worker_refused", "unit_refused",
    "co_unit_refused", "redo_ordered", "reopened",
})  # fmt: skip
_GOOD = frozenset({"resolved", "closed", "verified", "feedback_given", "accepted", "unit_bound", "co_unit_done"})
_WARN = frozenset({"clock_warned", "info_requested", "urged", "supervised", "extension_requested", "taken_over"})
_EMPTY = re.compile(r"[（(]\s*[）)]")
_VARIANTS = ("ok", "approved", "deed", "same_reporter", "by")


class Sentences:
    def __init__(self, desk: Desk, visitor: Visitor, formats: Formats) -> None:
        self._desk, self._v, self._f = desk, visitor, formats

    def of(self, type: str, data: Mapping[str, Any]) -> str:
        """A type that a newer release wrote is told as what it is called."""
        name = f"case.event.{type}"
        for field in _VARIANTS:
            variant = f"{name}_{str(data[field]).lower()}" if field in data else ""
            if has(variant):
                name = variant
        if not has(name):
            return type
        blanks = self._blanks(data)
        if type == "handed_off" and not blanks["unit"]:
            name = "case.event.handed_off_nobody"
        return _EMPTY.sub("", self._v.t(name, **blanks)).strip(" ：:，,")

    def tone(self, type: str, data: Mapping[str, Any]) -> str:
        if data.get("ok") is False or data.get("approved") is False or type in _BAD:
            return "bad"
        return "good" if type in _GOOD else "warn" if type in _WARN else ""

    def _blanks(self, data: Mapping[str, Any]) -> dict[str, str]:
        place, routing = data.get("place") or {}, data.get("routing") or {}
        candidates = routing.get("candidates") or []
        unit = data.get("unit") or (data.get("lead") or {}).get("unit") or (data.get("co_unit") or {}).get("unit")
        unit = unit or routing.get("unit") or (candidates[0]["unit"] if candidates else None)
        at = data.get("review_at") or data.get("due_at") or data.get("fell_at")
        return {
            "person": self._people([data.get("person")]), "by_person": self._people([data.get("by")]),
            "unit": self._name("units", unit), "grid": self._name("grids", place.get("grid")),
            "compound": self._name("compounds", place.get("compound")),
            "category": self._name("categories", data.get("category")),
            "meeting": self._name("meetings", data.get("meeting")), "clock": self._clock(data.get("clock")),
            "at": self._f.when(at) if at else "", "told": self._told(data.get("told") or ()),
            "reason": self._word("reason", data.get("reason") or data.get("basis")),
            "outcome": self._word("outcome", data.get("outcome")), "kind": self._word("decision", data.get("kind")),
            "channel": self._word("channel", data.get("channel")), "result": self._word("result", data.get("result")),
            "solved": self._word("solved", data.get("solved")), "satisfied": self._word("satisfied", data.get("satisfied")),
            "contacted": self._word("yes_no", str(data["contacted"]).lower()) if "contacted" in data else "",
            "how": self._word("bound", data.get("by")), "screen": self._word("screen", str(data.get("kind") or "")),
            "primary": str(data.get("primary") or ""), "number": str(data.get("number") or ""),
            "n": str(data.get("working_days") or data.get("attempt") or data.get("count") or len(data.get("file_ids", ())) or ""),
            "version": str(data.get("version") or ""),
        }  # fmt: skip

    def _told(self, ids: Any) -> str:
        people = self._people(ids)
        return self._v.t("case.told.people", people=people) if people else ""

    def _people(self, ids: Any) -> str:
        return self._v.t("board.table.comma").join(people_named(self._desk, [one for one in ids if one]))

    def _name(self, table: str, id: str | None) -> str:
        if id is None:
            return ""
        found = getattr(self._desk.district.directory, table).get(id)
        foreign = getattr(found, "name_en", None) if self._v.english else None
        return str(foreign or getattr(found, "name", id))

    def _clock(self, key: str | None) -> str:
        if key is None:
            return ""
        kind, _, unit = key.partition(":")
        name = f"shell.clock.{kind}"
        said = self._v.t(name) if has(name) else kind
        return f"{said} · {self._name('units', unit)}" if unit else said

    def _word(self, table: str, code: str | None) -> str:
        name = f"case.{table}.{code}"
        return "" if not code else self._v.t(name) if has(name) else code


_FOLLOWS = frozenset({"unit_assigned", "handed_off", "reporter_asked", "notice_issued", "sealed", "co_unit_bound"})


def by_itself(type: str, data: Mapping[str, Any]) -> bool:
    """Whether the rules did it as a consequence of what somebody did, and nobody by hand."""
    if type == "worker_assigned":
        return data.get("reason") not in ("reassigned", "returned")
    if type == "unit_bound":
        return data.get("by") == "silence"
    return type.startswith("clock_") or (type in _FOLLOWS and data.get("by") != "accepted")


def actor_of(desk: Desk, visitor: Visitor, demand: Demand, actor: str | None) -> str:
    """A name; a reporter, an outside system and the product itself by what they are."""
    if actor == SYSTEM.id:
        return visitor.t("case.actor.system")
    if actor is not None and (known := desk.district.directory.people.get(actor)):
        return known.name
    if actor in (reporter_of(demand.number), demand.opened_by):
        return visitor.t("case.actor.reporter")
    return visitor.t("case.actor.staff" if actor is None else "case.actor.outside")


def entry_of(said: Sentences, one: View) -> View:
    """Of one entry of the log: its sentence, tone, and whether it was done long before it came."""
    return {
        "seq": one["seq"], "type": one["type"], "at": one["at"], "performed_at": one["performed_at"],
        "text": said.of(one["type"], one["data"]), "tone": said.tone(one["type"], one["data"]),
        "milestone": one["type"] in MILESTONES,
    }  # fmt: skip
