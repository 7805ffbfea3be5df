"""Tables of what is left out of the rates, and of when and why a month was computed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Column, Index, Sequence, Text
from sqlmodel import Field, SQLModel

from store.tables import _at, _json

EXCLUSION_NUMBERS = Sequence("exclusion_number", metadata=SQLModel.metadata)


class ExclusionRow(SQLModel, table=True):
    """A demand that is, or is asked to be, left out of `figures` for the local `month`; the present state of its log."""

    __tablename__ = "exclusion"
    __table_args__ = (Index("exclusion_month", "month", "id"), Index("exclusion_demand", "number", "month"))

    id: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(sa_type=Text)
    month: str = Field(sa_type=Text)
    figures: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    basis: str = Field(sa_type=Text)
    document: str | None = Field(default=None, sa_type=Text)
    community: str | None = Field(default=None, sa_type=Text)
    state: str = Field(sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = _at()
    decided_by: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = _at(optional=True)
    revoked_by: str | None = Field(default=None, sa_type=Text)
    revoked_at: datetime | None = _at(optional=True)
    seq: int


class ExclusionEventRow(SQLModel, table=True):
    """`asked`, `approved`, `refused`, `withdrawn` or `revoked`: who, when, why. Only ever added to."""

    __tablename__ = "exclusion_event"

    exclusion: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    type: str = Field(sa_type=Text)
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    data: dict[str, Any] = _json()


class RateMonthRow(SQLModel, table=True):
    """One computation of a month that is over. The first stays what it was: another is numbered on and says its `reason`.

    `inputs` is what it took from elsewhere than the event log; empty for what was computed before that was kept.
    """

    __tablename__ = "rate_month"

    month: date = Field(primary_key=True)
    definition: str = Field(primary_key=True, sa_type=Text)
    computation: int = Field(primary_key=True)
    computed_at: datetime = _at()
    computed_by: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    inputs: dict[str, Any] = _json()
