"""`./run keys …`: the keys that everything personal is sealed with.

A rotation may be interrupted at any time; the same command goes on where it was.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.installation import DATA, NoInstallation, settings_of
from runtime.settings import Settings
from service.key_rotation import AT_ONCE, AlreadyRunning, Left, Rotated, look, rotate
from store.pool import UNAVAILABLE, open_pool

DONE, LEFT, UNUSABLE = 0, 1, 2

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_out, _err = Console(), Console(stderr=True)


@app.command()
def new(
    key_id: Annotated[str, typer.Argument(help="Lower-case letters and digits, not used before, such as k2.")],
) -> None:
    """Print a fresh key, as an entry of LINLI_DATA_KEYS."""
    if not re.fullmatch(r"[a-z0-9]{1,16}", key_id):
        _fail("A key id is 1 to 16 lower-case letters and digits.")
    typer.echo(f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}")


@app.command("rotate")
def rotate_keys(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what each key has sealed.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Values in one transaction.")] = AT_ONCE,
    data: Annotated[Path, typer.Option(help="Data folder of the running demo.")] = DATA,
) -> None:
    """Seal everything anew with the first key of LINLI_DATA_KEYS. Ends with 0 when no other key is needed any more,
    1 when something still needs one, 2 when it could not be done."""
    try:
        settings = settings_of(data)
        code = asyncio.run(_counted(settings) if dry_run else _rotated(settings, batch))
    except KeyboardInterrupt:
        _err.print("Stopped. Run the same command again: it goes on where it was.")
        code = 130
    except (NoInstallation, AlreadyRunning) as problem:
        _fail(str(problem))
    except UNAVAILABLE as away:
        _fail(f"The database is not there ({type(away).__name__}). What was sealed anew stays so; run it again later.")
    raise typer.Exit(code)


def _fail(sentence: str) -> NoReturn:
    _err.print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(UNUSABLE)


async def _counted(settings: Settings) -> int:
    pool = await open_pool(settings.database_url, size=2)
    try:
        left = await look(pool)
    finally:
        await pool.close()
    current = next(iter(settings.key_ring()))
    _show(left, current)
    _out.print(f"{left.not_of(current)} values would be sealed anew with {current}.", highlight=False)
    return DONE if left.not_of(current) == 0 else LEFT


async def _rotated(settings: Settings, batch: int) -> int:
    ring = settings.key_ring()
    current = next(iter(ring))
    pool = await open_pool(settings.database_url, size=3)
    began = time.monotonic()
    try:
        before = await look(pool)
        words = TextColumn("{task.description}")
        with Progress(words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=_err) as bar:
            tasks = {
                name: bar.add_task(name, total=sum(n for key, n in counts.items() if key != current))
                for name, counts in before.by_column.items()
            }
            done = await rotate(pool, ring, lambda name, n: bar.advance(tasks[name], n), at_once=batch)
    finally:
        await pool.close()
    _tell(done, ring, time.monotonic() - began)
    return DONE if done.removable else LEFT


def _tell(done: Rotated, ring: dict[str, bytes], seconds: float) -> None:
    _show(done.left, done.current)
    _out.print(f"{done.resealed} values sealed anew with {done.current} in {seconds:.1f} s.", highlight=False)
    for column, rows in done.unreadable.items():
        named = ", ".join("/".join(map(str, row)) for row in rows[:5])
        _out.print(f"{column}: {len(rows)} cannot be opened by any key of the ring, such as {named}.", highlight=False)
    others = [name for name in ring if name != done.current]
    if not done.removable:
        _out.print(
            f"Still needed: {', '.join(k or 'unknown' for k in done.left.keys if k != done.current)}. A process that"
            f" seals with an older key has not been restarted since {done.current} stands first, or a value cannot be"
            " opened. Mend that and run this again.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    elif others:
        _out.print(
            f"{', '.join(others)} may be removed from LINLI_DATA_KEYS once every API and worker has been restarted with"
            f" {done.current} in the first place. Backups made before today still need it.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


def _show(left: Left, current: str) -> None:
    table = Table("column", *(f"{key or 'none'}{' (seals)' if key == current else ''}" for key in left.keys))
    for name, counts in left.by_column.items():
        table.add_row(name, *(str(counts.get(key, 0)) for key in left.keys))
    _out.print(table)


@app.callback()
def _several() -> None:
    """Makes typer keep the names of the commands."""


if __name__ == "__main__":
    app()
