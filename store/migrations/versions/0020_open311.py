"""When an event was written down, which pollers go by; and the confidential demands, to leave them out of lists.

What stands already was written down before anybody polled. The BRIN index is a handful of pages for millions of events in
the order of their writing, and costs an insert nothing that could be measured.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table demand_event add column recorded_at timestamptz not null default 'epoch'")
    op.execute("alter table demand_event alter column recorded_at set default now()")
    op.execute("create index demand_event_recorded on demand_event using brin (recorded_at) with (autosummarize = on)")
    op.execute("alter table demand add column confidential boolean generated always as (state ? 'confidential') stored")
    op.execute("create index demand_confidential on demand (number) where confidential")


def downgrade() -> None:
    op.execute("drop index demand_confidential")
    op.execute("alter table demand drop column confidential")
    op.execute("drop index demand_event_recorded")
    op.execute("alter table demand_event drop column recorded_at")
