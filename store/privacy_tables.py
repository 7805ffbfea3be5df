"""Who read what is personal, how a phone number is found without being told, and what has been or is to be forgotten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at


class PersonalReadRow(SQLModel, table=True):
    """Somebody had personal data opened, searched, corrected, copied or erased: who, what kind, whose, why; no content.

    `subject` is a demand's number or the id of a care entry; unset for a search that found nothing. Only ever added to,
    and kept when the data itself is gone.
    """

    __tablename__ = "personal_read"
    __table_args__ = (
        Index("personal_read_subject", "subject", "id"),
        Index("personal_read_actor", "actor", "id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    at: datetime = _at()
    actor: str = Field(sa_type=Text)
    what: str = Field(sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    fields: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    reason: str = Field(sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)


class ReporterIndexRow(SQLModel, table=True):
    """The keyed digest of a reporter's phone number, made with the key `key_id`; unset where no number was left.

    Without the key no number can be tried against it. One of another key is made anew; until then it is found by both.
    """

    __tablename__ = "reporter_index"
    __table_args__ = (
        Index("reporter_index_digest", "digest", "number", postgresql_where=text("digest is not null")),
    )  # fmt: skip

    number: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    key_id: str = Field(sa_type=Text)
    digest: str | None = Field(default=None, sa_type=Text)


class ErasureRow(SQLModel, table=True):
    """A demand whose personal data is gone (`done_at`), or goes as soon as it is closed for good.

    `why`: `retention` (its time was over) or `request` (somebody with a right to it asked).
    """

    __tablename__ = "erasure"
    __table_args__ = (Index("erasure_waiting", "number", postgresql_where=text("done_at is null")),)

    number: str = Field(primary_key=True, sa_type=Text)
    asked_at: datetime = _at()
    asked_by: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    done_at: datetime | None = _at(optional=True)
