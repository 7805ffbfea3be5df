"""The list of sealed columns is the whole of them: in the models, in the database, and in what writes to it."""

from __future__ import annotations

from sqlalchemy import LargeBinary
from sqlmodel import SQLModel

from store.pool import Pool
from store.sealed_columns import ALSO_FORGOTTEN, NOT_SEALED, SEALED

_BYTES = """
select table_name || '.' || column_name as name from information_schema.columns
where table_schema = 'public' and (data_type = 'bytea' or column_name like '%sealed%')
"""
_KEY = """
select a.attname as name, format_type(a.atttypid, null) as type from pg_index i
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
where i.indrelid = $1::regclass and i.indisprimary
"""


async def test_every_column_of_bytes_is_on_the_list(pool: Pool) -> None:
    in_database = {row["name"] for row in await pool.fetch(_BYTES)}
    assert len(in_database) >= 3, "the search found too little; it has to be mended"
    listed = {column.name for column in SEALED}
    assert in_database == listed | set(NOT_SEALED), in_database ^ (listed | set(NOT_SEALED))
    assert not listed & set(NOT_SEALED) and all(NOT_SEALED.values())


def test_every_column_of_bytes_of_the_models_is_on_the_list() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert found <= {column.name for column in SEALED} | set(NOT_SEALED)


async def test_each_line_names_the_primary_key_and_what_the_bytes_are_bound_to(pool: Pool) -> None:
    for column in SEALED:
        key = {row["name"]: row["type"] for row in await pool.fetch(_KEY, column.table)}
        assert column.key == key, column.name
        more = f", {column.of_demand}" if column.of_demand else ""
        await pool.fetch(f"select ({column.bound_to})::text, {column.column}{more} from {column.table} limit 1")
    for statement in ALSO_FORGOTTEN:
        await pool.execute(statement, [])
