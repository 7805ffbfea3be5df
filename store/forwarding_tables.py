"""Demands that were forwarded to another city system, and what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Identity, Index, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at


class ForwardingRow(SQLModel, table=True):
    """One time that a demand went to a neighbour: at the event `seq`, by `asked_by` (a person, or `system`).

    `next_at` is the next try or poll; while somebody is at it, `claimed_until` is when another may be, and `claims` tells
    whose result counts. `unsure`: a request went out and nobody knows yet whether it arrived. `possible_double`: they may
    have it twice. `failing_since` begins with the first failure after the last good answer. `old_change` is the closing of
    theirs that was there before, when it was opened there anew. `seen` are the updates that were read.
    """

    __tablename__ = "forwarding"
    __table_args__ = (
        CheckConstraint(
            "state in ('waiting', 'failed', 'sent', 'done', 'stopped', 'given_up')", name="forwarding_state"
        ),
        Index("forwarding_of", "number", "seq", "neighbour", unique=True),
        Index(
            "forwarding_open", "number", unique=True,
            postgresql_where=text("state in ('waiting', 'failed', 'sent') and resolved_at is null"),
        ),
        Index("forwarding_next", "neighbour", "next_at", postgresql_where=text("state in ('waiting', 'failed', 'sent')")),
        Index("forwarding_listed", "state", "id"),
    )  # fmt: skip

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    number: str = Field(sa_type=Text)
    seq: int
    neighbour: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    service_code: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    attempts: int
    claims: int
    unsure: bool
    possible_double: bool
    planned_at: datetime = _at()
    next_at: datetime = _at()
    claimed_until: datetime | None = _at(optional=True)
    failing_since: datetime | None = _at(optional=True)
    last_error: str | None = Field(default=None, sa_type=Text)
    sent_at: datetime | None = _at(optional=True)
    heard_at: datetime | None = _at(optional=True)
    their_id: str | None = Field(default=None, sa_type=Text)
    token: str | None = Field(default=None, sa_type=Text)
    their_status: str | None = Field(default=None, sa_type=Text)
    their_change: str | None = Field(default=None, sa_type=Text)
    old_change: str | None = Field(default=None, sa_type=Text)
    seen: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    resolved_at: datetime | None = _at(optional=True)
    ended_at: datetime | None = _at(optional=True)
    ended_by: str | None = Field(default=None, sa_type=Text)
