"""Every table, as SQLModel: the schema that the migrations build. Rows never leave `store/` and `service/`.

`demand` is the current row of each demand, a projection of its event log; `demand_event` is the log itself. Texts and
reporters are sealed (encrypted) and kept apart, so that reading a list touches nothing personal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, Sequence, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

NUMBERS = Sequence("demand_number", metadata=SQLModel.metadata)


def _at(*, optional: bool = False) -> Any:
    column: Any = Column(DateTime(timezone=True), nullable=optional)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)


def _json() -> Any:
    return Field(sa_column=Column(JSONB, nullable=False))


def _bytes() -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=False))


class DemandRow(SQLModel, table=True):
    """The current state of a demand, with columns for what lists filter and sort by."""

    __tablename__ = "demand"
    __table_args__ = (
        Index("demand_holder_due", "holder", "due_at", postgresql_where=text("stage <> 'closed'")),
        Index("demand_community_due", "community", "due_at", postgresql_where=text("stage <> 'closed'")),
    )

    number: str = Field(primary_key=True, sa_type=Text)
    seq: int
    head: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    community: str | None = Field(default=None, sa_type=Text)
    grid: str | None = Field(default=None, sa_type=Text)
    compound: str | None = Field(default=None, sa_type=Text)
    unit: str | None = Field(default=None, sa_type=Text)
    holder: str | None = Field(default=None, sa_type=Text)
    meeting: str | None = Field(default=None, sa_type=Text)
    opened_by: str = Field(sa_type=Text)
    outcome: str | None = Field(default=None, sa_type=Text)
    breached: bool = False
    due_at: datetime | None = _at(optional=True)
    opened_at: datetime = _at()
    updated_at: datetime = _at()
    closed_at: datetime | None = _at(optional=True)
    state: dict[str, Any] = _json()


class DemandEventRow(SQLModel, table=True):
    """One entry of a demand's log: gapless `seq`, each `hash` over the one before."""

    __tablename__ = "demand_event"

    number: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    type: str = Field(sa_type=Text)
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    performed_at: datetime | None = _at(optional=True)
    data: dict[str, Any] = _json()
    hash: str = Field(sa_type=Text)


class DemandTextRow(SQLModel, table=True):
    """A sealed text: what the reporter wrote, a note, a public reply, a line of minutes."""

    __tablename__ = "demand_text"

    id: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(sa_type=Text, index=True)
    kind: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    written_at: datetime = _at()
    sealed: bytes = _bytes()


class ReporterRow(SQLModel, table=True):
    """The person behind a demand, sealed: name, phone, building, room."""

    __tablename__ = "reporter"

    number: str = Field(primary_key=True, sa_type=Text)
    sealed: bytes = _bytes()


class IdempotencyRow(SQLModel, table=True):
    """One accepted POST: its key per caller, the digest of its body, and the answer that a repetition gets."""

    __tablename__ = "idempotency"

    principal: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    answer: str = Field(sa_type=Text)
    created_at: datetime = _at()


class ExternalRefRow(SQLModel, table=True):
    """A demand's number in another system; each stands for one demand only."""

    __tablename__ = "external_ref"

    system: str = Field(primary_key=True, sa_type=Text)
    ref: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(sa_type=Text, index=True)


class OutboxRow(SQLModel, table=True):
    """Something that must still leave the database: claimed for a while, gone when done, tried again otherwise."""

    __tablename__ = "outbox"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text, index=True)
    claimed_until: datetime = _at()
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)


class CalendarRow(SQLModel, table=True):
    """A calendar version that some promise froze; kept so that a workflow can be started with it at any time."""

    __tablename__ = "calendar"

    version: str = Field(primary_key=True, sa_type=Text)
    body: str = Field(sa_type=Text)


class MeetingItemRow(SQLModel, table=True):
    """A line of an agenda; with `ended_at` set, a line of the minutes."""

    __tablename__ = "meeting_item"
    __table_args__ = (Index("meeting_item_open", "meeting", postgresql_where=text("ended_at is null")),)

    meeting: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(primary_key=True, sa_type=Text)
    turn: int = Field(primary_key=True)
    community: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    asked_at: datetime = _at()
    ended_at: datetime | None = _at(optional=True)
    kind: str | None = Field(default=None, sa_type=Text)
    chair: str | None = Field(default=None, sa_type=Text)
    minute_id: str | None = Field(default=None, sa_type=Text)
