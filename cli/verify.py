"""`./run verify FILE…`: check case files and replay them, without a server and without a network.

Ends with 0 where everything holds, 1 where something does not, 2 where a file is no case file or cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from domain.case_check import check, replayed
from domain.case_file import CaseFile, ClockStand, Finding, Unreadable, read, spelling, stand_of
from domain.explain_words import clock_words
from service.case_signing import check_signature

GOOD, FOUND, UNREADABLE = 0, 1, 2


@dataclass(frozen=True)
class Verdict:
    """What was made of one file; without a `case` it could not be read, and `problem` says why."""

    place: Path
    case: CaseFile | None = None
    findings: tuple[Finding, ...] = ()
    problem: str = ""

    @property
    def code(self) -> int:
        return UNREADABLE if self.case is None else FOUND if self.findings else GOOD


def main(
    files: Annotated[
        list[Path], typer.Argument(help="Case files, as GET /api/v1/demands/{number}/case-file gives them.")
    ],
    key: Annotated[
        list[str] | None, typer.Option(help="A public key (hex) that must have signed; may stand there several times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each file.")] = False,
) -> None:
    """Check case files and replay them, without a server."""
    verdicts = [verdict_of(place, [one.strip().lower() for one in key or ()]) for place in files]
    for verdict in verdicts:
        if as_json:
            typer.echo(json.dumps(as_data(verdict)))
        else:
            _tell(verdict)
    raise typer.Exit(max(verdict.code for verdict in verdicts))


def verdict_of(place: Path, trusted: list[str]) -> Verdict:
    try:
        raw = place.read_bytes()
        case = read(raw)
    except OSError as wrong:
        return Verdict(place, problem=f"It cannot be read: {wrong.strerror}.")
    except Unreadable as wrong:
        return Verdict(place, problem=str(wrong))
    return Verdict(place, case, (*check(case), *check_signature(case, trusted), *spelling(case, raw)))


# ---- as data


def as_data(verdict: Verdict) -> dict[str, Any]:
    """What the text says too. `stage`, `outcome` and `clocks` are those of the replay; without one they are missing."""
    case = verdict.case
    if case is None:
        return {"file": str(verdict.place), "good": False, "problem": verdict.problem}
    demand, first, last = replayed(case), case.entries[:1], case.entries[-1:]
    stand = stand_of(demand).model_dump(mode="json", include={"stage", "outcome", "clocks"}) if demand else {}
    return {
        "file": str(verdict.place),
        "good": not verdict.findings,
        "findings": [finding.model_dump() for finding in verdict.findings],
        "number": case.number,
        "events": len(case.entries),
        "from": first[0].at.isoformat() if first else None,
        "until": last[0].at.isoformat() if last else None,
        "head": last[0].hash if last else None,
        **stand,
        "texts": len(case.texts),
        "withheld": len(case.withheld),
        "erased": len(case.erased),
        "signed_by": case.signature.public_key if case.signature else None,
        "product": case.product,
        "exported_at": case.exported_at.isoformat(),
        "exported_by": case.exported_by,
    }


# ---- to read


def _tell(verdict: Verdict) -> None:
    case = verdict.case
    if case is None:
        _say(f"{verdict.place}: UNREADABLE. {verdict.problem}", "red", err=True)
        return
    found = len(verdict.findings)
    holds = "good" if not found else f"NOT GOOD, {found} finding{'s' if found > 1 else ''}"
    _say(f"{verdict.place}: {holds}", "red" if found else "green")
    for finding in verdict.findings:
        _say(f"  ✗ {finding.where} {finding.says}.")
    for line in _facts(case):
        _say(f"  {line}")


def _say(line: str, colour: str | None = None, *, err: bool = False) -> None:
    """The file may come from anybody: nothing in it may steer the terminal."""
    typer.secho("".join(c if c.isprintable() else "�" for c in line), fg=colour, err=err)


def _facts(case: CaseFile) -> Iterator[str]:
    zone = ZoneInfo(case.calendars[0].timezone if case.calendars else "UTC")
    by = f"by Linli {case.product}, for {case.exported_by}"
    yield f"demand {case.number}, exported {_at(case.exported_at, zone)} {by} (all times {zone.key})"
    if case.entries:
        first, last = case.entries[0], case.entries[-1]
        yield f"{len(case.entries)} events, {_at(first.at, zone)} – {_at(last.at, zone)}"
        yield f"head {last.hash}"
    yield from _replay(case, zone)
    yield f"{len(case.texts)} texts, {len(case.withheld)} withheld from whoever exported it"
    if case.erased:
        latest = max(text.erased_at for text in case.erased)
        yield f"{len(case.erased)} texts erased to protect personal data, the last {_at(latest, zone)}"
    yield f"signed with the key {case.signature.public_key}" if case.signature else "not signed"


def _replay(case: CaseFile, zone: ZoneInfo) -> Iterator[str]:
    demand = replayed(case)
    if demand is None:
        yield "does not replay"
        return
    yield f"replays to: {demand.stage}{f', {demand.outcome}' if demand.outcome else ''}"
    clocks = stand_of(demand).clocks.items()
    for name, clock in sorted(clocks, key=lambda one: (one[1].started_at, one[1].due_at)):
        yield f"  {clock_words(name)[1]}: {_clock(clock, zone)}"


def _clock(clock: ClockStand, zone: ZoneInfo) -> str:
    verdict = {None: "open" if clock.stopped_at is None else "ended", True: "kept", False: "BROKEN"}[clock.kept]
    due = "" if clock.paused_at else f", due {_at(clock.due_at, zone)}"
    if clock.stopped_at is not None:
        return f"{verdict}{due}, stopped {_at(clock.stopped_at, zone)}"
    return f"{verdict}{due}{f', paused since {_at(clock.paused_at, zone)}' if clock.paused_at else ''}"


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    typer.run(main)
