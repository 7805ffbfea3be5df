"""How members of staff are reached: addresses, sealed for person and channel, and what each wishes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from domain.notice_rules import Language, Quiet, Via
from domain.notices import Reach
from store.pool import Connection, Pool
from store.seal import Sealer, UnknownKey

_REACH = """
select person, array_agg(channel order by channel) filter (where channel is not null) as channels, language, quiet_from,
    quiet_until, digest
from unnest($1::text[]) as who (person) left join contact using (person) left join contact_wish using (person)
group by person, language, quiet_from, quiet_until, digest
"""
_OF_DELIVERY = """
select d.channel, n.person, n.number, c.sealed, r.sealed as reporter
from delivery d join notice n on n.id = d.notice
    left join contact c on c.person = n.person and c.channel = d.channel
    left join reporter r on n.person is null and r.number = n.number
where d.id = $1
"""
REPORTERS = {"email": "email", "sms": "phone"}
"""By which of a reporter's data a channel reaches them."""


@dataclass(frozen=True)
class Wish:
    """What is None is as the district has it."""

    language: Language | None = None
    quiet: Quiet | None = None
    digest: bool | None = None


async def reach_of(connection: Connection, people: Sequence[str]) -> dict[str, Reach]:
    """How each of them can be reached, and wants to be."""
    found = {}
    for row in await connection.fetch(_REACH, list(people)):
        wish = _wish(row)
        channels = frozenset(cast("list[Via]", row["channels"] or []))
        found[row["person"]] = Reach(channels, language=wish.language, quiet=wish.quiet, digest=wish.digest)
    return found


async def address_of(pool: Pool, sealer: Sealer, delivery: int) -> str | None:
    """Where a delivery goes; None where the person or the reporter has no address for its channel, or none any more."""
    row = await pool.fetchrow(_OF_DELIVERY, delivery)
    if row is None:
        return None
    try:
        if row["person"] is not None:
            sealed = row["sealed"]
            return None if sealed is None else sealer.open(sealed, bound_to(row["person"], row["channel"]))
        if row["reporter"] is None:
            return None
        return reporters_addresses(sealer.open(row["reporter"], row["number"])).get(row["channel"])
    except UnknownKey:
        return None


def reporters_addresses(said: str) -> dict[str, str]:
    """Channel → address, of a reporter's opened data."""
    known: Mapping[str, object] = json.loads(said)
    return {
        via: "".join(ch for ch in str(known[key]) if via != "sms" or ch not in " -")
        for via, key in REPORTERS.items() if known.get(key)
    }  # fmt: skip


def bound_to(person: str, channel: str) -> str:
    """What a sealed address is bound to: it opens nowhere else."""
    return f"contact:{person}:{channel}"


async def sealed_contacts(pool: Pool, person: str) -> dict[str, bytes]:
    rows = await pool.fetch("select channel, sealed from contact where person = $1 order by channel", person)
    return {row["channel"]: row["sealed"] for row in rows}


async def wish_of(pool: Pool, person: str) -> Wish:
    row = await pool.fetchrow(
        "select language, quiet_from, quiet_until, digest from contact_wish where person = $1", person
    )
    return Wish() if row is None else _wish(row)


def _wish(row: object) -> Wish:
    values = cast("Mapping[str, object]", row)
    quiet = None
    if values["quiet_from"] is not None:
        quiet = Quiet.model_validate({"from": values["quiet_from"], "until": values["quiet_until"]})
    return Wish(cast("Language | None", values["language"]), quiet, cast("bool | None", values["digest"]))


async def replace(pool: Pool, person: str, sealed: Mapping[str, bytes], wish: Wish, now: datetime) -> None:
    """All of it anew: a channel that is not named is one by which the person is not reached any more."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into contact_wish (person, language, quiet_from, quiet_until, digest, updated_at)"
            " values ($1, $2, $3, $4, $5, $6) on conflict (person) do update set language = excluded.language,"
            " quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, digest = excluded.digest,"
            " updated_at = excluded.updated_at",
            person, wish.language, wish.quiet.begins if wish.quiet else None, wish.quiet.ends if wish.quiet else None,
            wish.digest, now,
        )  # fmt: skip
        await connection.execute(
            "delete from contact where person = $1 and channel <> all($2::text[])", person, list(sealed)
        )
        await connection.executemany(
            "insert into contact (person, channel, sealed, updated_at) values ($1, $2, $3, $4)"
            " on conflict (person, channel) do update set sealed = excluded.sealed, updated_at = excluded.updated_at",
            [(person, channel, value, now) for channel, value in sealed.items()],
        )
