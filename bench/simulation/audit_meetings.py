"""Sessions, minutes and projects, read over HTTP, held against the logs: who decided what, where, in whose chair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from bench.simulation.audit import Log
from bench.simulation.diary import Diary, Turn
from bench.simulation.people import Cast
from bench.simulation.telephone import Telephone
from domain.ledger import Entry

View = dict[str, Any]
Visit = tuple[str, int]


@dataclass
class Held:
    """One meeting's quarter. An item counts once for each session whose agenda it stood on."""

    name: str
    items: int = 0
    decisions: int = 0
    rolled_over: int = 0
    sessions: int = 0
    without_quorum: int = 0
    rulings: int = 0
    chairs: list[str] = field(default_factory=list)

    @property
    def productive(self) -> float | None:
        """Yield: decided ÷ items; None where nothing stood on an agenda."""
        return self.decisions / self.items if self.items else None

    def as_view(self) -> View:
        return {**asdict(self), "yield": self.productive}


@dataclass
class Meetings:
    held: dict[str, Held] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


async def check_meetings(logs: list[Log], diary: Diary, *, phone: Telephone, cast: Cast) -> Meetings:
    found = Meetings()
    numbers = {log.number for log in logs}
    for meeting in cast.district.meetings:
        path = f"/api/v1/meetings/{meeting.id}"
        ids = set(diary.sessions.get(meeting.id, ()))
        sessions = [one for one in await _all(phone, cast.overseer, f"{path}/sessions") if one["id"] in ids]
        lines = [one for one in await _all(phone, cast.overseer, f"{path}/minutes") if one["number"] in numbers]
        decided = [one for one in lines if one["kind"] is not None]
        found.wrong += _check_lines(meeting.id, logs, sessions, decided)
        found.wrong += _check_chairs(meeting.id, sessions, diary.chairs.get(meeting.id, []))
        found.held[meeting.id] = _held(meeting.name, sessions, decided, diary.chairs.get(meeting.id, []))
    found.wrong += await _check_projects(logs, found, phone, cast)
    return found


async def _all(phone: Telephone, who: str, path: str) -> list[View]:
    rows: list[View] = []
    page: str | None = f"{path}?limit=100"
    while page:
        said = await phone.get(who, page)
        rows += said.json
        page = said.next
    return rows


# ---- sessions and minutes


def _decisions(logs: list[Log], meeting: str) -> Iterator[tuple[Visit, Entry]]:
    for log in logs:
        for entry in log.entries:
            if entry.type == "meeting_decided" and entry.data["meeting"] == meeting:
                yield (log.number, int(str(entry.data["turn"]))), entry


def _check_lines(meeting: str, logs: list[Log], sessions: list[View], decided: list[View]) -> Iterator[str]:
    """Each decision is one line of the minutes of a session that had quorum, under that session's chair."""
    held = {one["id"]: one for one in sessions}
    lines: defaultdict[Visit, list[View]] = defaultdict(list)
    for line in decided:
        lines[line["number"], line["turn"]].append(line)
    for visit, entry in _decisions(logs, meeting):
        found = lines.pop(visit, [])
        if len(found) != 1:
            yield f"{visit[0]}: its decision of turn {visit[1]} is {len(found)} lines of the minutes of {meeting}"
            continue
        yield from _check_line(found[0], entry, held.get(found[0]["session"]))
    yield from (f"{number}: the minutes of {meeting} have turn {turn}, its log does not" for number, turn in lines)
    per_session = Counter(line["session"] for line in decided)
    for one in sessions:
        if one["state"] != "closed":
            yield f"{meeting}: session {one['id']} is {one['state']}"
        if one["decided"] != per_session[one["id"]]:
            yield f"{meeting}: session {one['id']} says {one['decided']} decisions, its minutes {per_session[one['id']]}"


def _check_line(line: View, entry: Entry, session: View | None) -> Iterator[str]:
    where = f"{line['number']}: decided in turn {line['turn']}"
    if session is None or not session["has_quorum"]:
        yield f"{where} in session {line['session']}, which was not held with quorum"
        return
    chairs = {line["chair"]["id"], session["chair"]["id"], str(entry.data["chair"])}
    if len(chairs) > 1 or line["kind"] != entry.data["kind"]:
        yield f"{where} as {entry.data['kind']} and {line['kind']}, under {', '.join(sorted(chairs))}"
    if line["late"] and not line["consented"]:
        yield f"{where} although it was late and its chair did not let it in"


def _check_chairs(meeting: str, sessions: list[View], turns: list[Turn]) -> Iterator[str]:
    if not turns:
        return  # the committee, which does not rotate
    known = {turn.person for turn in turns}
    for one in sessions:
        if one["chair"] is not None and one["chair"]["id"] not in known:
            yield f"{meeting}: {one['chair']['id']} chaired {one['id']}, whose turn it never was"


def _held(name: str, sessions: list[View], decided: list[View], turns: list[Turn]) -> Held:
    rolled = sum(len(one["rolled_over"]) for one in sessions)
    whose = turns or _chairs_of(sessions)
    chaired = Counter(_turn_of(one, whose) for one in sessions if one["chair"] is not None)
    return Held(
        name=name, items=len(decided) + rolled, decisions=len(decided), rolled_over=rolled, sessions=len(sessions),
        without_quorum=sum(not one["has_quorum"] for one in sessions),
        rulings=sum(one.get("ruling") is not None for one in decided),
        chairs=[f"{turn.unit} ({turn.how}) ×{chaired[n]}" for n, turn in enumerate(whose)],
    )  # fmt: skip


def _turn_of(session: View, turns: list[Turn]) -> int:
    """Which turn a session belongs to: that person's last one that had begun."""
    opened_at = datetime.fromisoformat(session["opened_at"])
    own = [n for n, turn in enumerate(turns) if turn.person == session["chair"]["id"]]
    begun = [n for n in own if turns[n].since <= opened_at]
    return (begun[-1:] or own or [-1])[0]


def _chairs_of(sessions: list[View]) -> list[Turn]:
    """Where nothing rotates: the people, each once."""
    found = {one["chair"]["id"]: one for one in sessions if one["chair"] is not None}
    return [
        Turn(
            id,
            (one["chair"]["unit"] or one["chair"])["name"],
            one["chair"]["how"],
            datetime.fromisoformat(one["opened_at"]),
        )
        for id, one in found.items()
    ]


# ---- projects


async def _check_projects(logs: list[Log], found: Meetings, phone: Telephone, cast: Cast) -> list[str]:
    """Every project that a decision names has that demand, came to its end, and its changes count without a gap."""
    demands: defaultdict[str, set[str]] = defaultdict(set)
    for log in logs:
        for entry in log.entries:
            if entry.type == "meeting_decided" and entry.data.get("project"):
                demands[str(entry.data["project"])].add(log.number)
    wrong: list[str] = []
    told: Counter[str] = Counter()
    for id, numbers in demands.items():
        project = (await phone.get(cast.overseer, f"/api/v1/projects/{id}")).json
        changes = await _all(phone, cast.overseer, f"/api/v1/projects/{id}/events")
        wrong += _check_project(id, project, changes, numbers)
        told["opened"] += 1
        told["done"] += project["state"] == "done"
        told["milestones"] += len(project["milestones"])
        told["activities"] += len(project["activities"])
    found.projects = dict(told)
    return wrong


def _check_project(id: str, project: View, changes: list[View], numbers: set[str]) -> Iterator[str]:
    tied = {one["number"] for one in project["demands"] if one["by"] == "meeting"}
    if numbers - tied:
        yield f"{id}: {', '.join(sorted(numbers - tied))} was decided into it, but does not belong to it (lost)"
    if (project["state"], project["progress"]) != ("done", 100):
        yield f"{id}: it is {project['state']} at {project['progress']} %"
    if [one["seq"] for one in changes] != list(range(1, project["seq"] + 1)):
        yield f"{id}: its changes are {[one['seq'] for one in changes]}, it counts {project['seq']}"
    unfinished = [one["seq"] for one in project["activities"] if one["state"] != "done"]
    if unfinished:
        yield f"{id}: activities {unfinished} were never held"
