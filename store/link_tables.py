"""What lets a reporter in who has no account: links in messages, sessions opened with number and code, and their renewal.

No token and no code stands here: of a token the SHA-256, of a code nothing, because it is made from the number anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from store.tables import _at


class ReporterPassRow(SQLModel, table=True):
    """A link, which a notice carried, or a session. `generation` is that of the demand when it was made; `asked_at` is when
    the questions were asked that an `answer` link leads to; `expires_at` is set for a session, a link ends with its demand.
    """

    __tablename__ = "reporter_pass"
    __table_args__ = (
        CheckConstraint("kind in ('answer', 'follow', 'session')", name="reporter_pass_kind"),
        Index("reporter_pass_number", "number"),
        Index("reporter_pass_notice", "notice", postgresql_where=text("notice is not null")),
    )

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    number: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    notice: int | None = Field(default=None, sa_type=BigInteger)
    generation: int
    asked_at: datetime | None = _at(optional=True)
    created_at: datetime = _at()
    expires_at: datetime | None = _at(optional=True)


class ReporterAccessRow(SQLModel, table=True):
    """A demand whose code was renewed: how often, when last and by whom. What was made before does not count any more."""

    __tablename__ = "reporter_access"

    number: str = Field(primary_key=True, sa_type=Text)
    generation: int
    renewed_at: datetime = _at()
    renewed_by: str = Field(sa_type=Text)
