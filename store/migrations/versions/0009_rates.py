"""The figures of a month, kept as they were computed.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
create table rate_figure (
    month date not null,
    definition text not null,
    grouping text not null,
    key text not null,
    figure text not null,
    numerator numeric not null,
    denominator integer,
    excluded jsonb not null,
    computed_at timestamptz not null,
    primary key (month, definition, grouping, key, figure)
)
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("drop table rate_figure")
