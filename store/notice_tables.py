"""Notices: who is to be told of what; their deliveries; and how members of staff can be reached.

Neither a notice nor a delivery holds an address or a word of a text: both are looked up when it is sent or read.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Text, Time, text
from sqlmodel import Field, SQLModel

from store.tables import _at

_OPEN = text("state in ('waiting', 'sending', 'failed')")


def _id() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


class NoticeRow(SQLModel, table=True):
    """One person is to be told of one event, once. `person` is unset for the reporter; `reader` finds it in an inbox: that
    person, or the reporter's account where there is one.

    `send_at` is the first instant at which it may go out. `digest` is the notice that it goes out in together with
    others: one of event `digest`, which has no number. `state`: `outgoing` (it has deliveries), `collected` (it goes
    out in its digest), `inbox` (it is only read in the product), `unreachable` (a reporter who left no address).
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "notice_once", "number", "seq", "event", "person", "template", unique=True,
            postgresql_nulls_not_distinct=True, postgresql_where=text("number is not null"),
        ),
        Index("notice_collection", "person", "send_at", unique=True, postgresql_where=text("event = 'digest'")),
        Index("notice_inbox", "reader", "id", postgresql_where=text("reader is not null")),
        Index("notice_unread", "reader", "id", postgresql_where=text("read_at is null and reader is not null")),
        Index("notice_collected", "digest", "id", postgresql_where=text("digest is not null")),
    )  # fmt: skip

    id: int | None = _id()
    number: str | None = Field(default=None, sa_type=Text)
    seq: int | None = None
    event: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    person: str | None = Field(default=None, sa_type=Text)
    reader: str | None = Field(default=None, sa_type=Text)
    template: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    urgent: bool
    at: datetime = _at()
    created_at: datetime = _at()
    send_at: datetime = _at()
    digest: int | None = Field(default=None, sa_column=Column(BigInteger))
    read_at: datetime | None = _at(optional=True)
    state: str = Field(sa_type=Text)


class DeliveryRow(SQLModel, table=True):
    """A notice on its way through one channel.

    `lane` is the recipient: of one lane and channel, what is open goes out in the order of (`position`, `id`), one
    after the other. `state`: `waiting`, `sending` (until `claimed_until`), `failed` (again at `next_at`), `delivered`,
    `dead`. `last_error` is a code. `replayed_at`: when somebody had it tried anew.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("delivery_once", "notice", "channel", unique=True),
        Index("delivery_due", "channel", "urgent", "position", "id", postgresql_where=_OPEN),
        Index("delivery_dead", "channel", "position", postgresql_where=text("state = 'dead'")),
        Index("delivery_lane", "lane", "channel", "position", "id", postgresql_where=_OPEN),
    )

    id: int | None = _id()
    notice: int = Field(sa_column=Column(BigInteger, nullable=False))
    channel: str = Field(sa_type=Text)
    lane: str = Field(sa_type=Text)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = Field(sa_type=Text)
    attempts: int
    next_at: datetime = _at()
    claimed_until: datetime | None = _at(optional=True)
    last_error: str | None = Field(default=None, sa_type=Text)
    delivered_at: datetime | None = _at(optional=True)
    number: str | None = Field(default=None, sa_type=Text)
    urgent: bool
    replayed_at: datetime | None = _at(optional=True)


class ContactRow(SQLModel, table=True):
    """Where a member of staff is reached through one channel: the address, sealed and bound to person and channel."""

    __tablename__ = "contact"

    person: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: datetime = _at()


class ContactWishRow(SQLModel, table=True):
    """How a member of staff wants to be told; what is unset is as the district has it."""

    __tablename__ = "contact_wish"

    person: str = Field(primary_key=True, sa_type=Text)
    language: str | None = Field(default=None, sa_type=Text)
    quiet_from: time | None = Field(default=None, sa_column=Column(Time))
    quiet_until: time | None = Field(default=None, sa_column=Column(Time))
    digest: bool | None = None
    updated_at: datetime = _at()
