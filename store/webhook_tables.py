"""Webhooks, what waits for each of them, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from store.tables import _at, _bytes


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def _webhook(*, key: bool = False) -> Any:
    rule = ForeignKey("webhook.id", ondelete="CASCADE")
    return Field(sa_column=Column(Text, rule, primary_key=key, nullable=False))


class WebhookRow(SQLModel, table=True):
    """A subscription. `secret` and, until `old_until`, `old_secret` are sealed. Only events behind `since` count; while
    it is disabled, that is where it stopped.

    `failures` counts the failed tries since `failing_since`; a success clears both. `rests_until`: the receiver asked
    for that. `disabled_at` and `disabled_by` (a person, or `system` after too many failures) are set while it is off.
    """

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_owner", "owner", "id"),)

    id: str = Field(primary_key=True, sa_type=Text)
    owner: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    types: list[str] = _texts()
    communities: list[str] = _texts()
    categories: list[str] = _texts()
    secret: bytes = _bytes()
    old_secret: bytes | None = Field(default=None)
    old_until: datetime | None = _at(optional=True)
    since: str = Field(sa_type=Text)
    created_at: datetime = _at()
    changed_at: datetime = _at()
    failures: int = 0
    failing_since: datetime | None = _at(optional=True)
    rests_until: datetime | None = _at(optional=True)
    disabled_at: datetime | None = _at(optional=True)
    disabled_by: str | None = Field(default=None, sa_type=Text)


class WebhookQueueRow(SQLModel, table=True):
    """What waits for a webhook about one demand goes out one after another: this row is that queue's turn.

    `next_at` is when its first delivery is tried, or, while it is being tried, when somebody else may. `tries` counts
    those of the first delivery, and tells whether a result is of the present try.
    """

    __tablename__ = "webhook_queue"
    __table_args__ = (Index("webhook_queue_next", "webhook", "next_at"),)

    webhook: str = _webhook(key=True)
    subject: str = Field(primary_key=True, sa_type=Text)
    next_at: datetime = _at()
    tries: int = 0


class WebhookDeliveryRow(SQLModel, table=True):
    """One event for one webhook: what is sent, word for word, and each try {at, status, error, ms}."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'delivered', 'failed', 'superseded')", name="webhook_delivery_state"),
        Index("webhook_delivery_event", "webhook", "event", unique=True),
        Index("webhook_delivery_first", "webhook", "subject", "seq", "id", postgresql_where=text("state = 'pending'")),
        Index("webhook_delivery_newest", "webhook", "id"),
        Index("webhook_delivery_failed", "webhook", "id", postgresql_where=text("state = 'failed'")),
        Index("webhook_delivery_done", "done_at", postgresql_where=text("state <> 'pending'")),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    webhook: str = _webhook()
    event: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    seq: int
    type: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    tries: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    planned_at: datetime = _at()
    done_at: datetime | None = _at(optional=True)


class WebhookReplayRow(SQLModel, table=True):
    """A span of the feed for a webhook: events of `from_at` to `until_at`, planned as far as `position`, at most to
    `last`; with `again` also what it has had."""

    __tablename__ = "webhook_replay"
    __table_args__ = (Index("webhook_replay_open", "id", postgresql_where=text("finished_at is null")),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    webhook: str = _webhook()
    from_at: datetime = _at()
    until_at: datetime = _at()
    position: str = Field(sa_type=Text)
    last: str = Field(sa_type=Text)
    again: bool
    planned: int = 0
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = _at()
    finished_at: datetime | None = _at(optional=True)


class WebhookChangeRow(SQLModel, table=True):
    """Who did what to a webhook, and when."""

    __tablename__ = "webhook_change"
    __table_args__ = (Index("webhook_change_newest", "webhook", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    webhook: str = _webhook()
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    what: str = Field(sa_type=Text)
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
