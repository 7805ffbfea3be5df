"""Whole demands and single commands against bare workflows: figures (b), (c) and (e)."""

from __future__ import annotations

from statistics import median

from temporalio.client import Client

from bench import gauges
from bench.figure import Figure, Line, Side, Size, percentile
from bench.ground import Ground
from bench.jobs import BareJob, LivesJob, Report
from bench.load import COMMANDS

WHOLE_TARGET = 0.6
COMMAND_TARGET = 1.5
EVENTS_TARGET = 1.3
_SIX = ", ".join(str(form["type"]) for _, form in COMMANDS)
BARE = (
    "a workflow that holds a counter: a start and six updates from a Temporal client in a process of its own, each update "
    "answered after an empty local activity that the main loop runs and awaits; worker in a process of its own with our "
    "sandbox, pollers, cache size and task timeout, on the same Temporal server. No HTTP, no tables, no timers, no search "
    "attributes; the workflow ends after the sixth update"
)


async def whole_demands(ground: Ground, size: Size) -> Figure:
    await _warm(ground)
    ours: list[Side] = []
    floor: list[Side] = []
    for _ in range(size.passes):
        floor.append(await _whole(ground, ground.bare_job(lanes=size.lanes, cases=size.lives, step=True)))
        ours.append(await _whole(ground, ground.lives_job(lanes=size.lanes, demands=size.lives)))
    line = Line("whole demands", "1/s", ours, floor, target=WHOLE_TARGET)
    return Figure(
        "demands", "b", "Whole demands per second",
        f"One POST and six commands over HTTP ({_SIX}), {size.lanes} demands at a time, each command sent when the one "
        "before is answered, each answer given when the events are in PostgreSQL. Processes: load client, API, worker, "
        "Temporal, PostgreSQL. The workflow lives on after that, waiting out the reopen window.",
        f"As many at a time of {BARE}. Processes: Temporal client, worker, Temporal.",
        line,
    )  # fmt: skip


async def one_command(ground: Ground, size: Size) -> Figure:
    await _warm(ground)
    sides: dict[str, list[Side]] = {"step": [], "bare": [], "ours": []}
    for _ in range(size.passes):
        for name, step in (("step", True), ("bare", False)):
            sides[name].append(await _lone(ground, ground.bare_job(lanes=1, cases=size.lone_lives, step=step)))
        sides["ours"].append(await _lone(ground, ground.lives_job(lanes=1, demands=size.lone_lives)))
    headline = Line(
        "p50 against an update with an empty local activity", "ms", sides["ours"], sides["step"],
        target=COMMAND_TARGET, at_least=False,
    )  # fmt: skip
    strict = Line("p50 against an update that does nothing", "ms", sides["ours"], sides["bare"])
    return Figure(
        "latency", "c", "One command's latency",
        f"One client, one command at a time over HTTP: p50 over {size.lone_lives * len(COMMANDS)} commands a pass ({_SIX}), "
        "from the request to the answer, which comes when the events are in PostgreSQL.",
        f"The headline's floor: one update of {BARE}. The second floor: the same without the local activity.",
        headline, [strict],
        notes=[
            _by_command("ours", sides["ours"]),
            _by_command("the floor's update in its place", sides["step"]),
            "The first command follows the POST at once and so overtakes or meets the start of the workflow, as the "
            "floor's first update does; note and resolve also commit a sealed text.",
        ],
    )  # fmt: skip


async def history_events(ground: Ground, size: Size) -> Figure:
    await _warm(ground)
    client = await Client.connect(ground.stack.temporal_address)
    ours: list[Side] = []
    floor: list[Side] = []
    for _ in range(size.passes):
        bare = await ground.drive(ground.bare_job(lanes=4, cases=size.counted, step=True))
        floor.append(await _events(client, bare.ids))
        lives = await ground.drive(ground.lives_job(lanes=4, demands=size.counted))
        await ground.settle()
        ours.append(await _events(client, lives.ids))
    line = Line("history events", "per demand", ours, floor, target=EVENTS_TARGET, at_least=False)
    return Figure(
        "events", "e", "History events per demand",
        f"Events in the histories of {size.counted} demands a pass, closed after {_SIX}. The end of the reopen window, a "
        "timer and one more recording, comes later and is not among them.",
        f"The whole history of {BARE}.",
        line, notes=_kinds(ours[-1], floor[-1]),
    )  # fmt: skip


async def _warm(ground: Ground) -> None:
    ground.start_bare_worker()
    await ground.drive(ground.bare_job(lanes=8, cases=16, step=True))
    await ground.drive(ground.lives_job(lanes=8, demands=16))


async def _measured(ground: Ground, job: LivesJob | BareJob) -> tuple[Report, dict[str, float]]:
    await ground.settle()
    cpu = gauges.cpu_seconds(ground.pids())
    report = await ground.drive(job)
    spent = gauges.spent_ms(cpu, gauges.cpu_seconds(ground.pids()), report.count)
    spent["driver"] = round(report.driver_cpu_ms / report.count, 2)
    return report, spent


async def _whole(ground: Ground, job: LivesJob | BareJob) -> Side:
    report, spent = await _measured(ground, job)
    return Side(report.count / report.seconds, spent, _percentiles(report))


async def _lone(ground: Ground, job: LivesJob | BareJob) -> Side:
    """With one client the answers stand in the order of the commands, so `facts` can tell each command's own median."""
    report, spent = await _measured(ground, job)
    each = {str(form["type"]): median(report.answers_ms[i :: len(COMMANDS)]) for i, (_, form) in enumerate(COMMANDS)}
    return Side(percentile(report.answers_ms, 0.5), spent, each)


def _by_command(name: str, sides: list[Side]) -> str:
    each = [f"{command} {median(side.facts[command] for side in sides):.1f}" for command in sides[0].facts]
    return f"Medians by command, {name}, ms: {', '.join(each)}."


def _percentiles(report: Report) -> dict[str, float]:
    return {"answer p50 ms": percentile(report.answers_ms, 0.5), "answer p99 ms": percentile(report.answers_ms, 0.99)}


async def _events(client: Client, ids: list[str]) -> Side:
    """`facts` counts the kinds of events, per demand."""
    kinds: dict[str, float] = {}
    for one in ids:
        history = await client.get_workflow_handle(one).fetch_history()
        for event in history.events:
            name = event.WhichOneof("attributes") or "?"
            kind = name.removesuffix("_event_attributes").replace("workflow_execution_", "").replace("_", " ")
            kinds[kind] = kinds.get(kind, 0) + 1 / len(ids)
    return Side(sum(kinds.values()), facts=kinds)


def _kinds(ours: Side, floor: Side) -> list[str]:
    told = [
        f"{kind} {ours.facts.get(kind, 0):.1f} against {floor.facts.get(kind, 0):.1f}"
        for kind in sorted({*ours.facts, *floor.facts})
    ]
    return [f"By kind, ours against the floor: {'; '.join(told)}."]
