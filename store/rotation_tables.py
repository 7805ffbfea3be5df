"""The rotation of the chair: its changes, and the turns that were handed over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Text
from sqlmodel import Field, SQLModel

from store.tables import _at, _json


class RosterChangeRow(SQLModel, table=True):
    """A change of a community's rotation: `body` says what, the time of `revoked_at` until when it counted.

    Nothing is edited: who changes their mind revokes the entry and makes another one.
    """

    __tablename__ = "roster_change"
    __table_args__ = (
        CheckConstraint("kind in ('skip', 'swap', 'substitute', 'override')", name="roster_change_kind"),
        Index("roster_change_community", "community", "id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    community: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    body: dict[str, Any] = _json()
    reason: str = Field(sa_type=Text)
    made_by: str = Field(sa_type=Text)
    made_at: datetime = _at()
    revoked_by: str | None = Field(default=None, sa_type=Text)
    revoked_at: datetime | None = _at(optional=True)


class ChairTurnRow(SQLModel, table=True):
    """A period that a unit took over, and what was open at its first moment: ids in `items`, their count beside them.

    `person` chaired when the period began, and `how` they came to it.
    """

    __tablename__ = "chair_turn"

    community: str = Field(primary_key=True, sa_type=Text)
    period_from: date = Field(primary_key=True)
    period_until: date
    unit: str = Field(sa_type=Text)
    person: str = Field(sa_type=Text)
    how: str = Field(sa_type=Text)
    handed_over_at: datetime = _at()
    open_items: int
    items: dict[str, Any] = _json()
