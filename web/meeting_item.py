"""One item of an agenda as the room looks at it: what is asked, how it went so far, who said no and why, who could take it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.actors import Actor
from domain.errors import DomainError
from domain.projects import ProjectState
from domain.session import Session
from service import clock_answers, files, lists, projects, reading, words
from service.desk import Desk
from service.views import View, demand_view, person_view, unit_view
from store.projects import Wanted
from web.words import has

HISTORY_LINES = 5
MOST_EVENTS = 500
STATEMENTS = 4
SUGGESTIONS = 6
REFUSALS = ("unit_refused", "co_unit_refused", "worker_refused")
_SILENT = ("clock_", "reporter_asked", "co_unit_released", "calendar_adopted", "note_added", "files_attached")


async def item(desk: Desk, actor: Actor, meeting: str, line: View, session: Session) -> View:
    """The line with all that the caller may see of its demand; `demand` is None for what lies out of their scope."""
    number = line["number"]
    try:
        demand = await reading.find(desk, actor, number)
    except DomainError as refused:
        if refused.code != "not_found":
            raise
        return {**line, "demand": None}
    log = await reading.log_of(desk, actor, number, after=0, limit=MOST_EVENTS)
    texts = (await words.words_of(desk, actor, number))["texts"]
    clocks = (await clock_answers.clocks_view(desk, actor, number, explained=False))["clocks"]
    found = await files.files_of(desk, actor, number)
    return {
        **line,
        "demand": demand_view(desk, demand, actor),
        "asks": [one["text"] for one in texts if one["kind"] == "demand" and one["text"]],
        "statements": _statements(desk, texts, log),
        "photos": [one for one in found if one["thumbnail_url"]],
        "documents": [one for one in found if not one["thumbnail_url"]],
        "history": _history(desk, log),
        "clock": next((one for one in clocks if one["name"] == "resolve"), None),
        "suggested": await _suggested(desk, actor, number),
        "branches": _branches(desk, demand.category),
        "projects": await _projects(desk, actor, meeting, demand.community),
        "late": line["late"], "session": session.id,
    }  # fmt: skip


def _statements(desk: Desk, texts: Sequence[View], log: Sequence[View]) -> list[View]:
    """What was written inside, newest first; a refusal with its basis, and the words that came with it."""
    notes = [one for one in texts if one["audience"] == "internal" and one["kind"] != "plan" and one["text"]]
    said = [_statement(desk, one["author"], one["written_at"], one["text"]) for one in notes]
    for entry in log:
        if entry["type"] not in REFUSALS:
            continue
        own = next((one for one in said if one["by"] == entry["actor"] and _near(one["at"], entry["at"])), None)
        if own is None:
            own = _statement(desk, entry["actor"], entry["at"], None)
            said.append(own)
        own["refused"] = entry["data"].get("basis")
        own["unit"] = unit_view(desk, entry["data"].get("unit")) or own["unit"]
    said.sort(key=lambda one: (one["refused"] is not None, str(one["at"])), reverse=True)
    return said[:STATEMENTS]


def _statement(desk: Desk, author: str, at: str, text: str | None) -> View:
    person = person_view(desk, author) if author in desk.district.directory.people else None
    grants = desk.district.person(author).grants if person else ()
    unit = next((g.unit for g in grants if g.unit), None)
    return {"by": author, "person": person, "unit": unit_view(desk, unit), "at": at, "text": text, "refused": None}


def _near(one: str, other: str) -> bool:
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds()) < 60


def _history(desk: Desk, log: Sequence[View]) -> list[View]:
    """The first event and the last ones that say how it went, oldest first."""
    told = [one for one in log if not one["type"].startswith(_SILENT) and has(f"meetings.event.{one['type']}")]
    kept = told if len(told) <= HISTORY_LINES else [told[0], *told[1 - HISTORY_LINES :]]
    return [_event(desk, one) for one in kept]


def _event(desk: Desk, one: View) -> View:
    data, d = one["data"], desk.district.directory
    unit = data.get("unit") or (data.get("lead") or {}).get("unit") or (data.get("co_unit") or {}).get("unit")
    person = data.get("person") or (one["actor"] if one["actor"] in d.people else None)
    return {
        "type": one["type"], "at": one["at"], "basis": data.get("basis"), "reason": data.get("reason"),
        "kind": data.get("kind"), "unit": (unit_view(desk, unit) or {}).get("name") or "",
        "person": (person_view(desk, person) or {}).get("name") or "", "by": one["actor"],
    }  # fmt: skip


async def _suggested(desk: Desk, actor: Actor, number: str) -> list[View]:
    """Those whose resources meet it, who could take it first; none where the caller may not look at routing."""
    try:
        found = (await lists.resources_for(desk, actor, number))["matches"]
    except DomainError:
        return []
    return list(found[:SUGGESTIONS])


def _branches(desk: Desk, code: str) -> list[dict[str, str]]:
    """What a ruling could speak of: the category itself, then its wider groups."""
    groups = desk.district.category_path(code)
    leaf = {"code": code, "name": desk.district.category(code).name}
    return [leaf, *({"code": one.code, "name": one.name} for one in reversed(groups))]


async def _projects(desk: Desk, actor: Actor, meeting: str, community: str | None) -> list[dict[str, Any]]:
    """Open projects that the demand could join."""
    own = Wanted(community=community, state=ProjectState.OPEN, unit=None, overdue=None)
    found = await projects.projects(desk, actor, own, before=None, limit=50)
    return [{"id": one["id"], "title": one["title"], "lead": one["lead_unit"]} for one in found]
