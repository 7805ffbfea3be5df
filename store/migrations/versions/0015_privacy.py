"""Who read what, and what is to be forgotten.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

from alembic import op  # noqa: F401

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
