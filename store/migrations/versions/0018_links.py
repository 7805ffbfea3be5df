"""One-time links and codes of residents.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table reporter_pass (
            token_hash bytea primary key,
            number text not null,
            kind text not null constraint reporter_pass_kind check (kind in ('answer', 'follow', 'session')),
            notice bigint,
            generation integer not null,
            asked_at timestamptz,
            created_at timestamptz not null,
            expires_at timestamptz
        )
    """)
    op.execute("create index reporter_pass_number on reporter_pass (number)")
    op.execute("create index reporter_pass_notice on reporter_pass (notice) where notice is not null")
    op.execute("""
        create table reporter_access (
            number text primary key,
            generation integer not null,
            renewed_at timestamptz not null,
            renewed_by text not null
        )
    """)


def downgrade() -> None:
    op.execute("drop table reporter_access")
    op.execute("drop table reporter_pass")
