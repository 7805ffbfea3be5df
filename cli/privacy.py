"""`./run privacy anonymise`: erase what is personal of demands whose time is over. Their log and the figures stay.

It may be interrupted at any time; the same command goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.installation import DATA, NoInstallation, settings_of
from domain.actors import SYSTEM
from domain.errors import ConfigError
from runtime.settings import Settings
from service.erasure import AT_ONCE, Eraser, Over, over_after, over_by
from service.pack import load_pack
from store.erasure import Candidate
from store.pool import UNAVAILABLE, open_pool
from store.seal import Sealer

DONE, UNUSABLE = 0, 2

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_out, _err = Console(), Console(stderr=True)


@app.command()
def anonymise(
    older_than: Annotated[
        int | None,
        typer.Option(min=0, metavar="DAYS", help="Closed for good for so long; default: as privacy.toml says."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Demands in one transaction.")] = AT_ONCE,
    data: Annotated[Path, typer.Option(help="Data folder of the running demo.")] = DATA,
) -> None:
    """Erase reporters and texts of demands that have been closed for good for long enough."""
    try:
        settings = settings_of(data)
        over = _over(settings, older_than)
        asyncio.run(_anonymised(settings, over, dry_run=dry_run, batch=batch))
        code = DONE
    except KeyboardInterrupt:
        _err.print("Stopped. Run the same command again: it goes on where it was.")
        code = 130
    except (NoInstallation, ConfigError) as problem:
        code = _failed(str(problem))
    except UNAVAILABLE as away:
        code = _failed(f"The database is not there ({type(away).__name__}). What was erased is; run it again later.")
    raise typer.Exit(code)


def _failed(sentence: str) -> int:
    _err.print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
    return UNUSABLE


def _over(settings: Settings, days: int | None) -> Over:
    now = datetime.now(UTC)
    if days is not None:
        return over_after(days, now)
    found = over_by(load_pack(settings.pack, settings.pack_overlay).privacy, now)
    if found is None:
        raise NoInstallation("privacy.toml sets no span: nothing is erased by itself. Say one with --older-than DAYS.")
    return found


async def _anonymised(settings: Settings, over: Over, *, dry_run: bool, batch: int) -> None:
    pool = await open_pool(settings.database_url, size=2)
    eraser = Eraser(pool, Sealer(settings.key_ring()))
    began = time.monotonic()
    try:
        due = [one async for some in eraser.retained_too_long(over, at_once=5_000) for one in some]
        if dry_run:
            _show(due)
            return
        gone = 0
        words = TextColumn("{task.description}")
        with Progress(words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=_err) as bar:
            task = bar.add_task("demands", total=len(due))
            for start in range(0, len(due), batch):
                numbers = [one.number for one in due[start : start + batch]]
                gone += await eraser.erase(numbers, at=datetime.now(UTC), by=SYSTEM.id, why="retention")
                bar.advance(task, len(numbers))
    finally:
        await pool.close()
    took = time.monotonic() - began
    _out.print(f"{len(due)} demands anonymised, {gone} rows and texts erased, in {took:.1f} s.", highlight=False)


def _show(due: list[Candidate]) -> None:
    table = Table("closed in", "demands")
    for year, count in sorted(Counter(one.closed_at.year for one in due).items()):
        table.add_row(str(year), str(count))
    _out.print(table)
    _out.print(f"{len(due)} demands would be anonymised.", highlight=False)


@app.callback()
def _several() -> None:
    """Makes typer keep the names of the commands."""


if __name__ == "__main__":
    app()
