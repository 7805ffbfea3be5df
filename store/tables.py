"""Every table, as SQLModel: the schema that the migrations build. Rows never leave `store/` and `service/`.

`demand` is the current row of each demand, a projection of its event log; `demand_event` is the log itself. Texts and
reporters are sealed (encrypted) and kept apart, so that reading a list touches nothing personal.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    text,
)
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


def _worked_out(kind: Any, sql: str) -> Any:
    """By the database, from the row's own state."""
    return Field(default=None, sa_column=Column(kind, Computed(sql, persisted=True)))


_CO_UNITS = """jsonb_path_query_array(state,
    '$.co_tasks[*] ? (!(@.state == "done" || @.state == "refused" || @.state == "released")).unit')"""


class DemandRow(SQLModel, table=True):
    """The current state of a demand, with columns for what lists filter and sort by.

    `co_units`, worked out by the database, are the units that help with it and are not through with that; so are the
    demand that it follows, and whether its reporter is to be hidden.
    """

    __tablename__ = "demand"
    __table_args__ = (
        Index("demand_holder_due", "holder", "due_at", postgresql_where=text("stage <> 'closed'")),
        Index("demand_community_due", "community", "due_at", postgresql_where=text("stage <> 'closed'")),
        Index("demand_grid_open", "grid", postgresql_where=text("stage <> 'closed'")),
        Index("demand_closed", "closed_at", postgresql_where=text("closed_at is not null")),
        Index("demand_opened_by", "opened_by", postgresql_where=text("stage <> 'closed'")),
        Index("demand_follows", "primary_number", postgresql_where=text("primary_number is not null")),
        Index("demand_confidential", "number", postgresql_where=text("confidential")),
        Index(
            "demand_led", "unit", postgresql_include=["number"],
            postgresql_where=text("stage = 'unit' and unit is not null"),
        ),
        Index(
            "demand_helped", "co_units", postgresql_using="gin",
            postgresql_where=text("stage <> 'closed' and co_units <> '[]'::jsonb"),
        ),
    )  # fmt: skip

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
    co_units: list[str] | None = _worked_out(JSONB, _CO_UNITS)
    primary_number: str | None = _worked_out(Text, "state ->> 'primary'")
    confidential: bool | None = _worked_out(Boolean, "state ? 'confidential'")


class ClockRow(SQLModel, table=True):
    """One clock of an open demand that still ticks; a stopped one lives on in the log only.

    `due_at` is unset while the clock is paused; `warned` is the highest percent of the ladder that has fallen. Each row
    stands in one of the three indexes, in the order of the list that it belongs to.
    """

    __tablename__ = "clock"
    __table_args__ = (
        Index("clock_running", "due_at", "number", "name", postgresql_where=text("not breached and paused_at is null")),
        Index("clock_breached", "due_at", "number", "name", postgresql_where=text("breached and paused_at is null")),
        Index("clock_paused", "paused_at", "number", "name", postgresql_where=text("paused_at is not null")),
    )

    number: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    due_at: datetime | None = _at(optional=True)
    started_at: datetime = _at()
    paused_at: datetime | None = _at(optional=True)
    breached: bool
    warned: int = Field(sa_type=SmallInteger)
    provisional: bool


WRITER = "pg_current_xact_id()::text::bigint"


class DemandEventRow(SQLModel, table=True):
    """One entry of a demand's log: gapless `seq`, each `hash` over the one before.

    `xid`, the transaction that wrote it, gives it its place in the feed of all of them; `epoch` counts clusters.
    `recorded_at` is when that was, which may be long after `at`.
    """

    __tablename__ = "demand_event"
    __table_args__ = (
        Index("demand_event_feed", "epoch", "xid", "number", "seq"),
        Index("demand_event_recorded", "recorded_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        Index(
            "demand_event_project",
            text("(data ->> 'project')"),
            postgresql_where=text("type = 'meeting_decided' and data ->> 'project' is not null"),
        ),
    )

    number: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    type: str = Field(sa_type=Text)
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    performed_at: datetime | None = _at(optional=True)
    data: dict[str, Any] = _json()
    hash: str = Field(sa_type=Text)
    epoch: int = Field(sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    xid: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text(WRITER)))
    recorded_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )


class DemandTextRow(SQLModel, table=True):
    """A sealed text: what the reporter wrote, a note, a public reply, a line of minutes; erased, it says only that."""

    __tablename__ = "demand_text"

    id: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(sa_type=Text, index=True)
    kind: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    written_at: datetime = _at()
    sealed: bytes = _bytes()
    erased_at: datetime | None = _at(optional=True)


class ReporterRow(SQLModel, table=True):
    """The person behind a demand and where they said it is, sealed: name, phone, building, room, lat, lon."""

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
    """Something that must still leave the database: claimed for a while, gone when done, tried again otherwise.

    Kind `start` begins a demand's workflow; `adopt` hands it the calendar of version `ref`, one row a demand.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_adopt", "number", unique=True, postgresql_where=text("kind = 'adopt'")),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text, index=True)
    claimed_until: datetime = _at()
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    ref: str | None = Field(default=None, sa_type=Text)


class CalendarRow(SQLModel, table=True):
    """A calendar version that some promise froze; kept so that a workflow can be started with it at any time."""

    __tablename__ = "calendar"

    version: str = Field(primary_key=True, sa_type=Text)
    body: str = Field(sa_type=Text)


class PublicationRow(SQLModel, table=True):
    """A holiday year (`key` is the year), the promises or the routing rules (`key` is empty), a unit, the stewards of a
    grid, the roster of a community or the leave of a person (`key` is its id), entered at run time.

    The newest of each kind and key that has taken effect is in force, over the file. A cancellation takes back the one
    whose id is its `key`. `impact` is what it changed when it was published.
    """

    __tablename__ = "publication"
    __table_args__ = (
        CheckConstraint(
            "kind in ('holiday_year', 'sla', 'routing', 'unit', 'stewardship', 'roster', 'person_leave', 'cancellation',"
            " 'person')",
            name="publication_kind",
        ),
        Index("publication_key", "kind", "key", "id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    body: dict[str, Any] = _json()
    impact: dict[str, Any] = _json()
    published_by: str = Field(sa_type=Text)
    published_at: datetime = _at()
    effective_at: datetime = _at()


class MeetingItemRow(SQLModel, table=True):
    """A line of an agenda; with `ended_at` set, a line of the minutes of `session`.

    `reporters`, `breached` and `due_at` make its heat; `late` and `consented` are as of the decision, which is kept whole.
    """

    __tablename__ = "meeting_item"
    __table_args__ = (
        Index("meeting_item_open", "meeting", postgresql_where=text("ended_at is null")),
        Index("meeting_item_session", "meeting", "session", postgresql_where=text("session is not null")),
    )

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
    reporters: int = Field(sa_type=SmallInteger)
    breached: int = Field(sa_type=SmallInteger)
    due_at: datetime | None = _at(optional=True)
    rolls: int = Field(sa_type=SmallInteger)
    session: str | None = Field(default=None, sa_type=Text)
    late: bool
    consented: bool
    recorded_by: str | None = Field(default=None, sa_type=Text)
    decision: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))


class MeetingSessionRow(SQLModel, table=True):
    """One session of a meeting, from its calling on; `body` is the whole of it, `version` counts its changes."""

    __tablename__ = "meeting_session"
    __table_args__ = (
        Index("meeting_session_newest", "meeting", "called_at", "id"),
        Index("meeting_session_ahead", "meeting", "starts_at", postgresql_where=text("state <> 'closed'")),
    )

    meeting: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    called_at: datetime = _at()
    starts_at: datetime = _at()
    closed_at: datetime | None = _at(optional=True)
    version: int
    body: dict[str, Any] = _json()


class RulingRow(SQLModel, table=True):
    """A standing decision of a joint meeting: until when, and if it was revoked, when, by whom and why.

    In force from `valid_from` until just before `valid_until`; revoking brings that forward.
    """

    __tablename__ = "ruling"
    __table_args__ = (Index("ruling_newest", "decided_at", "id"),)

    id: str = Field(primary_key=True, sa_type=Text)
    meeting: str = Field(sa_type=Text)
    community: str | None = Field(default=None, sa_type=Text)
    category: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    valid_from: datetime = _at()
    valid_until: datetime | None = _at(optional=True)
    decided_at: datetime = _at()
    number: str = Field(sa_type=Text)
    chair: str = Field(sa_type=Text)
    revoked_at: datetime | None = _at(optional=True)
    revoked_by: str | None = Field(default=None, sa_type=Text)
    revoke_reason: str | None = Field(default=None, sa_type=Text)


class RateFigureRow(SQLModel, table=True):
    """A figure of a month that is over, by one definition, for one key of a grouping (both empty: for everything).

    An empty key within a grouping is what has none, such as demands without a unit. Of each `computation` of the month.
    """

    __tablename__ = "rate_figure"

    month: date = Field(primary_key=True)
    definition: str = Field(primary_key=True, sa_type=Text)
    computation: int = Field(primary_key=True)
    grouping: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    figure: str = Field(primary_key=True, sa_type=Text)
    numerator: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    denominator: int | None = None
    excluded: dict[str, Any] = _json()
