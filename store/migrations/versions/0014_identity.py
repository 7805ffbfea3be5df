"""Users, sessions and API keys; and people who are published, over those of the pack.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KINDS = "'holiday_year', 'sla', 'routing', 'unit', 'stewardship', 'roster', 'person_leave', 'cancellation'"

UP = f"""
create table account (
    person text primary key,
    name text not null,
    password_hash text,
    issuer text,
    subject text,
    created_at timestamptz not null,
    password_at timestamptz,
    signed_in_at timestamptz,
    disabled_at timestamptz
);
create unique index account_name on account (name);
create unique index account_subject on account (issuer, subject) where subject is not null;
create table account_session (
    id text primary key,
    token_hash bytea not null,
    person text not null,
    how text not null,
    device text not null,
    agent bytea not null,
    address bytea not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by text
);
create unique index account_session_token on account_session (token_hash);
create index account_session_person on account_session (person, created_at);
create table api_key (
    id text primary key,
    name text not null,
    hash bytea not null,
    owner text not null,
    scopes text[] not null,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    rotated_from text
);
create index api_key_owner on api_key (owner, created_at);
create table sign_in_try (
    mark bytea primary key,
    tries double precision not null,
    last_at timestamptz not null,
    blocked_until timestamptz not null
);
create table identity_event (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    kind text not null,
    by text,
    person text,
    data jsonb not null
);
create index identity_event_person on identity_event (person, id);
alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ({KINDS}, 'person'));
"""

DOWN = f"""
delete from publication where kind = 'person';
alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ({KINDS}));
drop table identity_event;
drop table sign_in_try;
drop table api_key;
drop table account_session;
drop table account;
"""


def upgrade() -> None:
    _run(UP)


def downgrade() -> None:
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
