"""Where something personal could lie in clear, and looking for marks there."""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from temporalio.client import Client

_COLUMNS = """
select c.table_schema as schema, c.table_name as table, c.column_name as column, c.udt_name as type
from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
where t.table_type = 'BASE TABLE' and c.table_schema not in ('information_schema')
    and (c.table_schema = 'public' or c.table_name in ('pg_statistic', 'pg_description')) order by 1, 2, 3
"""


@dataclass(frozen=True)
class Hit:
    place: str
    mark: str


def spellings(mark: str) -> set[bytes]:
    """How a mark is written: plain, escaped in JSON, quoted in an address, in hex, in the old Chinese encoding."""
    plain = mark.encode()
    quoted = urllib.parse.quote(mark)
    return {
        plain, json.dumps(mark)[1:-1].encode(), quoted.encode(), quoted.lower().encode(), plain.hex().encode(),
        mark.encode("gb18030"),
    }  # fmt: skip


def in_bytes(place: str, content: Iterable[bytes], marks: Mapping[str, str]) -> list[Hit]:
    wanted = {name: spellings(mark) for name, mark in marks.items()}
    return [
        Hit(place, name)
        for one in content
        for name, spelled in wanted.items()
        if any(spelling in one for spelling in spelled)
    ]  # fmt: skip


async def histories(client: Client) -> dict[str, bytes]:
    """Every workflow that there is or was, with each payload decoded, its memo and its search attributes."""
    found: dict[str, bytes] = {}
    async for one in client.list_workflows():
        handle = client.get_workflow_handle(one.id, run_id=one.run_id)
        history = (await handle.fetch_history()).to_json()
        about = (await handle.describe()).raw_description
        found[f"{one.workflow_type} {one.id}"] = (
            readable(history).encode() + str(about).encode() + about.SerializeToString()
        )
    return found


def readable(history: str) -> str:
    """The history with every payload decoded, whatever its encoding wrote."""
    found = [history]

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("data"), str):
                found.append(base64.b64decode(value["data"]).decode(errors="replace"))
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(json.loads(history))
    plain = "\n".join(found)
    return plain + plain.encode().decode("unicode_escape", errors="replace")


def logs(folder: Path) -> dict[str, bytes]:
    return {place.name: place.read_bytes() for place in sorted(folder.iterdir()) if place.is_file()}


def metrics(*urls: str) -> dict[str, bytes]:
    found = {}
    for url in urls:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found[url.rpartition("/")[2]] = answer.read()
    return found


async def columns(url: str, marks: Mapping[str, str]) -> tuple[list[str], list[Hit]]:
    """Every column of every table, whatever its type: its text for a mark as it is written, its bytes for the mark's."""
    connection = await asyncpg.connect(url)
    looked, hits = [], []
    try:
        for row in await connection.fetch(_COLUMNS):
            table, column = f'"{row["schema"]}"."{row["table"]}"', f'"{row["column"]}"'
            looked.append(f"{row['table']}.{row['column']}")
            values = await connection.fetch(
                f"select {column} as v from {table}"
                if row["type"] == "bytea"
                else f"select {column}::text as v from {table}"
            )
            content = (v if isinstance(v, bytes) else v.encode() for (v,) in values if v is not None)
            hits += in_bytes(f"column {looked[-1]}", content, marks)
    finally:
        await connection.close()
    return looked, hits


def disk(folders: Iterable[Path], marks: Mapping[str, str]) -> tuple[int, int, list[Hit]]:
    """Every file, byte by byte: how many, how large together, and where a mark stands plainly."""
    count, size, hits = 0, 0, []
    wanted = {name: mark.encode() for name, mark in marks.items()}
    for folder in folders:
        for place in sorted(folder.rglob("*")):
            if not place.is_file() or place.is_symlink():
                continue
            content = place.read_bytes()
            count, size = count + 1, size + len(content)
            hits += [Hit(f"file {place.relative_to(folder)}", name) for name, mark in wanted.items() if mark in content]
    return count, size, hits
