"""Tables of the lists: projects with all that belongs to them, and individual needs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Column, Date, Index, LargeBinary, Sequence, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at, _json

PROJECT_NUMBERS = Sequence("project_number", metadata=SQLModel.metadata)
CARE_NUMBERS = Sequence("care_number", metadata=SQLModel.metadata)


def _on(*, optional: bool = False) -> Any:
    column: Any = Column(Date, nullable=optional)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)


class ProjectRow(SQLModel, table=True):
    """A project; `origin` is the key of the decision that opened it, so that repeating the decision opens no other."""

    __tablename__ = "project"
    __table_args__ = (
        Index("project_open", "community", "id", postgresql_where=text("state = 'open'")),
        Index("project_origin", "origin", unique=True),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    community: str | None = Field(default=None, sa_type=Text)
    title: str = Field(sa_type=Text)
    meeting: str | None = Field(default=None, sa_type=Text)
    lead_unit: str = Field(sa_type=Text)
    due_on: date | None = _on(optional=True)
    state: str = Field(sa_type=Text)
    opened_at: datetime = _at()
    opened_by: str = Field(sa_type=Text)
    closed_at: datetime | None = _at(optional=True)
    seq: int
    origin: str | None = Field(default=None, sa_type=Text)


class ProjectMilestoneRow(SQLModel, table=True):
    __tablename__ = "project_milestone"

    project: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    due_on: date = _on()
    percent: int = Field(sa_type=SmallInteger)
    done_at: datetime | None = _at(optional=True)
    done_by: str | None = Field(default=None, sa_type=Text)


class ProjectDemandRow(SQLModel, table=True):
    """A demand tied to a project by hand; what a meeting decided stands in the demand's own log."""

    __tablename__ = "project_demand"

    project: str = Field(primary_key=True, sa_type=Text)
    number: str = Field(primary_key=True, sa_type=Text, index=True)


class ProjectActivityRow(SQLModel, table=True):
    __tablename__ = "project_activity"

    project: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    planned_on: date = _on()
    announced_at: datetime | None = _at(optional=True)
    done_at: datetime | None = _at(optional=True)
    cancelled_at: datetime | None = _at(optional=True)


class ProjectEventRow(SQLModel, table=True):
    """One change of a project: who, when, what. Only ever added to."""

    __tablename__ = "project_event"

    project: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    type: str = Field(sa_type=Text)
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    data: dict[str, Any] = _json()


class CareEntryRow(SQLModel, table=True):
    """One line of the individual-needs list; `sealed` holds name, phone, address, and is gone once the entry has ended."""

    __tablename__ = "care_entry"
    __table_args__ = (
        Index("care_entry_grid", "community", "grid", "id", postgresql_where=text("ended_at is null")),
    )  # fmt: skip

    id: str = Field(primary_key=True, sa_type=Text)
    community: str = Field(sa_type=Text)
    grid: str = Field(sa_type=Text)
    group: str = Field(sa_column=Column("care_group", Text, nullable=False))
    needs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    check_in_days: int
    responsible: str = Field(sa_type=Text)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    created_at: datetime = _at()
    updated_at: datetime = _at()
    seq: int
    last_check_in_at: datetime | None = _at(optional=True)
    last_result: str | None = Field(default=None, sa_type=Text)
    ended_at: datetime | None = _at(optional=True)


class CareEventRow(SQLModel, table=True):
    """One change of an entry, or a check-in: who, when, what; never anything personal. Only ever added to."""

    __tablename__ = "care_event"

    entry: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True)
    type: str = Field(sa_type=Text)
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    data: dict[str, Any] = _json()
