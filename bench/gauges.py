"""What processes cost: CPU time and memory, each with all children."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

MB = 1_000_000


def _family(pid: int) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        head = psutil.Process(pid)
        yield head
        yield from head.children(recursive=True)


def pss_mb(pid: int) -> float:
    """Proportional set size in MB (10⁶ bytes): private pages, and of shared ones the process's part."""
    return sum(_pss(one.pid) for one in _family(pid)) / MB


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # a child that has ended meanwhile
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """User and system time so far, by part."""
    return {name: sum(_cpu(one) for one in _family(pid)) for name, pid in pids.items()}


def _cpu(one: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = one.cpu_times()
        return float(times.user + times.system)
    return 0.0


def spent_ms(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """CPU milliseconds per unit of work, by part; parts that did nothing are left out."""
    each = {name: (after[name] - before[name]) * 1000 / max(count, 1) for name in after if name in before}
    return {name: round(ms, 2) for name, ms in each.items() if ms >= 0.005}
