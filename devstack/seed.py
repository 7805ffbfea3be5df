"""A demo's first life, lived through the HTTP API alone: demands in different stages, each step by who may take it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from devstack.errors import StackError
from devstack.logins import WHOLE, Login
from devstack.stories import DECISIONS, STEPS, STORIES, Body, Story
from domain.bodies import rules_of
from domain.district import District

View = dict[str, Any]
_REPORTER_FIRST = {"urge", "withdraw", "happy", "content", "unhappy"}
_SETTLE_SECONDS = 30.0
_TRIES = 8


def seed_once(
    folder: Path, url: str, district: District, everyone: list[Login], seed: int, say: Callable[[str], None]
) -> None:
    """Only on the first start of a data folder; one that was interrupted goes on where it was."""
    diary = _Diary(folder / "seeding.json")
    if diary.finished:
        return
    with httpx2.Client(base_url=url, timeout=30.0) as http:
        town = _Town(http, district, everyone, random.Random(seed), f"seed-{seed}", diary)
        if diary.empty and town.inhabited():
            diary.finish("found demands")
            return
        say(f"Seeding {len(STORIES)} demands (seed {seed}) …")
        stages = town.live()
    diary.finish(f"seed {seed}")
    say("Seeded: " + ", ".join(f"{count} in {stage}" for stage, count in sorted(stages.items())) + ".")


def leave_empty(folder: Path) -> None:
    """A folder that was started empty stays so."""
    _Diary(folder / "seeding.json").finish("empty")


class _Diary:
    """What is done, on disk: the number of each story's demand and how many of its steps were taken."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._guard = threading.Lock()
        self._pages: dict[str, Any] = json.loads(place.read_text()) if place.exists() else {}

    @property
    def finished(self) -> bool:
        return "finished" in self._pages

    @property
    def empty(self) -> bool:
        return not self._pages

    def of(self, at: int) -> tuple[str | None, int]:
        page = self._pages.get(str(at), {})
        return page.get("number"), page.get("steps", 0)

    def write(self, at: int, number: str, steps: int) -> None:
        self._save(str(at), {"number": number, "steps": steps})

    def finish(self, how: str) -> None:
        if not self.finished:
            self._save("finished", how)

    def _save(self, key: str, value: object) -> None:
        with self._guard:
            self._pages[key] = value
            fresh = self._place.with_suffix(".new")
            fresh.write_text(json.dumps(self._pages))
            fresh.replace(self._place)


class _Town:
    """The people of the district at their telephones."""

    def __init__(
        self,
        http: httpx2.Client,
        district: District,
        everyone: list[Login],
        chance: random.Random,
        key: str,
        diary: _Diary,
    ) -> None:
        self._http, self._district, self._key, self._diary = http, district, key, diary
        self._everyone = everyone
        self._sits = {one.id: threading.Lock() for one in district.meetings}
        self._by_id = {one.id: one for one in everyone}
        self._sees_all = next(one for one in everyone if one.role == "supervisor" and one.scope == WHOLE)
        worker = next(one for one in everyone if one.role == "grid_worker")
        self._near = district.compounds_of(worker.scope.partition(":")[2])
        # All chances are taken before anything is sent: a start that goes on must find the same bodies under its keys.
        self._plans = [self._plan(at, story, chance) for at, story in enumerate(STORIES)]

    def inhabited(self) -> bool:
        found = self._http.get("/api/v1/demands", params={"limit": 1}, headers=_as(self._sees_all))
        return bool(_read(found))

    def live(self) -> Counter[str]:
        """Every story told to its end; how many demands are in each stage afterwards."""
        numbers = [self._submit(at, *plan) for at, plan in enumerate(self._plans)]
        with ThreadPoolExecutor(max_workers=4) as pool:
            views = list(pool.map(self._walk, range(len(STORIES)), numbers))
        return Counter(str(view["stage"]) for view in views)

    def _plan(self, at: int, story: Story, chance: random.Random) -> tuple[Login, Body]:
        compound = chance.choice(self._district.compounds)
        if at % 2 and self._near:  # every second where the demo's own grid worker works, who then has something to do
            compound = self._near[at % len(self._near)]
        grid = self._district.grid(compound.grid)
        places: dict[str, Body | None] = {
            "compound": {"compound": compound.id, "building": str(chance.randint(1, 9)), "room": "502"},
            "point": {"lat": compound.lat, "lon": compound.lon},
            "grid": {"grid": compound.grid},
            "nowhere": None,
        }
        residents = [one for one in self._everyone if one.role == "resident"]
        operators = [one for one in self._everyone if one.role == "operator" and one.scope == WHOLE]
        resident, operator = chance.choice(residents), chance.choice(operators)
        opener = {"resident": resident, "hotline": operator, "patrol": self._by_id[grid.duty_worker]}[story.door]
        body: Body = {"text": story.text, "channel": story.door, "confidential": story.confidential}
        if any(one.code == story.category for one in self._district.categories):  # another pack may have other ones
            body["category"] = story.category
        if places[story.where]:
            body["location"] = places[story.where]
        if story.door == "hotline":
            body["reporter"] = {"name": "来电人", "phone": f"0000{chance.randint(1000000, 9999999)}"}
        return opener, body

    def _submit(self, at: int, opener: Login, body: Body) -> str:
        number, _ = self._diary.of(at)
        if number is None:
            number = str(self._post("/api/v1/demands", opener, f"{self._key}-{at}", body)["number"])
            self._diary.write(at, number, 0)
        return number

    def _walk(self, at: int, number: str) -> View:
        _, done = self._diary.of(at)
        opener, _ = self._plans[at]
        view = self._settled(number, located=STORIES[at].where != "nowhere")
        for turn, step in enumerate(STORIES[at].course):
            if turn < done:
                continue
            key = f"{self._key}-{at}-{turn}"
            took = self._decide(view, step, key) if step in DECISIONS else self._act(view, opener, step, key)
            self._diary.write(at, number, turn + 1)
            view = took or view  # a step nobody may take (another pack, another rule) is left out
        return view

    def _settled(self, number: str, *, located: bool) -> View:
        """The workflow starts right after the answer: wait until it has given the demand to somebody."""
        until = time.monotonic() + _SETTLE_SECONDS
        while True:
            view: View = _read(self._http.get(f"/api/v1/demands/{number}", headers=_as(self._sees_all)))
            if view["stage"] != "intake" or not located or time.monotonic() > until:
                return view
            time.sleep(0.2)

    def _act(self, view: View, opener: Login, step: str, key: str) -> View | None:
        body = STEPS[step]()
        for actor in self._candidates(view, opener, step):
            seen = self._http.get(f"/api/v1/demands/{view['number']}", headers=_as(actor))
            if seen.status_code == 200 and body["type"] in seen.json()["permitted"]:
                return self._post(f"/api/v1/demands/{view['number']}/actions", actor, key, body)
        return None

    def _candidates(self, view: View, opener: Login, step: str) -> Iterator[Login]:
        """Who might take a step, likeliest first. Whether they may is asked of the API."""
        if step in _REPORTER_FIRST:
            yield opener
        holder = self._by_id.get((view["holder"] or {}).get("id", ""))
        if holder is not None:
            yield holder
        near = {f"unit:{(view['unit'] or {}).get('id')}", f"grid:{view['grid']}", f"community:{view['community']}"}
        yield from (one for one in self._everyone if one.scope in near and one.role != "chair")
        yield from (one for one in self._everyone if one.scope == WHOLE and one.role in ("operator", "supervisor"))
        yield opener

    def _decide(self, view: View, step: str, key: str) -> View | None:
        """In an extra session of the demand's meeting: opened by who chairs it, attended to quorum, closed again."""
        meeting = view["meeting"]
        if view["stage"] != "meeting":  # decided before an interruption, or never sent there
            return None
        with self._sits[meeting]:
            session, chair, keeper = self._open(meeting, key)
            actions = f"/api/v1/meetings/{meeting}/sessions/{session['id']}/actions"
            if self._is_late(meeting, view["number"]):
                self._post(actions, chair, f"{key}-in", {"type": "consent", "number": view["number"]})
            body = {"number": view["number"], **DECISIONS[step]()}
            took = self._post(f"/api/v1/meetings/{meeting}/decisions", chair, key, body)
            self._post(actions, keeper, f"{key}-close", {"type": "close"})
        return took

    def _open(self, meeting: str, key: str) -> tuple[View, Login, Login]:
        """The session, who chairs it, and who keeps its minutes."""
        role = "supervisor" if meeting == self._district.id else "community_secretary"
        scope = WHOLE if meeting == self._district.id else f"community:{meeting}"
        keeper = next(one for one in self._everyone if (one.role, one.scope) == (role, scope))
        sessions = f"/api/v1/meetings/{meeting}/sessions"
        tries = (self._post(sessions, keeper, f"{key}-call-{n}", {"kind": "extra"}) for n in count())
        called = next(one for one in tries if one["state"] != "closed")  # one of an interrupted start may have lapsed
        actions = f"{sessions}/{called['id']}/actions"
        opened = self._post(actions, keeper, f"{key}-open", {"type": "open"})
        members = list(rules_of(self._district, meeting).members)[: opened["quorum"]]
        self._post(actions, keeper, f"{key}-attend", {"type": "attend", "units": members})
        return opened, self._by_id[opened["chair"]["id"]], keeper

    def _is_late(self, meeting: str, number: str) -> bool:
        """Its place on the agenda was asked for just now: it may be on its way there still."""
        until = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < until:
            path = f"/api/v1/meetings/{meeting}/agenda"
            items = _read(self._http.get(path, params={"limit": 100}, headers=_as(self._sees_all)))
            found = [item["late"] for item in items if item["number"] == number]
            if found:
                return bool(found[0])
            time.sleep(0.2)
        return False

    def _post(self, path: str, actor: Login, key: str, body: Body) -> View:
        return dict(_read(self._send(path, actor, key, body)))

    def _send(self, path: str, actor: Login, key: str, body: Body) -> httpx2.Response:
        """Again with the same key while the API says that it cannot just now."""
        for attempt in range(_TRIES):
            answer = self._http.post(path, json=body, headers={**_as(actor), "Idempotency-Key": key})
            if answer.status_code not in (429, 503):
                break
            time.sleep(min(4.0, 0.25 * 2**attempt))
        return answer


def _as(actor: Login) -> dict[str, str]:
    return {"Authorization": f"Bearer {actor.token}"}


def _read(answer: httpx2.Response) -> Any:
    if answer.status_code >= 400:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise StackError(f"Seeding stopped: {asked} was answered {answer.status_code}: {answer.text[:600]}")
    return answer.json()
