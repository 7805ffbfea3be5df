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
    op.execute("create index demand_follows on demand ((state ->> 'primary')) where state ? 'primary'")


def downgrade() -> None:
    op.execute("drop index demand_follows")
