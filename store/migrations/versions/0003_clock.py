"""The clocks of open demands as rows, so that they can be listed by their due instant.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
create table clock (
    number text not null,
    name text not null,
    due_at timestamptz,
    started_at timestamptz not null,
    paused_at timestamptz,
    breached boolean not null,
    warned smallint not null,
    provisional boolean not null,
    primary key (number, name)
) with (fillfactor = 80);

insert into clock (number, name, due_at, started_at, paused_at, breached, warned, provisional)
select d.number, c.key,
    case when c.value->>'paused_at' is null then (c.value->>'due_at')::timestamptz end,
    (c.value->>'started_at')::timestamptz, (c.value->>'paused_at')::timestamptz,
    coalesce((c.value->>'breached')::boolean, false),
    coalesce((select max(rtrim(step, '%')::smallint)
              from jsonb_array_elements_text(c.value->'done') step where right(step, 1) = '%'), 0),
    coalesce((c.value->>'provisional')::boolean, false)
from demand d, jsonb_each(d.state->'clocks') c
where d.stage <> 'closed' and c.key <> 'reopen' and c.value->>'stopped_at' is null;

create index clock_running on clock (due_at, number, name) where not breached and paused_at is null;
create index clock_breached on clock (due_at, number, name) where breached and paused_at is null;
create index clock_paused on clock (paused_at, number, name) where paused_at is not null;

create index demand_opened_by on demand (opened_by) where stage <> 'closed';
"""


def upgrade() -> None:
    for statement in UP.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop index demand_opened_by")
    op.execute("drop table clock")
