"""What is told at the end: outcomes, paths, faults, and every invariant with its verdict."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.simulation.audit import Log
from bench.simulation.diary import Diary

PATHS_SHOWN = 12
WRONG_SHOWN = 30


@dataclass
class Report:
    """Counts are demands unless the name says otherwise; `wrong` is empty when every invariant holds."""

    demands: int
    seed: int
    seconds: float = 0.0
    accepted: int = 0
    closed: int = 0
    sealed: int = 0
    closed_exactly_once: int = 0
    lost: int = 0
    doubled: int = 0
    through_meeting: int = 0
    through_redo: int = 0
    reopened: int = 0
    refused: int = 0
    breached: int = 0
    accepted_without_temporal: int = 0
    actions: int = 0
    events: int = 0
    history_events_median: int = 0
    history_events_most: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    meetings: dict[str, dict[str, Any]] = field(default_factory=dict)
    co_units: dict[str, int] = field(default_factory=dict)
    busiest_units: dict[str, int] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)
    posts_sent_twice: int = 0
    repeated_calls: dict[str, int] = field(default_factory=dict)
    overtaken: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def summed_up(report: Report, logs: list[Log], diary: Diary, history: list[int]) -> Report:
    """Fill in everything that follows from the logs and the diary."""
    report.accepted, report.actions = len(diary.accepted), len(diary.confirmed)
    report.closed = sum(log.count("closed") > 0 and log.demand.closed_at is not None for log in logs)
    report.closed_exactly_once = sum(log.count("closed") == 1 + log.count("reopened") for log in logs)
    report.sealed = sum(log.demand.sealed for log in logs)
    report.lost = len({one.partition(":")[0] for one in report.wrong if "(lost)" in one})
    report.doubled = sum("(doubled)" in one for one in report.wrong)
    report.through_meeting = sum(log.count("meeting_decided") > 0 for log in logs)
    report.through_redo = sum(log.count("redo_ordered") > 0 for log in logs)
    report.reopened = sum(log.count("reopened") > 0 for log in logs)
    report.refused = sum(log.count("worker_refused", "unit_refused") > 0 for log in logs)
    report.breached = sum(log.demand.breached for log in logs)
    report.events = sum(len(log.entries) for log in logs)
    report.outcomes = _counted(str(log.demand.outcome) for log in logs)
    report.paths = _counted(log.path() for log in logs)
    report.decisions = _counted(
        str(entry.data["kind"]) for log in logs for entry in log.entries if entry.type == "meeting_decided"
    )
    if history:
        report.history_events_median, report.history_events_most = int(median(history)), max(history)
    report.accepted_without_temporal = diary.accepted_without_temporal
    report.posts_sent_twice, report.repeated_calls = diary.said_twice, dict(diary.repeats.most_common())
    report.overtaken, report.faults = dict(diary.overtaken.most_common()), list(diary.faults)
    return report


def _counted(words: Any) -> dict[str, int]:
    return dict(Counter(words).most_common())


def as_json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False)


def tell(report: Report, console: Console) -> None:
    r = report
    console.print(
        f"\n[bold]{r.accepted} accepted, {r.closed} closed[/] ({r.closed_exactly_once} exactly once per opening, "
        f"{r.sealed} sealed) in {r.seconds:.0f} s · {r.lost} lost · {r.doubled} doubled"
    )
    console.print(
        f"{r.through_meeting} through a joint meeting · {r.through_redo} through a redo · {r.reopened} reopened · "
        f"{r.refused} refused by somebody · {r.breached} with a broken clock"
    )
    console.print(
        f"{r.actions} actions confirmed, {r.events} events logged; workflow history: median "
        f"{r.history_events_median}, most {r.history_events_most} events"
    )
    for title, counts in (("Outcomes", r.outcomes), ("Decisions", r.decisions), ("Overtaken by events", r.overtaken),
                          ("Repeated calls", r.repeated_calls), ("Co-units", r.co_units), ("Projects", r.projects),
                          ("Most tasks at once", r.busiest_units)):  # fmt: skip
        if counts:
            console.print(f"{title}: " + " · ".join(f"{name} {count}" for name, count in counts.items()))
    console.print(f"{r.posts_sent_twice} POSTs were sent twice at once on purpose")
    _tell_meetings(r, console)
    table = Table(title=f"Paths ({len(r.paths)} different)", title_justify="left", box=None)
    table.add_column("times", justify="right")
    table.add_column("stages")
    for path, count in list(r.paths.items())[:PATHS_SHOWN]:
        table.add_row(str(count), path)
    console.print(table)
    for fault in r.faults:
        console.print(f"Fault: {fault}")
    _tell_verdict(r, console)


def _tell_meetings(r: Report, console: Console) -> None:
    """Yield 产出率: decided ÷ items, an item counted once for each session whose agenda it stood on."""
    table = Table(title="A quarter of joint meetings", title_justify="left", box=None)
    names = {"items": "items", "decisions": "decided", "rolled_over": "rolled over"}
    last = {"sessions": "sessions", "without_quorum": "no quorum", "rulings": "rulings"}
    for title in ("meeting", *names.values(), "yield", *last.values()):
        table.add_column(title, justify="left" if title == "meeting" else "right")
    for id, held in r.meetings.items():
        share = f"{held['yield']:.0%}" if held["yield"] is not None else "–"
        figures = [*(str(held[n]) for n in names), share, *(str(held[n]) for n in last)]
        table.add_row(id, *figures)
    console.print(table)
    console.print("Chairs, month by month, and the sessions that they chaired")
    for id, held in r.meetings.items():
        console.print(f"  {id}: " + " → ".join(held["chairs"]), highlight=False, soft_wrap=True)


def _tell_verdict(r: Report, console: Console) -> None:
    for one in r.checked:
        console.print(f"  checked: {one}", highlight=False)
    if not r.wrong:
        console.print("[green]Every invariant holds.[/]")
        return
    console.print(f"[red]{len(r.wrong)} findings:[/]")
    for one in r.wrong[:WRONG_SHOWN]:
        console.print(f"  {one}", highlight=False, markup=False, soft_wrap=True)
    if len(r.wrong) > WRONG_SHOWN:
        console.print(f"  … and {len(r.wrong) - WRONG_SHOWN} more (--json lists all)")
