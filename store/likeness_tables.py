"""The table in which similar demands find each other, without a word of what they say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text
from sqlalchemy.dialects.postgresql import BIT
from sqlmodel import Field, SQLModel

from store.fingerprint import BITS
from store.tables import _at


class DemandLikenessRow(SQLModel, table=True):
    """Where and when a demand is, what about, and the keyed fingerprint of its text.

    `branch` is the top of its category. `cell` is a square of some 250 m, unset where only the grid is known; no point
    and no building stand here. `made_with` names the key and the way of the fingerprint: another one is made anew.
    """

    __tablename__ = "demand_likeness"
    __table_args__ = (
        Index("demand_likeness_near", "branch", "cell", "opened_at"),
        Index("demand_likeness_grid", "branch", "grid", "opened_at"),
        Index("demand_likeness_community", "community", "opened_at"),
    )

    number: str = Field(primary_key=True, sa_type=Text)
    branch: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    community: str | None = Field(default=None, sa_type=Text)
    grid: str | None = Field(default=None, sa_type=Text)
    compound: str | None = Field(default=None, sa_type=Text)
    cell: int | None = Field(default=None, sa_column=Column(BigInteger))
    opened_at: datetime = _at()
    made_with: str = Field(sa_type=Text)
    signature: Any = Field(sa_column=Column(BIT(BITS), nullable=False))
