"""The tables of bulk imports: what was sent, how far it is, and the rows that were not taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at, _json


class BulkImportRow(SQLModel, table=True):
    """One file of demands on its way in. The first `rows_done` rows have been judged; whoever holds the claim goes on there.

    `actor` is who asked, with the grants of that moment. `columns` says which column is which field. The file itself is a
    sealed content that `sealed_key` opens; both go when the import ends.
    """

    __tablename__ = "bulk_import"
    __table_args__ = (
        CheckConstraint("state in ('arriving', 'waiting', 'done', 'failed', 'cancelled')", name="bulk_import_state"),
        Index(
            "bulk_import_unfinished", "claimed_until", postgresql_where=text("state in ('arriving', 'waiting')")
        ),
        Index("bulk_import_newest", "created_by", "created_at"),
    )  # fmt: skip

    id: str = Field(primary_key=True, sa_type=Text)
    actor: dict[str, Any] = _json()
    created_by: str = Field(sa_type=Text)
    created_at: datetime = _at()
    system: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    columns: str = Field(sa_type=Text)
    dry_run: bool
    format: str = Field(sa_type=Text)
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    sealed_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    state: str = Field(sa_type=Text)
    claimed_until: datetime = _at()
    rows_done: int
    taken: int
    there: int
    refused: int
    rows_in_all: int | None = None
    problem: str | None = Field(default=None, sa_type=Text)
    finished_at: datetime | None = _at(optional=True)


class BulkImportRefusalRow(SQLModel, table=True):
    """A row that was not taken: why, in which column, and what to do. Never what the row says."""

    __tablename__ = "bulk_import_refusal"

    import_: str = Field(sa_column=Column("import", Text, primary_key=True))
    row: int = Field(primary_key=True)
    line: int
    code: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    what_to_do: str = Field(sa_type=Text)
