"""How far each consumer of the feed has come, and the clusters that its order spans."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, SmallInteger, Text
from sqlmodel import Field, SQLModel


class FeedEpochRow(SQLModel, table=True):
    """A cluster (`system`) and its timeline in which the database has lived; the last one is the present."""

    __tablename__ = "feed_epoch"

    epoch: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    system: str = Field(sa_type=Text)
    timeline: str = Field(sa_type=Text)
    begun_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class FeedCursorRow(SQLModel, table=True):
    """The event that a consumer took last."""

    __tablename__ = "feed_cursor"

    name: str = Field(primary_key=True, sa_type=Text)
    epoch: int = Field(sa_type=SmallInteger)
    xid: int = Field(sa_type=BigInteger)
    number: str = Field(sa_type=Text)
    seq: int
    moved_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
