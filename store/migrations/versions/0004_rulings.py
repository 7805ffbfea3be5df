"""Rulings of joint meetings; what each unit has to do, by index; routing rules among the publications.

`demand.co_units` follows from the state: the units that help with a demand and have not finished, refused or been released.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = """
create table ruling (
    id text primary key,
    meeting text not null,
    community text,
    category text not null,
    unit text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    decided_at timestamptz not null,
    number text not null,
    chair text not null,
    revoked_at timestamptz,
    revoked_by text,
    revoke_reason text
);
create index ruling_newest on ruling (decided_at, id);

alter table demand add column co_units jsonb generated always as (jsonb_path_query_array(state,
    '$.co_tasks[*] ? (!(@.state == "done" || @.state == "refused" || @.state == "released")).unit')) stored;
create index demand_led on demand (unit) include (number) where stage = 'unit' and unit is not null;
create index demand_helped on demand using gin (co_units) where stage <> 'closed' and co_units <> '[]'::jsonb;

alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ('holiday_year', 'sla', 'routing'));
"""

DOWN = """
delete from publication where kind = 'routing';
alter table publication drop constraint publication_kind;
alter table publication add constraint publication_kind check (kind in ('holiday_year', 'sla'));
drop index demand_helped;
drop index demand_led;
alter table demand drop column co_units;
drop table ruling;
"""


def upgrade() -> None:
    _run(UP)


def downgrade() -> None:
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
