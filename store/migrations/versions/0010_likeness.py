"""Where similar demands find each other: place, branch of categories, and the keyed fingerprint of the text.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UP = """
create table demand_likeness (
    number text primary key,
    branch text not null,
    category text not null,
    community text,
    grid text,
    compound text,
    cell bigint,
    opened_at timestamptz not null,
    made_with text not null,
    signature bit(256) not null
);
create index demand_likeness_near on demand_likeness (branch, cell, opened_at);
create index demand_likeness_grid on demand_likeness (branch, grid, opened_at);
create index demand_likeness_community on demand_likeness (community, opened_at)
"""


def upgrade() -> None:
    for statement in UP.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table demand_likeness")
