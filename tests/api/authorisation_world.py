"""A small world to ask every route in: a demand and all that hangs on it `here` and `there`, and a person for every role.

`here` is community A, which the scoped grants of the callers name; `there` is community B, which they do not. What is one's own
is made for each caller when it is asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from domain.exclusions import Basis, Exclusion
from domain.rulings import Ruling
from domain.scopes import Scope
from domain.vocabulary import Role
from service import api_keys, user_accounts
from store import account_sessions, exclusions, feed, forwardings, imports, rulings, webhook_queue, webhooks
from store.imports import StoredImport
from store.webhook_queue import Planned
from store.webhooks import Webhook
from tests.api.administration import unit_body
from tests.api.callers import Http, bearer
from tests.builders import ADMIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key
from tests.pictures import a_jpeg

HERE, THERE = "xuanhualu", "wenqulu"
UNITS = {HERE: "u-001", THERE: "u-043"}
PHONE = "13812345678"
WIDE = (Role.OPERATOR, Role.CHAIR, Role.SUPERVISOR, Role.AUDITOR, Role.INTEGRATOR, Role.ADMIN)
"""Roles that a grant may give for the whole subdistrict."""

Objects = dict[str, str]


@dataclass(frozen=True)
class Caller:
    """`role` is the column of the table; `whole` tells a grant for the whole subdistrict."""

    name: str
    role: Role
    person: str
    whole: bool
    headers: dict[str, str] = field(default_factory=dict)
    key: frozenset[Scope] | None = None


def pack_with_callers(source: Path, folder: Path) -> Path:
    """The district pack with one more person for each role and reach."""
    shutil.copytree(source, folder)
    people = folder / "people.toml"
    lines = []
    for role in Role:
        grant = {"role": role} | ({"unit": UNITS[HERE]} if role is Role.UNIT_LIAISON else {"community": HERE})
        grant |= {"grid": f"{HERE}-01"} if role is Role.GRID_WORKER else {}
        if role not in (Role.RESIDENT, Role.SYSTEM):
            lines.append((f"t-{role}-here", grant))
        if role in WIDE:
            lines.append((f"t-{role}-whole", {"role": role}))
    text = people.read_text(encoding="utf-8").rstrip().removesuffix("]")
    said = (
        f'  {{ id = "{id}", name = "测试", grants = [{{ {", ".join(f"{k} = {json.dumps(v)}" for k, v in grant.items())} }}] }},'
        for id, grant in lines
    )
    people.write_text(text + "\n".join(said) + "\n]\n", encoding="utf-8")
    return folder


def people() -> list[Caller]:
    """One caller for each role with a grant for `here`, and where there is such a grant one for the whole."""
    found = [Caller("resident", Role.RESIDENT, "resident-7001", False, bearer("resident-7001"))]
    for role in Role:
        for reach in ("here", "whole"):
            person = f"t-{role}-{reach}"
            if role in (Role.RESIDENT, Role.SYSTEM) or (reach == "whole" and role not in WIDE):
                continue
            found.append(Caller(f"{role} {reach}", role, person, reach == "whole", bearer(person)))
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def code(self) -> str | None:
        try:
            said = json.loads(self.body)
        except ValueError:
            return None
        return said.get("code") if isinstance(said, dict) else None


async def ask(
    app: FastAPI,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes = b"",
    *,
    kind: str = "application/json",
) -> Answer:
    """One request over ASGI. Of an answer that has no end the beginning is enough."""
    path, _, query = target.partition("?")
    heads = {"host": "linli.test", "content-type": kind, "idempotency-key": new_key(), **headers}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in heads.items()], "client": ("192.0.2.77", 1),
        "server": ("linli.test", 443),
    }  # fmt: skip
    sent, status, parts, enough = False, 0, [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            endless = any(v.startswith(b"text/event-stream") for k, v in message["headers"] if k == b"content-type")
            if endless:
                enough.set()
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                enough.set()

    asked = asyncio.create_task(app(scope, receive, send))
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait({asked, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (asked, waiting):
        task.cancel()
    await asyncio.gather(asked, waiting, return_exceptions=True)
    return Answer(status, b"".join(parts))


class World:
    """What the paths name: `of[HERE]`, `of[THERE]`, and `own(...)` for what belongs to a caller."""

    def __init__(self, product: Product, http: Http) -> None:
        self.product, self.http = product, http
        self.of: dict[str, Objects] = {}
        self._own: dict[tuple[str, str], str] = {}
        self._days = count()
        self.keys: dict[frozenset[Scope], dict[str, str]] = {}

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    # ---- the two sides

    async def make(self) -> None:
        staff = [caller.person for caller in people() if caller.role is not Role.RESIDENT]
        for person in (*staff, SUPERVISOR):
            await user_accounts.add(self.product.pool, person, person, None, by="system", now=self.now)
        for side, opener in ((HERE, "resident-7001"), (THERE, "resident-7002")):
            self.of[side] = await self._side(side, opener)
        await self.http.post("/api/v1/rates/months/2026-01", {}, ADMIN)

    async def _side(self, side: str, opener: str) -> Objects:
        unit, district = UNITS[side], self.product.desk.district
        number, file = await self.demand(opener, side)
        chair = f"t-{Role.CHAIR}-here" if side == HERE else None
        return {
            "demand": number, "file": file, "community": side, "grid": f"{side}-01", "unit": unit, "meeting": side,
            "session": await self._session(side, district.secretary(side), chair),
            "committee": district.id, "committee_session": await self._session(district.id, SUPERVISOR, None),
            "project": await self._project(side, unit), "care": await self.care(side),
            "exclusion": await self.exclusion(OPERATOR, side), "ruling": await self._ruling(side, unit),
            "change": await self._change(side), "publication": await self._publication(ADMIN),
            "webhook": await self.webhook(INTEGRATOR), "key": await self.key(INTEGRATOR),
            "account_session": await self.account_session(SUPERVISOR), "import": await self.import_(INTEGRATOR),
            "person": f"t-{Role.GRID_WORKER}-here" if side == HERE else district.grid(f"{side}-01").duty_worker,
            "somebody": SUPERVISOR, "resource": json.dumps((await unit_body(self.http, unit))["resources"][0]),
            "unit_body": json.dumps(await unit_body(self.http, unit)),
            "forwarding": await self._forwarding(number, unit), **await self._sent(), **self._rules(),
        }  # fmt: skip

    async def demand(self, opener: str, side: str) -> tuple[str, str]:
        """With a picture of its reporter's, located, and with a unit that leads it."""
        file = await self._file(opener)
        form = {
            "text": "楼下路灯坏了", "category": "120101", "location": {"grid": f"{side}-01"}, "file_ids": [file],
            "reporter": {"name": "王小明", "phone": PHONE},
        }  # fmt: skip
        number = (await self._done("/api/v1/demands", form, opener))["number"]
        worker = self.product.desk.district.grid(f"{side}-01").duty_worker
        await self._done(f"/api/v1/demands/{number}/actions", {"type": "hand_off", "unit": UNITS[side]}, worker)
        return number, file

    async def _file(self, by: str) -> str:
        answer = await self.http.client.post(
            "/api/v1/files", files={"file": ("a.jpg", a_jpeg(), "image/jpeg")},
            headers=bearer(by) | {"Idempotency-Key": new_key()},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def _done(self, path: str, body: Any, by: str) -> dict[str, Any]:
        answer = await self.http.post(path, body, by)
        assert answer.status_code < 300, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def _session(self, meeting: str, keeper: str, chair: str | None) -> str:
        path = f"/api/v1/meetings/{meeting}/sessions"
        there = [s for s in (await self.http.get(path, SUPERVISOR)).json() if s["state"] == "open"]
        if there:
            return str(there[0]["id"])
        id = (await self._done(path, {"kind": "extra"}, keeper))["id"]
        await self._done(f"{path}/{id}/actions", {"type": "open"} | ({"chair": chair} if chair else {}), keeper)
        return str(id)

    async def _project(self, side: str, unit: str) -> str:
        form = {
            "community": side, "title": "加装路灯", "lead_unit": unit,
            "milestones": [{"title": "勘察", "due_on": "2030-01-01"}],
        }  # fmt: skip
        return str((await self._done("/api/v1/projects", form, SUPERVISOR))["id"])

    async def care(self, side: str) -> str:
        form = {"grid": f"{side}-01", "group": self.group, "person": {"name": "李奶奶"}}
        return str((await self._done("/api/v1/individual-needs", form, SUPERVISOR))["id"])

    @property
    def today(self) -> str:
        zone = ZoneInfo(self.product.desk.district.timezone)
        return self.now.astimezone(zone).date().isoformat()

    @property
    def group(self) -> str:
        return self.product.desk.district.care_groups[0].id

    async def exclusion(self, by: str, side: str) -> str:
        async with exclusions.changing(self.product.pool) as transaction:
            one = Exclusion(
                id=await transaction.next_id(), number=self.of.get(side, {}).get("demand", "20260101-000001"),
                month="2026-01", figures=("resolution",), basis=next(iter(Basis)), document="1", community=side,
                asked_by=by, asked_at=self.now,
            )  # fmt: skip
            await transaction.insert(one)
        return one.id

    async def _ruling(self, side: str, unit: str) -> str:
        at, id = self.now - timedelta(minutes=1), f"{side}.20270101-000001.{new_key()}"
        ruling = Ruling(
            id=id, meeting=side, community=side, category="100101", unit=unit, valid_from=at, decided_at=at,
            number="20270101-000001", chair=SUPERVISOR,
        )  # fmt: skip
        await rulings.put(self.product.pool, [ruling])
        return id

    async def _change(self, side: str) -> str:
        secretary = self.product.desk.district.secretary(side)
        form = {
            "type": "override", "from": "2031-01-01", "until": "2031-01-09", "person": secretary, "reason": "测试",
        }  # fmt: skip
        return str((await self._done(f"/api/v1/rotation/{side}/changes", form, ADMIN))["id"])

    async def _forwarding(self, number: str, unit: str) -> str:
        async with self.product.pool.acquire() as connection, connection.transaction():
            planned = forwardings.Planned(number, 1, "no-such", unit, "120101", SUPERVISOR)
            return str(await forwardings.plan(connection, planned, self.now + timedelta(days=9)))

    async def _sent(self) -> Objects:
        """A notice whose delivery was given up."""
        at = self.now
        notice = await self.product.pool.fetchval(
            "insert into notice (event, rule, audience, person, reader, template, language, urgent, at, created_at,"
            " send_at, state) values ('test', 'test', 'holder', $1, $1, 'test', 'zh', false, $2, $2, $2, 'outgoing')"
            " returning id",
            SUPERVISOR, at,
        )  # fmt: skip
        delivery = await self.product.pool.fetchval(
            "insert into delivery (notice, channel, lane, position, state, attempts, next_at, urgent)"
            " values ($1, 'email', $2, $3, 'dead', 9, $4, false) returning id",
            notice, SUPERVISOR, int(at.timestamp() * 1000), at,
        )  # fmt: skip
        return {"notice": str(notice), "delivery": str(delivery)}

    def _rules(self) -> Objects:
        """What could be published."""
        district, year = self.product.desk.district, self.product.desk.watch.this_year + 1
        day = {"name": "元旦", "from": f"{year}-01-01", "until": f"{year}-01-03"}
        calendar = {"year": year, "source": "a notice for tests only", "provisional": False, "holiday": [day]}
        return {
            "year": json.dumps(calendar), "sla": district.sla.model_dump_json(by_alias=True),
            "routing": district.routing.model_dump_json(by_alias=True),
        }  # fmt: skip

    # ---- what is one's own

    async def own(self, kind: str, caller: Caller, *, fresh: bool = False) -> str | None:
        """The caller's own thing of a kind; None where that person cannot have one."""
        place = (kind, caller.person)
        if fresh:
            return await self._make_own(kind, caller)
        if place not in self._own:
            made = await self._make_own(kind, caller)
            if made is None:
                return None
            self._own[place] = made
        return self._own[place]

    async def _make_own(self, kind: str, caller: Caller) -> str | None:
        who = caller.person
        match kind:
            case "demand" | "file":
                self._own["demand", who], self._own["file", who] = await self.demand(who, HERE)
                return self._own[kind, who]
            case "person" | "somebody":
                return who
            case "exclusion":
                return await self.exclusion(who, THERE)
            case "webhook":
                return await self.webhook(who)
            case "key":
                return await self.key(who)
            case "account_session":
                return await self.account_session(who)
            case "import":
                return await self.import_(who)
            case "publication":
                return await self._publication(who) if self._may_publish(caller) else None
        raise AssertionError(f"nobody owns a {kind}")

    def _may_publish(self, caller: Caller) -> bool:
        return caller.whole or caller.role in (Role.COMMUNITY_SECRETARY, Role.UNIT_LIAISON)

    async def _publication(self, by: str) -> str:
        """Something small that this person may publish: an absence, or the capacity of a resource."""
        path = f"/api/v1/people/t-{Role.GRID_WORKER}-here/leave"
        day = (date(2031, 1, 1) + timedelta(days=next(self._days))).isoformat()
        body: Any = {"leave": [{"from": day, "until": day}]}
        if Role.UNIT_LIAISON in by:
            resource = json.loads(self.of[HERE]["resource"])
            body, path = resource | {"capacity": resource["capacity"] + 1}, f"/api/v1/units/{UNITS[HERE]}/resources"
        method = "POST" if path.endswith("resources") else "PUT"
        headers = bearer(by) | {"If-Match": "*", "Idempotency-Key": new_key()}
        answer = await self.http.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.headers["content-location"].rpartition("/")[2]

    async def webhook(self, owner: str) -> str:
        id, now, pool = f"wh-{uuid.uuid4().hex[:16]}", self.now, self.product.pool
        async with webhooks.changing(pool) as connection:
            made = Webhook(
                id=id, owner=owner, url="https://hooks.example.org/x", description="", choice=_everything(),
                secret=self.product.desk.sealer.seal("s", webhooks.bound_to(id)), old_secret=None, old_until=None,
                since=str(await feed.end(connection)), created_at=now, changed_at=now, failures=0, failing_since=None,
                rests_until=None, disabled_at=None, disabled_by=None,
            )  # fmt: skip
            await webhooks.insert(connection, made)
            await webhook_queue.plan(connection, [Planned(id, new_key(), "ping", 1, "linli.webhook.ping", "{}")], now)
        return id

    async def webhook_delivery(self, webhook: str) -> str:
        return str(await self.product.pool.fetchval("select id from webhook_delivery where webhook = $1", webhook))

    async def key(self, owner: str, scopes: frozenset[Scope] = frozenset({Scope.RATES_READ})) -> str:
        return (await self.key_of(owner, scopes))[0]

    async def key_of(self, owner: str, scopes: frozenset[Scope]) -> tuple[str, str]:
        async with self.product.pool.acquire() as connection:
            made = await api_keys.make(
                connection, name="t", owner=owner, scopes=scopes, days=9, by="system", now=self.now
            )  # fmt: skip
        assert made.secret is not None
        return made.key.id, made.secret

    async def keyed(self, owner: str, scopes: frozenset[Scope]) -> dict[str, str]:
        """The header of a key with these scopes."""
        if scopes not in self.keys:
            self.keys[scopes] = {"Authorization": f"Bearer {(await self.key_of(owner, scopes))[1]}"}
        return self.keys[scopes]

    async def account_session(self, person: str) -> str:
        return (await self._account_session(person))[0]

    async def signed_in(self, person: str) -> dict[str, str]:
        """The headers of a browser with a session of this person."""
        return {"Cookie": f"__Host-linli={(await self._account_session(person))[1]}", "Sec-Fetch-Site": "same-origin"}

    async def _account_session(self, person: str) -> tuple[str, str]:
        id, token = uuid.uuid4().hex[:16], (uuid.uuid4().hex + uuid.uuid4().hex)[:43]
        new = account_sessions.New(
            id=id, token_hash=hashlib.sha256(token.encode()).digest(), person=person, how="password", device="t",
            agent=b"a" * 32, address=b"a" * 32,
        )  # fmt: skip
        async with self.product.pool.acquire() as connection:
            await account_sessions.open_one(connection, new, self.now, self.now + timedelta(days=1))
        return id, token

    async def import_(self, by: str) -> str:
        id = f"i-{uuid.uuid4().hex}"
        one = StoredImport(
            id=id, actor="{}", created_by=by, created_at=self.now, system="s", channel="import", columns="",
            dry_run=True, format="csv", size=1, sealed_key=None, state="done", claimed_until=self.now,
        )  # fmt: skip
        await imports.begin(self.product.pool, one)
        await self.product.pool.execute("update bulk_import set state = 'done', finished_at = now() where id = $1", id)
        return id


def _everything() -> Any:
    from domain.webhooks import Choice

    return Choice()
