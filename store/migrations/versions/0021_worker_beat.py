"""Which workers are there: each writes its line every few seconds. And the open demands of a grid by an index.

A district has a hundred grids and more: of twenty thousand open demands a hundredth is read instead of all. A demand's
grid hardly ever changes and its stage stands in other indexes already, so no update loses being heap-only by this one;
nor by that of the instant of closing, which is set with the stage. What is open does not stand in it at all.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table worker_beat (
            worker text primary key,
            begun_at timestamptz not null,
            seen_at timestamptz not null
        )
    """)
    op.execute("create index demand_grid_open on demand (grid) where stage <> 'closed'")
    op.execute("create index demand_closed on demand (closed_at) where closed_at is not null")


def downgrade() -> None:
    op.execute("drop index demand_closed")
    op.execute("drop index demand_grid_open")
    op.execute("drop table worker_beat")
