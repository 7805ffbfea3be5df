"""Uploaded files, and bulk imports with the rows that they refused.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = """
create table file (
    id text primary key,
    number text,
    uploader text not null,
    kind text not null,
    media_type text not null,
    size bigint not null,
    width integer,
    height integer,
    sha256 text not null,
    created_at timestamptz not null,
    taken_at timestamptz,
    use_location boolean not null,
    gps bytea,
    sealed_key bytea,
    state text not null,
    attached_with text,
    attached_key text,
    attached_at timestamptz,
    constraint file_state check (state in ('arriving', 'ready', 'going')),
    constraint file_kind check (kind in ('image', 'document'))
);
create index file_of_demand on file (number) where number is not null;
create index file_loose on file (uploader, created_at) where number is null;
create index file_unfinished on file (created_at) where state <> 'ready';
create table bulk_import (
    id text primary key,
    actor jsonb not null,
    created_by text not null,
    created_at timestamptz not null,
    system text not null,
    channel text not null,
    columns text not null,
    dry_run boolean not null,
    format text not null,
    size bigint not null,
    sealed_key bytea,
    state text not null,
    claimed_until timestamptz not null,
    rows_done integer not null,
    taken integer not null,
    there integer not null,
    refused integer not null,
    rows_in_all integer,
    problem text,
    finished_at timestamptz,
    constraint bulk_import_state check (state in ('arriving', 'waiting', 'done', 'failed', 'cancelled'))
);
create index bulk_import_unfinished on bulk_import (claimed_until) where state in ('arriving', 'waiting');
create index bulk_import_newest on bulk_import (created_by, created_at);
create table bulk_import_refusal (
    import text not null,
    row integer not null,
    line integer not null,
    code text not null,
    field text not null,
    what_to_do text not null,
    primary key (import, row)
)
"""


def upgrade() -> None:
    for statement in UP.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table bulk_import_refusal, bulk_import, file")
