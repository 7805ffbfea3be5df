"""Who may sign in, the sessions they opened, the keys of integrators, how often somebody tried, and what was done of it.

No password and no token stands here, only their hashes; names that somebody typed and addresses stand as keyed digests.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from store.tables import _at, _bytes


class AccountRow(SQLModel, table=True):
    """How a person of the district signs in. `name` is the user name, folded; who the person is and what they may do
    stands in the district, not here. Without `password_hash` only the identity provider lets them in; its `subject` is
    pinned when it does so first."""

    __tablename__ = "account"
    __table_args__ = (
        Index("account_name", "name", unique=True),
        Index("account_subject", "issuer", "subject", unique=True, postgresql_where=text("subject is not null")),
    )

    person: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    password_hash: str | None = Field(default=None, sa_type=Text)
    issuer: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _at()
    password_at: datetime | None = _at(optional=True)
    signed_in_at: datetime | None = _at(optional=True)
    disabled_at: datetime | None = _at(optional=True)


class AccountSessionRow(SQLModel, table=True):
    """A session; `token_hash` is the SHA-256 of what the cookie holds. `device` is a coarse word, `agent` and `address`
    are keyed digests."""

    __tablename__ = "account_session"
    __table_args__ = (
        Index("account_session_token", "token_hash", unique=True),
        Index("account_session_person", "person", "created_at"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    token_hash: bytes = _bytes()
    person: str = Field(sa_type=Text)
    how: str = Field(sa_type=Text)
    device: str = Field(sa_type=Text)
    agent: bytes = _bytes()
    address: bytes = _bytes()
    created_at: datetime = _at()
    last_seen_at: datetime = _at()
    expires_at: datetime = _at()
    revoked_at: datetime | None = _at(optional=True)
    revoked_by: str | None = Field(default=None, sa_type=Text)


class ApiKeyRow(SQLModel, table=True):
    """A key of an integrator; `id` is its public prefix, `hash` the SHA-256 of the whole. `last_used_at` is coarse."""

    __tablename__ = "api_key"
    __table_args__ = (Index("api_key_owner", "owner", "created_at"),)

    id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    hash: bytes = _bytes()
    owner: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_by: str = Field(sa_type=Text)
    created_at: datetime = _at()
    expires_at: datetime = _at()
    last_used_at: datetime | None = _at(optional=True)
    revoked_at: datetime | None = _at(optional=True)
    rotated_from: str | None = Field(default=None, sa_type=Text)


class SignInTryRow(SQLModel, table=True):
    """How often somebody tried to sign in to one account, or from one address, lately: `tries` runs out with time, and is
    as of `last_at`. `mark` is a keyed digest of which."""

    __tablename__ = "sign_in_try"

    mark: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    tries: float
    last_at: datetime = _at()
    blocked_until: datetime = _at()


class IdentityEventRow(SQLModel, table=True):
    """What was done with accounts, sessions and keys: by whom and to whom, as person ids; `by` is unset for an attempt
    from outside."""

    __tablename__ = "identity_event"
    __table_args__ = (Index("identity_event_person", "person", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime = _at()
    kind: str = Field(sa_type=Text)
    by: str | None = Field(default=None, sa_type=Text)
    person: str | None = Field(default=None, sa_type=Text)
    data: Any = Field(sa_column=Column(JSONB, nullable=False))
