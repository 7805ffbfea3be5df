"""Exclusions from the rates, and months computed anew: each computation stands beside the one before, with its reason.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UP = """
create sequence exclusion_number;

create table exclusion (
    id text primary key,
    number text not null,
    month text not null,
    figures text[] not null,
    basis text not null,
    document text,
    community text,
    state text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    revoked_by text,
    revoked_at timestamptz,
    seq integer not null
);
create index exclusion_month on exclusion (month, id);
create index exclusion_demand on exclusion (number, month);

create table exclusion_event (
    exclusion text not null,
    seq integer not null,
    type text not null,
    at timestamptz not null,
    actor text not null,
    data jsonb not null,
    primary key (exclusion, seq)
);

create table rate_month (
    month date not null,
    definition text not null,
    computation integer not null,
    computed_at timestamptz not null,
    computed_by text,
    reason text,
    inputs jsonb not null,
    primary key (month, definition, computation)
);

insert into rate_month (month, definition, computation, computed_at, inputs)
select month, definition, 1, min(computed_at), '{}' from rate_figure group by month, definition;

alter table rate_figure add column computation integer not null default 1;
alter table rate_figure alter column computation drop default;
alter table rate_figure drop constraint rate_figure_pkey;
alter table rate_figure add primary key (month, definition, computation, grouping, key, figure);
alter table rate_figure drop column computed_at
"""

DOWN = """
alter table rate_figure add column computed_at timestamptz;
update rate_figure f set computed_at = m.computed_at from rate_month m
where (m.month, m.definition, m.computation) = (f.month, f.definition, f.computation);
delete from rate_figure where computation > 1;
alter table rate_figure alter column computed_at set not null;
alter table rate_figure drop constraint rate_figure_pkey;
alter table rate_figure drop column computation;
alter table rate_figure add primary key (month, definition, grouping, key, figure);
drop table rate_month;
drop table exclusion_event;
drop table exclusion;
drop sequence exclusion_number
"""


def upgrade() -> None:
    _run(UP)


def downgrade() -> None:
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
