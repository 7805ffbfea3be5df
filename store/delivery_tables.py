"""Every attempt of a delivery, and how each channel does. The deliveries themselves stand with their notices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, Text
from sqlmodel import Field, SQLModel

from store.tables import _at


class DeliveryAttemptRow(SQLModel, table=True):
    """Written before anything is sent; without `ended_at` the worker ended first. `code` is a domain.delivery.Reason."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (Index("delivery_attempt_of", "delivery", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    delivery: int = Field(sa_column=Column(BigInteger, nullable=False))
    started_at: datetime = _at()
    ended_at: datetime | None = _at(optional=True)
    outcome: str | None = Field(default=None, sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)


class ChannelStateRow(SQLModel, table=True):
    """A domain.delivery.Circuit with what happened last. `suspects` are lanes."""

    __tablename__ = "channel_state"

    channel: str = Field(primary_key=True, sa_type=Text)
    down_since: datetime | None = _at(optional=True)
    probe_at: datetime | None = _at(optional=True)
    probes: int
    suspects: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    last_success_at: datetime | None = _at(optional=True)
    last_failure_at: datetime | None = _at(optional=True)
    last_failure: str | None = Field(default=None, sa_type=Text)
