"""The table of uploaded files. Their contents lie elsewhere (`gateways/blobs`), each sealed with a key of its own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at


class FileRow(SQLModel, table=True):
    """One uploaded file. `number` is the demand it is attached to, unset until a command or an intake names it.

    `arriving` until its content is kept, then `ready`; `going` when it shall be forgotten, content first. `sealed_key`
    opens the content; without it the content is lost, which is how a photograph is shredded. `gps` is the point that the
    camera wrote, kept only where `use_location` says that the uploader agreed. `attached_with` is the command that named
    it, under `attached_key`. `size` (in bytes) and `sha256` are of the content as it is served.
    """

    __tablename__ = "file"
    __table_args__ = (
        CheckConstraint("state in ('arriving', 'ready', 'going')", name="file_state"),
        CheckConstraint("kind in ('image', 'document')", name="file_kind"),
        Index("file_of_demand", "number", postgresql_where=text("number is not null")),
        Index("file_loose", "uploader", "created_at", postgresql_where=text("number is null")),
        Index("file_unfinished", "created_at", postgresql_where=text("state <> 'ready'")),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    uploader: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    width: int | None = None
    height: int | None = None
    sha256: str = Field(sa_type=Text)
    created_at: datetime = _at()
    taken_at: datetime | None = _at(optional=True)
    use_location: bool = False
    gps: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    sealed_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    state: str = Field(sa_type=Text)
    attached_with: str | None = Field(default=None, sa_type=Text)
    attached_key: str | None = Field(default=None, sa_type=Text)
    attached_at: datetime | None = _at(optional=True)
