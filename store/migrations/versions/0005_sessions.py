"""Sessions of joint meetings; of each line of an agenda its heat, how often it rolled over, and what was decided.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = """
create table meeting_session (
    meeting text not null,
    id text not null,
    kind text not null,
    state text not null,
    called_at timestamptz not null,
    starts_at timestamptz not null,
    closed_at timestamptz,
    version integer not null,
    body jsonb not null,
    primary key (meeting, id)
);
create index meeting_session_newest on meeting_session (meeting, called_at, id);
create index meeting_session_ahead on meeting_session (meeting, starts_at) where state <> 'closed';

alter table meeting_item
    add column reporters smallint not null default 1,
    add column breached smallint not null default 0,
    add column due_at timestamptz,
    add column rolls smallint not null default 0,
    add column session text,
    add column late boolean not null default false,
    add column consented boolean not null default false,
    add column recorded_by text,
    add column decision jsonb;
alter table meeting_item
    alter column reporters drop default, alter column breached drop default, alter column rolls drop default,
    alter column late drop default, alter column consented drop default;
create index meeting_item_session on meeting_item (meeting, session) where session is not null;
"""

DOWN = """
drop index meeting_item_session;
alter table meeting_item
    drop column reporters, drop column breached, drop column due_at, drop column rolls, drop column session,
    drop column late, drop column consented, drop column recorded_by, drop column decision;
drop table meeting_session;
"""


def upgrade() -> None:
    _run(UP)


def downgrade() -> None:
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
