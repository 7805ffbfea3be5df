"""An event of the feed as the message that leaves: the same one by webhook, in the pull feed and in the streams."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from domain.outgoing import DISABLED, OUTGOING, PING, envelope, public_data, sequence
from store.feed import FeedEvent, Position


@dataclass(frozen=True)
class Message:
    """A CloudEvent and what decides who gets it. `position` is where it stands in the feed; None outside of it."""

    event: dict[str, Any]
    seq: int
    community: str | None
    category: str
    position: Position | None = None

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def subject(self) -> str:
        return str(self.event["subject"])

    @cached_property
    def body(self) -> str:
        return json.dumps(self.event, ensure_ascii=False, separators=(",", ":"))


def source_of(district: str) -> str:
    """Where events come from; with their id it tells them apart world-wide."""
    return f"urn:linli:{district}"


def message(event: FeedEvent, source: str) -> Message | None:
    """None for what stays inside. Category and place are the demand's as it stands when the message is made."""
    found = public_data(event.type, event.data, confidential=event.confidential)
    if found is None:
        return None
    about: dict[str, Any] = {"number": event.number, "category": event.category, "community": event.community}
    if event.confidential:
        about["confidential"] = True
    else:
        about["grid"] = event.grid
    made = envelope(
        id=event.id, source=source, type=OUTGOING[event.type].type, subject=event.number, time=event.at,
        data={**about, **found}, sequence=sequence(event.seq), position=str(event.position),
    )  # fmt: skip
    return Message(made, event.seq, event.community, event.category, event.position)


def ping(id: str, source: str, webhook: str, at: datetime) -> Message:
    made = envelope(id=id, source=source, type=PING.type, subject=webhook, time=at, data={"webhook": webhook})
    return Message(made, 0, None, "")


def disabled(id: str, source: str, webhook: str, at: datetime, failing_since: datetime, failures: int) -> Message:
    """For the other webhooks of the one that was given up."""
    said = {"webhook": webhook, "failing_since": failing_since.isoformat().replace("+00:00", "Z"), "failures": failures}
    made = envelope(id=id, source=source, type=DISABLED.type, subject=webhook, time=at, data=said)
    return Message(made, 0, None, "")
