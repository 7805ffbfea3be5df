"""The duplicates of a demand are found by their primary.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A column of its own: an index on an expression of `state` would make every update touch all indexes.
    op.execute("alter table demand add column primary_number text generated always as (state ->> 'primary') stored")
    op.execute("create index demand_follows on demand (primary_number) where primary_number is not null")


def downgrade() -> None:
    op.execute("drop index demand_follows")
    op.execute("alter table demand drop column primary_number")
