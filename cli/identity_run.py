"""What `./run user` and `./run key` share: the installation they work on, how they end, and how they print."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.installation import Installation, NoInstallation, opened
from domain.actors import SYSTEM
from domain.errors import ConfigError, DomainError
from store.pool import UNAVAILABLE

# In whose name it is done: whoever has the database and the keys of its data needs no other right.
BY = SYSTEM.id
Data = Annotated[Path, typer.Option("--data", help="Data folder of the running demo.", envvar="LINLI_DATA")]


def run(data: Path, work: Callable[[Installation], Awaitable[None]]) -> None:
    """Ends with 2 where there is no installation, 1 where it refuses."""

    async def inside() -> None:
        async with opened(data) as installation:
            await work(installation)

    try:
        asyncio.run(inside())
    except (NoInstallation, ConfigError) as missing:
        end(str(missing), 2)
    except DomainError as refused:
        facts = "".join(f"\n  {name}: {value}" for name, value in refused.facts.items())
        end(f"Refused ({refused.code}): {refused.rule}{facts}", 1)
    except UNAVAILABLE as down:
        end(f"The database does not answer ({type(down).__name__}).", 2)


def end(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def told_once(what: str, secret: str) -> None:
    """The secret alone on stdout, so that a script can take it; everything else goes to stderr."""
    typer.echo(f"{what}, shown this once:", err=True)
    typer.echo(secret)


def at_minute(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}Z"


def table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join([*cells, row[-1]]))
