#!/bin/sh
# Bring Temporal's two databases to the schema of its release. Safe to run again: a schema that is there is kept.
set -eu

update() {
    temporal-sql-tool --db "$1" setup-schema -v 0.0
    temporal-sql-tool --db "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

update temporal temporal
update temporal_visibility visibility
