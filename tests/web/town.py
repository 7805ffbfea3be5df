"""The whole product behind the pages, living as a demo does: its people, their accounts, and the API to prepare a test with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from devstack.logins import Login, logins
from devstack.reset import temporary_folder
from devstack.seed import seed_once
from devstack.stack import Stack
from devstack.users import DemoUser, demo_password, seed_users
from domain.district import District
from service.pack import load_pack

Body = dict[str, Any]
SEED = 7
_PATIENCE = 30.0


@dataclass
class Town:
    stack: Stack
    district: District
    everyone: list[Login]
    password: str
    # Numbers that a test put into somebody's hands, for its own time only.
    given: list[str] = field(default_factory=list)
    _accounts: set[str] = field(default_factory=set)
    _sessions: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.stack.url

    def who(self, role: str, at: int = 0, *, scope: str | None = None) -> Login:
        """The `at`-th person of a role, in the order of the pack; `scope` as in devstack/logins.py, `unit:power` say."""
        found = [one for one in self.everyone if one.role == role and scope in (None, one.scope)]
        assert len(found) > at, f"The pack has {len(found)} of {role} in {scope or 'any scope'}"
        return found[at]

    def login(self, who: Login | str) -> Login:
        """A person by id, or the first of a role."""
        if isinstance(who, Login):
            return who
        by_id = next((one for one in self.everyone if one.id == who), None)
        return by_id or self.who(who)

    async def holder(self, number: str) -> Login:
        """Who owes the next step of a demand."""
        view = await self.get(f"/demands/{number}", "supervisor")
        return self.login(view["holder"]["id"])

    async def session(self, who: Login | str, *, fresh: bool = False) -> str:
        """The cookie's value of the person's session, the same for the whole run: whoever signs in too often is made to wait.

        `fresh` is for who signs out or withdraws a session: one of its own, opened with user name and password.
        """
        login = self.login(who)
        if fresh:
            return await self._sign_in(login)
        if login.id not in self._sessions or not await self._lives(self._sessions[login.id]):
            self._sessions[login.id] = await self._sign_in(login)
        return self._sessions[login.id]

    async def _lives(self, session: str) -> bool:
        async with httpx2.AsyncClient(base_url=self.url, timeout=_PATIENCE, cookies={"linli": session}) as http:
            return (await http.get("/api/v1/session")).status_code != 401

    async def _sign_in(self, login: Login) -> str:
        if login.id not in self._accounts:
            account = DemoUser(login.id, login.role, login.name, login.id)
            await asyncio.to_thread(seed_users, self.stack.database_url, [account], self.password)
            self._accounts.add(login.id)
        async with httpx2.AsyncClient(base_url=self.url, timeout=_PATIENCE) as http:
            form = {"user": login.id, "password": self.password}
            answer = await http.post("/api/v1/session", json=form)
        assert answer.status_code == 201, answer.text
        return str(answer.cookies["linli"])

    async def call(self, method: str, path: str, who: Login | str, body: Body | None = None) -> Any:
        """What the API answers `who` at /api/v1`path`. Fails the test when it refuses."""
        headers = {"Authorization": f"Bearer {self.login(who).token}"}
        if method != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        async with httpx2.AsyncClient(base_url=f"{self.url}/api/v1", timeout=_PATIENCE) as http:
            answer = await http.request(method, path, headers=headers, json=body)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, who: Login | str) -> Any:
        return await self.call("GET", path, who)

    async def submit(self, text: str = "三单元门口的路灯不亮", who: Login | str = "resident", **body: Any) -> Body:
        """A fresh demand, located in the first compound unless `location` says where."""
        location = body.pop("location", {"compound": self.district.compounds[0].id, "building": "3", "room": "502"})
        fresh = {"text": text, "location": location, "channel": "resident", **body}
        return dict(await self.call("POST", "/demands", who, fresh))

    async def act(self, number: str, who: Login | str, type: str, **body: Any) -> Body:
        """One action, as `act(number, worker, "resolve", reply="…")`; the demand afterwards."""
        return dict(await self.call("POST", f"/demands/{number}/actions", who, {"type": type, **body}))

    async def free_hands(self) -> None:
        """Withdraws what was given: who holds too much is given no more by the rules (service/places.py)."""
        for number in self.given:
            if (await self.get(f"/demands/{number}", "operator"))["stage"] != "closed":
                await self.act(number, "operator", "withdraw")
        self.given.clear()


@contextmanager
def living_town() -> Iterator[Town]:
    """A stack of its own with the demo's seeded demands, gone afterwards."""
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        with Stack(folder, port=0, say=lambda line: None) as stack:
            district = load_pack(stack.pack, stack.overlay)
            everyone = logins(district, stack.token_secret)
            seed_once(stack.folder.path, stack.url, district, everyone, SEED, lambda line: None)
            yield Town(stack, district, everyone, demo_password(stack.folder))
