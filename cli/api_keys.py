"""`./run key …`: keys of integrators. A key is printed once and kept nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from cli.identity_run import BY, Data, at_minute, run, table, told_once
from cli.installation import DATA, Installation
from domain.scopes import Scope
from service import api_keys
from store import api_keys as stored_keys

key_app = typer.Typer(no_args_is_help=True, help="Keys of integrators.")


@key_app.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="What it is for, as 12345-hotline.")],
    owner: Annotated[str, typer.Option(help="The person whose rights it has: a person's id.")],
    scope: Annotated[list[Scope], typer.Option(help="What it opens; may stand there several times.")],
    days: Annotated[int, typer.Option(min=1, max=api_keys.LONGEST_DAYS, help="How long it lives.")] = 365,
    data: Data = DATA,
) -> None:
    """Make a key. Prints it once."""

    async def work(at: Installation) -> None:
        await at.people.one(owner)
        async with at.pool.acquire() as connection, connection.transaction():
            made = await api_keys.make(
                connection, name=name, owner=owner, scopes=frozenset(scope), days=days, by=BY, now=at.now()
            )
        _tell_key(made)

    run(data, work)


@key_app.command("rotate")
def rotate_key(
    id: Annotated[str, typer.Argument(help="The key's prefix, as `list` shows it.")],
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old one goes on.")] = 24,
    data: Data = DATA,
) -> None:
    """Another key in the place of this one, which goes on for a while. Prints it once."""

    async def work(at: Installation) -> None:
        async with at.pool.acquire() as connection, connection.transaction():
            overlap = timedelta(hours=overlap_hours)
            made = await api_keys.replace_key(connection, id, overlap=overlap, by=BY, now=at.now())
        typer.echo(f"{id} goes on for {overlap_hours} h, then ends.", err=True)
        _tell_key(made)

    run(data, work)


def _tell_key(made: api_keys.Made) -> None:
    assert made.secret is not None
    typer.echo(f"{made.key.id}: {', '.join(made.key.scopes)}, until {at_minute(made.key.expires_at)}", err=True)
    told_once("The key", made.secret)


@key_app.command("revoke")
def revoke_key(id: Annotated[str, typer.Argument(help="The key's prefix.")], data: Data = DATA) -> None:
    """It opens nothing any more."""

    async def work(at: Installation) -> None:
        async with at.pool.acquire() as connection, connection.transaction():
            await api_keys.revoke(connection, id, by=BY, now=at.now())
        typer.echo(f"{id} is revoked.")

    run(data, work)


@key_app.command("list")
def list_keys(data: Data = DATA) -> None:
    """All keys, newest first; of the secrets nothing is kept."""

    async def work(at: Installation) -> None:
        now = at.now()
        rows = [("key", "name", "owner", "state", "until", "last used", "scopes")]
        for one in await stored_keys.page(at.pool, owner=None, before=None, limit=1_000):
            state = "in force" if one.lives(now) else "revoked" if one.revoked_at else "expired"
            until, used = at_minute(one.expires_at), at_minute(one.last_used_at)
            rows.append((one.id, one.name, one.owner, state, until, used, " ".join(one.scopes)))
        table(rows)

    run(data, work)
