"""From options to a report: play against a stack of our own or a running one, wait, audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.simulation.audit import Log, check_log, check_promises, check_rows, read_logs
from bench.simulation.audit_meetings import check_meetings
from bench.simulation.audit_servers import Servers, check_servers, numbers_in
from bench.simulation.audit_units import check_capacity, check_resources, check_unit_tasks, counted
from bench.simulation.diary import Diary
from bench.simulation.faults import Faults, Wanted
from bench.simulation.people import Cast
from bench.simulation.plans import plans
from bench.simulation.report import Report, summed_up
from bench.simulation.telephone import Telephone
from bench.simulation.town import Town
from devstack.program import ROOT
from devstack.reset import temporary_folder
from devstack.stack import DEFAULT_PACK, Stack
from service.pack import load_pack

FAST = ROOT / "config" / "overlays" / "fast.toml"
SEAL_SECONDS = 120.0
OVER_HTTP = (
    "every number answered 201 is in the list of demands and has a log",
    "each log: seq without gaps, instants in order, hashes chained, replayed to the state of its row",
    "closed exactly once, and once more for each reopening",
    "somebody holds it in every state that is not closed; every change of stage is in the lifecycle table",
    "each meeting decision answers one request to that meeting; none is left unanswered",
    "each confirmed action stands in the log once, by who did it, and nothing else does",
    "whenever it is open, a demand has a holder and a due instant",
    "no part of a co-unit is open outside the unit stage, refused after its window or bound by silence before its end",
    "capacity: each task counts once, no unit's account falls below zero, all of them are empty at the end",
    "each decision is one line of the minutes of one closed session with quorum, under the chair whose turn it was",
    "each project that a meeting decided holds that demand and came to its end",
)
BEHIND = (
    "tables: one row and one key per accepted demand, state equal to the replayed log, its clocks as rows, outbox empty",
    "texts: every one that a log names is kept, none is kept that no log names; no closed demand on an agenda",
    "the resource list: nothing is in use any more",
    "Temporal: one workflow per demand, completed if sealed, its own state equal to the replayed log",
)


@dataclass(frozen=True)
class Options:
    """`url` and `secret` together mean a running server; else a stack of our own is started, and gone afterwards.

    `sealed` waits for the end of every reopen window; with a stack of our own that is always done.
    """

    demands: int = 300
    seed: int = 7
    faults: Wanted = field(default_factory=Wanted)
    url: str | None = None
    secret: str | None = None
    pack: Path = DEFAULT_PACK
    at_once: int = 16
    sealed: bool = True


Progress = Callable[[int, int], None]


def simulate(options: Options, *, say: Callable[[str], None], progress: Progress) -> Report:
    """Raises StackError when an own stack cannot come up."""
    if options.url is not None:
        return asyncio.run(_simulate(options, None, say=say, progress=progress))
    with temporary_folder() as folder, Stack(folder, port=0, overlay=FAST, say=say) as stack:
        return asyncio.run(_simulate(options, stack, say=say, progress=progress))


async def simulate_in(stack: Stack, options: Options) -> Report:
    """Against a stack that was started with a fast overlay and that nobody else uses."""
    return await _simulate(options, stack, say=lambda _: None, progress=lambda accepted, closed: None)


async def _simulate(options: Options, stack: Stack | None, *, say: Callable[[str], None], progress: Progress) -> Report:
    district = load_pack(options.pack, FAST if stack else None)
    secret = stack.token_secret if stack else options.secret or ""
    cast = Cast(district, secret, residents=max(10, options.demands // 3))
    diary, started = Diary(), time.monotonic()
    url = stack.url if stack else options.url or ""
    chance = Random(f"{options.seed}:telephone")
    before = await numbers_in(stack.database_url) if stack else None
    async with (
        Telephone(url, cast, diary, chance, at_once=options.at_once) as phone,
        Telephone(url, cast, diary, chance, at_once=4) as hotline,
    ):
        await _play(options, stack, cast, diary, phone, hotline, progress)
        if _seals(options):
            say("Everything is closed; waiting for the reopen windows to end …")
            await _await_seals(diary, phone, cast, SEAL_SECONDS)
        say("Auditing the event logs …")
        report = await _audit(options, stack, before, cast, diary, phone)
    report.seconds = time.monotonic() - started
    return report


def _seals(options: Options) -> bool:
    return options.sealed or options.url is None


async def _play(
    options: Options, stack: Stack | None, cast: Cast, diary: Diary, phone: Telephone, hotline: Telephone,
    progress: Progress,
) -> None:  # fmt: skip
    faults = None
    if stack is not None and options.faults.any:
        faults = Faults(
            stack, options.faults, demands=options.demands, seed=options.seed, lived=lambda: len(diary.closed),
            diary=diary,
        )  # fmt: skip
    town = Town(
        plans(cast, options.demands, options.seed), seed=options.seed, cast=cast, phone=phone, hotline=hotline,
        diary=diary, on_change=progress,
    )  # fmt: skip
    await town.play(faults)


async def _await_seals(diary: Diary, phone: Telephone, cast: Cast, seconds: float) -> None:
    """Until nothing more can happen to any demand, or the time is up; the audit says what is missing."""
    waiting, until = set(diary.closed), time.monotonic() + seconds
    while waiting and time.monotonic() < until:
        for number in sorted(waiting):
            said = await phone.get(cast.operators[0], f"/api/v1/demands/{number}")
            if said.status == 200 and said.json["stage"] == "closed" and not said.json["permitted"]:
                waiting.discard(number)
            else:
                await asyncio.sleep(0.2)


async def _audit(
    options: Options, stack: Stack | None, before: frozenset[str] | None, cast: Cast, diary: Diary, phone: Telephone
) -> Report:
    report = Report(demands=options.demands, seed=options.seed, checked=list(OVER_HTTP))
    logs, broken = await read_logs(diary.accepted.values(), phone=phone, who=cast.overseer)
    report.wrong = [*diary.strange, *broken]
    if len(diary.accepted) != options.demands:
        report.wrong.append(f"{len(diary.accepted)} of {options.demands} demands were accepted")
    for log in logs:
        report.wrong += [*check_log(log), *check_unit_tasks(log)]
    report.wrong += check_promises(logs, diary)
    await _audit_offices(report, logs, diary, phone, cast)
    report.wrong += await check_rows(logs, diary, before, phone=phone, cast=cast)
    servers = Servers()
    if stack is not None and before is not None:
        servers = await check_servers(
            logs, before, database_url=stack.database_url, temporal_address=stack.temporal_address
        )
        servers.wrong += await check_resources(phone, cast)
        report.checked += BEHIND
    report.wrong += servers.wrong
    if _seals(options):
        report.wrong += [f"{log.number}: closed, but never sealed" for log in logs if not log.demand.sealed]
    return summed_up(report, logs, diary, servers.history)


async def _audit_offices(report: Report, logs: list[Log], diary: Diary, phone: Telephone, cast: Cast) -> None:
    """Units, meetings and projects: what is wrong with them, and their figures."""
    wrong, most = check_capacity(logs)
    meetings = await check_meetings(logs, diary, phone=phone, cast=cast)
    report.wrong += [*wrong, *meetings.wrong]
    report.co_units, report.projects = counted(logs), meetings.projects
    report.busiest_units = dict(most.most_common(3))
    report.meetings = {id: held.as_view() for id, held in meetings.held.items()}
