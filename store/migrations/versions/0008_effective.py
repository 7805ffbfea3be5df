"""Publications of units, stewardships, rosters and leave, and the instant from which each publication counts.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = "'holiday_year', 'sla', 'routing'"
NEW_KINDS = "'unit', 'stewardship', 'roster', 'person_leave', 'cancellation'"

UP = f"""
alter table publication add column effective_at timestamptz;
update publication set effective_at = published_at;
alter table publication alter column effective_at set not null;
alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ({KINDS}, {NEW_KINDS}));
create index publication_key on publication (kind, key, id);
"""

DOWN = f"""
drop index publication_key;
delete from publication where kind in ({NEW_KINDS}) or effective_at > published_at;
alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ({KINDS}));
alter table publication drop column effective_at;
"""


def upgrade() -> None:
    _run(UP)


def downgrade() -> None:
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
