"""What of a demand's log leaves the product, under which name and with which fields: webhooks, feed and streams alike.

An event that does not stand in `OUTGOING` stays inside, and so does every field that its row does not name: people's
ids, texts' ids, candidates and scores, the terms of the promise. What leaves is codes, instants, numbers and units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SPEC = "1.0"
PREFIX = "linli."


@dataclass(frozen=True)
class Outgoing:
    """A type of event outside. `fields` are names in the inner event's data, `place.grid` for one further inside; each
    goes out under its last name, or under the one before `=`. `says` is its meaning, for the reader of the reference."""

    type: str
    says: str
    fields: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """The name of each field outside -> its place in the inner event's data."""
        split = (field.rpartition("=") for field in self.fields)
        return {name or path.rpartition(".")[2]: path for name, _, path in split}


def _of(type: str, says: str, *fields: str) -> Outgoing:
    return Outgoing(PREFIX + type, says, fields)


OUTGOING: Mapping[str, Outgoing] = {
    "demand_submitted": _of("demand.submitted", "A demand was taken in. 受理", "channel", "filed_as=category"),
    "demand_screened": _of("demand.screened", "It is not for the district to handle.", "kind"),
    "demand_located": _of("demand.located", "It is known where it lies.", "place.grid", "place.compound"),
    "worker_assigned": _of("demand.worker_assigned", "A grid worker owes the next step.", "reason"),
    "worker_refused": _of("demand.worker_refused", "The grid worker sent it back. 退单", "basis"),
    "unit_assigned": _of("demand.unit_assigned", "A member unit is asked to lead.", "unit=lead.unit"),
    "unit_refused": _of("demand.unit_refused", "The unit says that it is not its matter.", "unit", "basis"),
    "unit_bound": _of("demand.unit_bound", "The unit is responsible from now on.", "unit", "by"),
    "accepted": _of("demand.accepted", "Whoever holds it has taken it on. 签收"),
    "reporter_contacted": _of("demand.reporter_contacted", "The handler has spoken with the reporter."),
    "info_requested": _of("demand.paused", "It waits for something; its clocks stand still.", "reason"),
    "info_received": _of("demand.resumed", "It goes on; its clocks run."),
    "extension_requested": _of("demand.extension_requested", "More time is asked for.", "working_days", "basis"),
    "extension_decided": _of("demand.extension_decided", "More time was granted or not.", "approved"),
    "urged": _of("demand.urged", "Somebody asks to hurry. 催办"),
    "sent_to_meeting": _of("demand.sent_to_meeting", "It goes to a joint meeting.", "meeting", "reason"),
    "meeting_decided": _of("demand.meeting_decided", "The joint meeting decided.", "meeting", "kind", "project"),
    "shelved": _of("demand.shelved", "Put aside until its review. 挂账", "review_at"),
    "resolved": _of(
        "demand.resolved", "The handler says that it is done, with a public reply. 办结", "outcome", "primary"
    ),
    "verified": _of("demand.verified", "Somebody else looked whether it is done.", "ok"),
    "reporter_asked": _of("demand.reporter_asked", "The reporter is asked how it went. 回访", "attempt", "channel"),
    "call_back_made": _of("demand.call_back_made", "A person tried and got no answer.", "attempt", "channel", "result"),
    "feedback_given": _of("demand.feedback_given", "The reporter's three answers.", "contacted", "solved", "satisfied"),
    "redo_ordered": _of("demand.redo_ordered", "It has to be done again. 重办", "count", "reason"),
    "final_reply_proposed": _of("demand.final_reply_proposed", "A final reply waits for approval."),
    "final_reply_decided": _of("demand.final_reply_decided", "The final reply was approved or not.", "approved"),
    "withdrawn": _of("demand.withdrawn", "The reporter took it back. 撤诉"),
    "reopened": _of("demand.reopened", "The reporter opened it again."),
    "closed": _of("demand.closed", "It has ended. 结案", "outcome"),
    "sealed": _of("demand.sealed", "It can not be reopened any more."),
    "co_unit_asked": _of(
        "demand.co_unit_asked", "A unit is to help.", "unit=co_unit.unit", "required=co_unit.required"
    ),
    "co_unit_bound": _of("demand.co_unit_bound", "The helping unit is responsible for its part.", "unit", "by"),
    "co_unit_refused": _of("demand.co_unit_refused", "The unit does not help.", "unit", "basis"),
    "co_unit_done": _of("demand.co_unit_done", "The helping unit's part is done.", "unit"),
    "co_unit_released": _of("demand.co_unit_released", "The part is not needed any more.", "unit", "reason"),
    "lead_swapped": _of("demand.lead_swapped", "Another unit leads.", "unit"),
    "reclassified": _of("demand.reclassified", "It is filed under another category.", "filed_as=category"),
    "taken_over": _of("demand.taken_over", "A supervisor holds it now.", "reason"),
    "supervised": _of("demand.supervised", "A supervisor ordered something, or gave it back. 督办", "deed"),
    "merged": _of("demand.merged", "It is handled with another demand.", "primary", "same_reporter"),
    "unmerged": _of("demand.unmerged", "It goes on by itself.", "primary", "reason"),
    "duplicate_joined": _of("demand.duplicate_joined", "Another demand is handled with it.", "duplicate=number"),
    "duplicate_left": _of("demand.duplicate_left", "The other demand goes on by itself.", "duplicate=number"),
    "clock_started": _of("clock.started", "A promise begins to run.", "clock", "due_at", "provisional"),
    "clock_stopped": _of("clock.stopped", "The promise was kept, or is over.", "clock"),
    "clock_paused": _of("clock.paused", "It stands still.", "clock"),
    "clock_resumed": _of("clock.resumed", "It runs on, until the new instant.", "clock", "due_at", "provisional"),
    "clock_extended": _of("clock.extended", "It got more time.", "clock", "due_at", "working_days", "provisional"),
    "clock_replanned": _of("clock.replanned", "It was reckoned anew.", "clock", "due_at", "provisional", "by"),
    "clock_warned": _of("clock.warned", "A share of its time has passed.", "clock", "step", "fell_at"),
    "clock_breached": _of("clock.breached", "The promise was broken.", "clock", "due_at"),
    "notice_issued": _of("clock.notice_issued", "The formal notice. 催办通知书", "clock", "step", "fell_at"),
    "clock_escalated": _of(
        "clock.escalated", "Overdue for so long that others look at it.", "clock", "step", "fell_at"
    ),
    "clock_far_breached": _of("clock.far_breached", "A multiple of its time has passed.", "clock", "step", "fell_at"),
}
INSIDE = frozenset({"handed_off", "note_added", "files_attached", "calendar_adopted"})
"""Routing with its scores, words and pictures of people, and what the product does for itself."""

_WHERE = ("grid", "compound")

PING = Outgoing(PREFIX + "webhook.ping", "A test that somebody asked for.", ("webhook",))
DISABLED = Outgoing(
    PREFIX + "webhook.disabled", "Another webhook of the same owner failed for so long that it rests.",
    ("webhook", "failing_since", "failures"),
)  # fmt: skip
TYPES: tuple[str, ...] = tuple(sorted({o.type for o in OUTGOING.values()} | {DISABLED.type}))


def public_data(type: str, data: Mapping[str, Any], *, confidential: bool) -> dict[str, Any] | None:
    """What of an inner event goes out; None for what stays inside. Where a confidential demand lies does not."""
    row = OUTGOING.get(type)
    if row is None:
        return None
    hidden = _WHERE if confidential else ()
    return {name: _at(data, path) for name, path in row.names.items() if name not in hidden}


def _at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def envelope(
    *, id: str, source: str, type: str, subject: str, time: datetime, data: Mapping[str, Any], **extensions: str
) -> dict[str, Any]:
    """A CloudEvent of version 1.0 as its JSON object."""
    return {
        "specversion": SPEC, "id": id, "source": source, "type": type, "subject": subject,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"), "datacontenttype": "application/json",
        **extensions, "data": dict(data),
    }  # fmt: skip


def sequence(seq: int) -> str:
    """The `sequence` attribute: grows within one subject, and as text too."""
    return f"{seq:06d}"


def wanted(types: tuple[str, ...], type: str) -> bool:
    """Whether a choice of types (none: every type) takes this one; `linli.clock.*` takes all that begin so."""
    return not types or any(type == one or (one.endswith(".*") and type.startswith(one[:-1])) for one in types)


def is_known(choice: str) -> bool:
    """Whether a choice takes any type there is."""
    return any(wanted((choice,), type) for type in TYPES)
