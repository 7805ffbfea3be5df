"""`./run simulate`: residents, grid workers, liaisons, chairs, operators and supervisors work until all is closed.

They act through the HTTP API alone, each with an own token, and do only what the API says is permitted. Time is
compressed by settings laid over the district pack (config/overlays/fast.toml), and the rotating chair lives through a
quarter: at each third of the demands a month ends. Afterwards the event logs are audited.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.simulation.faults import Wanted
from bench.simulation.report import as_json, tell
from bench.simulation.run import Options, simulate
from devstack.errors import StackError
from devstack.stack import DEFAULT_PACK
from domain.errors import ConfigError

_out, _err = Console(), Console(stderr=True)


def main(
    demands: Annotated[int, typer.Option(min=1, max=100_000, help="How many demands are submitted.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed makes the same residents and the same choices.")] = 7,
    kill_worker: Annotated[int, typer.Option(min=0, help="kill -9 the worker so often, in the middle.")] = 0,
    kill_api: Annotated[int, typer.Option(min=0, help="kill -9 the API so often, in the middle.")] = 0,
    stop_temporal: Annotated[float, typer.Option(min=0, help="Temporal is away so many seconds during intake.")] = 0,
    at_once: Annotated[int, typer.Option(min=1, max=200, help="People who talk to the API at the same time.")] = 16,
    sealed: Annotated[bool, typer.Option(help="With --url: wait for the end of every reopen window, too.")] = False,
    url: Annotated[str | None, typer.Option(help="A running server instead of a stack of our own.")] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="With --url: the file of its token secret (DATA/secrets/dev_token_secret).")
    ] = None,
    pack: Annotated[Path, typer.Option(help="The district pack.")] = DEFAULT_PACK,
    json: Annotated[bool, typer.Option("--json", help="One JSON line on stdout, everything else on stderr.")] = False,
) -> None:
    """Let a district work until every demand is closed, then audit what it left."""
    wanted = Wanted(kill_worker, kill_api, stop_temporal)
    options = Options(
        demands=demands, seed=seed, faults=wanted, url=url, secret=_secret(url, secret_file, wanted), pack=pack,
        at_once=at_once, sealed=sealed,
    )  # fmt: skip
    try:
        with _bars(demands) as moved:
            report = simulate(options, say=lambda line: _err.print(line, highlight=False), progress=moved)
    except (StackError, ConfigError) as problem:
        _err.print(str(problem), style="red", highlight=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        _err.print("Stopped; a stack of our own is gone with all its demands.")
        raise typer.Exit(130) from None
    if json:
        sys.stdout.write(as_json(report) + "\n")
    else:
        tell(report, _out)
    raise typer.Exit(1 if report.wrong else 0)


def _secret(url: str | None, secret_file: Path | None, wanted: Wanted) -> str | None:
    if (url is None) != (secret_file is None):
        raise typer.BadParameter("--url and --secret-file go together: people need tokens of that server.")
    if url is not None and wanted.any:
        raise typer.BadParameter("faults are for a stack of our own: leave out --url.")
    if secret_file is None:
        return None
    try:
        return secret_file.read_text().strip()
    except OSError as problem:
        raise typer.BadParameter(f"{secret_file} cannot be read: {problem.strerror}.") from None


@contextlib.contextmanager
def _bars(demands: int) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err) as bars:
        accepted, closed = bars.add_task("accepted", total=demands), bars.add_task("closed", total=demands)

        def moved(taken: int, ended: int) -> None:
            bars.update(accepted, completed=taken)
            bars.update(closed, completed=ended)

        yield moved


if __name__ == "__main__":
    typer.run(main)
