"""`./run import FILE`: bring demands in from CSV or XLSX through the HTTP API. A second run takes nothing in twice.

Each row has a key of its own, from the system it comes from and its number there (or, without a number, from what it
says). So a run that was interrupted is simply started again.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.refusals import show, write_report
from cli.sending import Sender, Tally, categories_of, connected
from cli.server import NoServer, Server, server_of
from devstack.program import ROOT
from domain.district import District
from domain.errors import ConfigError
from domain.vocabulary import Channel
from service.importing.bodies import Maker
from service.importing.checking import category_codes, problem_of
from service.importing.columns import parse_map
from service.importing.encodings import Unreadable
from service.importing.rows import CsvFile
from service.importing.workbook import as_csv, is_workbook
from service.pack import load_pack

_PACK = ROOT / "config" / "shengli-road"
_DATA = Path(os.environ.get("LINLI_DATA") or ROOT / ".data")
_out, _err = Console(), Console(stderr=True)


def main(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file whose first line names its columns.")],
    url: Annotated[str | None, typer.Option(help="The server; without it, the demo that runs here.")] = None,
    token: Annotated[str | None, typer.Option(help="Who imports: a token of that server.")] = None,
    data: Annotated[Path, typer.Option(help="Data folder of the running demo.")] = _DATA,
    columns: Annotated[str, typer.Option("--map", help="FIELD=COLUMN[+COLUMN],… where the guess is wrong.")] = "",
    channel: Annotated[Channel, typer.Option(help="The door the demands came through.")] = Channel.IMPORT,
    system: Annotated[
        str | None, typer.Option(help="The system the rows come from (default: the file's name).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows.")] = None,
    scatter: Annotated[bool, typer.Option("--scatter", help="Put rows without a place at some compound.")] = False,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Rows on their way at the same time.")] = 8,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at every row, take in none; needs no server.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Where refused rows are listed.")] = None,
    pack: Annotated[Path, typer.Option(help="The district pack, for --scatter.")] = _PACK,
) -> None:
    """Bring demands in from a CSV or XLSX file, through the HTTP API. A second run takes nothing in twice."""
    name, tally = (system or file.stem)[:40], Tally()
    try:
        with _opened(file) as (opened, size, from_workbook):
            rows = CsvFile(opened, file, parse_map(columns), numbered=from_workbook)
            _tell_reading(rows, name)
            district = load_pack(pack)
            maker = Maker(name, str(channel), category_codes(district), _scatterer(district) if scatter else None)
            if dry_run:
                _try(rows, maker, district, tally, limit)
            else:
                server = server_of(url, token, data, district)
                with _bar(size, tally) as changed:
                    asyncio.run(_import(rows, server, maker, tally, changed, limit=limit, at_once=at_once))
        code = 1 if tally.refusals else 0
    except KeyboardInterrupt:
        _err.print("Stopped. Run the same command again: it goes on, and takes nothing in twice.")
        code = 130
    except (Unreadable, NoServer, ConfigError, OSError, ExceptionGroup) as problem:
        _err.print(_sentence(problem, file), style="red", highlight=False, markup=False, soft_wrap=True)
        code = 2
    _tell(tally, dry_run, report or Path(f"{file.stem}-refused.csv"))
    raise typer.Exit(code)


async def _import(
    rows: CsvFile, server: Server, maker: Maker, tally: Tally, changed: Callable[[], None], *,
    limit: int | None, at_once: int,
) -> None:  # fmt: skip
    async with connected(server, at_once) as http:
        maker = replace(maker, categories=await categories_of(http))
        await Sender(http, tally, changed).send(islice(rows.rows(), limit), rows, maker, at_once=at_once)


@contextmanager
def _opened(file: Path) -> Iterator[tuple[BinaryIO, int, bool]]:
    """(its rows as CSV, how many bytes these are, whether they stand in a workbook). Raises Unreadable."""
    with file.open("rb") as given:
        if not is_workbook(given.read(4)):
            yield given, file.stat().st_size, False
            return
        given.seek(0)
        content = asyncio.run(as_csv(given.read()))
    yield io.BytesIO(content), len(content), True


def _try(rows: CsvFile, maker: Maker, district: District, tally: Tally, limit: int | None) -> None:
    """What is wrong with the rows as far as the file and the district pack can tell."""
    keys: set[str] = set()
    for row in islice(rows.rows(), limit):
        problem, key = problem_of(row, rows, maker, district)
        if problem is not None:
            tally.refusals.append(problem)
        elif key in keys:
            tally.there += 1
        else:
            keys.add(key)
            tally.taken += 1


def _scatterer(district: District) -> Callable[[str], str]:
    """The same row always lands at the same compound."""
    compounds = [compound.id for compound in district.compounds]

    def place(known_by: str) -> str:
        return compounds[int.from_bytes(hashlib.sha256(known_by.encode()).digest()[:8]) % len(compounds)]

    return place


def _sentence(problem: BaseException, file: Path) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    if isinstance(problem, OSError):
        return f"{problem.filename or file}: {problem.strerror}."
    if isinstance(problem, Unreadable | NoServer | ConfigError):
        return str(problem)
    raise problem


def _tell_reading(rows: CsvFile, system: str) -> None:
    if rows.encoding != "utf-8":
        _err.print("The file is not UTF-8; it is read as GB18030.", highlight=False)
    used = ", ".join(f"{field} = {rows.column(field)}" for field in rows.columns)
    _err.print(f"Columns: {used}. Rows are known as “{system}” and their number.", highlight=False, markup=False)
    if "created_at" in rows.columns:
        _err.print("Dates are checked, not kept: a demand's time is when it is taken in.", highlight=False)


@contextmanager
def _bar(size: int, tally: Tally) -> Iterator[Callable[[], None]]:
    words = TextColumn(
        "{task.fields[taken]} taken · {task.fields[there]} already there · {task.fields[refused]} refused"
    )
    with Progress(BarColumn(), DownloadColumn(), words, TimeRemainingColumn(), console=_err) as bar:
        task = bar.add_task("", total=size, taken=0, there=0, refused=0)

        def changed() -> None:
            bar.update(task, completed=tally.at_byte, taken=tally.taken, there=tally.there, refused=len(tally.refusals))

        yield changed


def _tell(tally: Tally, dry_run: bool, place: Path) -> None:
    if tally.refusals:
        show(tally.refusals, _out)
        write_report(tally.refusals, place)
    if not tally.rows:
        return
    taken, there = ("could be taken in", "twice in the file") if dry_run else ("taken in", "already there")
    _out.print(
        f"{tally.rows} rows: {tally.taken} {taken}, {tally.there} {there}, {len(tally.refusals)} refused"
        + (f" (listed in {place})." if tally.refusals else "."),
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    if tally.repeated_calls:
        _out.print(f"{tally.repeated_calls} calls were repeated because the server was away or busy.", highlight=False)


if __name__ == "__main__":
    typer.run(main)
