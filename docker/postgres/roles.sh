#!/bin/sh
# One server, two tenants that cannot read each other: Linli and Temporal, each owner of its own databases and no more.
# The postgres image runs this once, on an empty volume. Running it again changes the passwords and nothing else.
set -eu

# The password goes by the environment: a command line can be read by every process of the machine.
make_role() {
    ROLE_PASSWORD=$2 psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v role="$1" <<'SQL'
\getenv password ROLE_PASSWORD
select format('create role %I login', :'role') where not exists (select from pg_roles where rolname = :'role') \gexec
select format('alter role %I password %L', :'role', :'password') \gexec
SQL
}

make_database() {
    psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v base="$1" -v role="$2" <<'SQL'
select format('create database %I owner %I', :'base', :'role')
 where not exists (select from pg_database where datname = :'base') \gexec
select format('revoke connect on database %I from public', :'base') \gexec
SQL
}

make_role linli "$LINLI_DB_PASSWORD"
make_role temporal "$TEMPORAL_DB_PASSWORD"
make_database linli linli
make_database temporal temporal
make_database temporal_visibility temporal
