"""Which workers are there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from store.tables import _at


class WorkerBeatRow(SQLModel, table=True):
    """A worker process, and when it last said that it is there, by the clock of the database."""

    __tablename__ = "worker_beat"

    worker: str = Field(primary_key=True, sa_type=Text)
    begun_at: datetime = _at()
    seen_at: datetime = _at()
