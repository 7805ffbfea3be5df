"""Demands closed for good, written straight into the tables: with a reporter, texts, and everything else that is sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import asyncpg

from store.seal import Sealer

CLOSED_AT = datetime(2025, 3, 1, tzinfo=UTC)
KINDS = ("demand", "note", "reply", "plan")
_DEMAND = """
insert into demand (number, seq, head, stage, category, channel, opened_by, breached, opened_at, updated_at, closed_at, state)
select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::jsonb[])
"""


def number_of(n: int) -> str:
    return f"20250201-{n:06d}"


def phone_of(n: int) -> str:
    return f"139{n:08d}"


async def load(
    url: str, sealer: Sealer, count: int, *, first: int = 0, sealed: bool = True, category: str = "010101",
    closed_at: datetime = CLOSED_AT,
) -> list[str]:  # fmt: skip
    """`count` demands with four texts and a reporter each; their numbers."""
    ns = range(first, first + count)
    numbers = [number_of(n) for n in ns]
    opened = closed_at - timedelta(days=9)
    state = json.dumps({"number": "", "stage": "closed", "sealed": sealed, "opened_by": "resident-0001"})
    demands = [
        (one, 1, "", "closed", category, "api", "resident-0001", False, opened, opened, closed_at, state) for one in numbers
    ]  # fmt: skip
    texts = [
        (f"{one}.{place}", one, kind, "resident-0001", opened, sealer.seal(f"{kind} of 李{one}", one))
        for one in numbers
        for place, kind in enumerate(KINDS)
    ]
    people = [
        (one, sealer.seal(json.dumps({"name": f"李{one}", "phone": phone_of(n)}), one))
        for n, one in zip(ns, numbers, strict=True)
    ]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_DEMAND, *map(list, zip(*demands, strict=True)))
        columns = ["id", "number", "kind", "author", "written_at", "sealed"]
        await connection.copy_records_to_table("demand_text", records=texts, columns=columns)
        await connection.copy_records_to_table("reporter", records=people, columns=["number", "sealed"])
    finally:
        await connection.close()
    return numbers


async def load_others(url: str, sealer: Sealer) -> None:
    """One row of each other table that holds something sealed."""
    at = CLOSED_AT
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "insert into care_entry (id, community, grid, care_group, needs, check_in_days, responsible, sealed, created_at,"
            " updated_at, seq) values ('care-000001', 'c', 'g', 'x', '{}', 7, 'p', $1, $2, $2, 1)",
            sealer.seal("care", "care-000001"), at,
        )  # fmt: skip
        await connection.execute(
            "insert into contact (person, channel, sealed, updated_at) values ('p', 'sms', $1, $2)",
            sealer.seal("contact", "contact:p:sms"), at,
        )  # fmt: skip
        await connection.execute(
            "insert into webhook (id, owner, url, description, types, communities, categories, secret, old_secret, since,"
            " created_at, changed_at, failures) values ('w', 'p', 'https://x', '', '{}', '{}', '{}', $1, $2, '', $3, $3, 0)",
            sealer.seal("secret", "webhook w"), sealer.seal("old", "webhook w"), at,
        )  # fmt: skip
        await connection.execute(
            "insert into file (id, number, uploader, kind, media_type, size, sha256, created_at, use_location, gps,"
            " sealed_key, state) values ('f', $1, 'p', 'image', 'image/png', 1, '', $4, true, $2, $3, 'ready')",
            number_of(0), sealer.seal("gps", "f"), sealer.seal("key", "f"), at,
        )  # fmt: skip
    finally:
        await connection.close()
