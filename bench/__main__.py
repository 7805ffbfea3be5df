"""`./run bench`: measure the product, each figure against its floor in the same run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

from bench import intake, lives, memory, report, worktime
from bench.figure import Figure, Size
from bench.ground import BenchError, Ground, prepared
from devstack.errors import StackError
from devstack.program import ROOT


def _grounded(measure: Callable[[Ground, Size], Awaitable[Figure]]) -> Callable[[Size], Figure]:
    """A figure that is measured on a fresh stack."""

    async def measured(ground: Ground, size: Size) -> Figure:
        return await measure(ground, size)

    def figure(size: Size) -> Figure:
        with prepared() as ground:
            return asyncio.run(measured(ground, size))

    return figure


FIGURES: dict[str, Callable[[Size], Figure]] = {
    "intake": _grounded(intake.measure),
    "demands": _grounded(lives.whole_demands),
    "latency": _grounded(lives.one_command),
    "memory": _grounded(memory.measure),
    "events": _grounded(lives.history_events),
    "worktime": worktime.measure,
}
PAGE = ROOT / "docs" / "benchmarks.md"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", help=f"some of: {', '.join(FIGURES)} (default: all, and write the page)"
    )
    parser.add_argument("--passes", type=int, default=3, metavar="N", help="interleaved passes (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a smaller load, to look at; writes no page unless asked")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a target is missed")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(names: list[str], size: Size) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        _say(f"Measuring {name} …")
        figures.append(FIGURES[name](size))
        print(report.told(figures[-1]), flush=True)
    return figures


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    unknown = [name for name in arguments.figures if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure {unknown[0]!r}: choose from {', '.join(FIGURES)}")
    if arguments.passes < 1:
        parser.error("--passes takes 1 or more")
    names = arguments.figures or list(FIGURES)
    size = Size.quick(arguments.passes) if arguments.quick else Size(passes=arguments.passes)
    signal.signal(signal.SIGTERM, _interrupt)
    load = os.getloadavg()[0]
    try:
        figures = _run(names, size)
    except (BenchError, StackError) as broken:
        print(broken, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    place = arguments.out or (PAGE if not arguments.figures and not arguments.quick else None)
    if place is not None:
        report.write(place, report.page(figures, size, load))
        _say(f"Written: {place}")
    missed = [figure.name for figure in figures if figure.headline.met is False]
    return 1 if missed and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(main())
