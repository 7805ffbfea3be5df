"""Every route asked as every role, inside and outside its scope; the answers are those of docs/reference/authorisation.md.

The page is read as people read it, so that it can neither say more nor less than the product does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from api.authorisation_table import COLUMNS, FREE, NOTHING, product_routes
from domain.scopes import Scope
from domain.vocabulary import Role
from runtime.settings import PROJECT_ROOT
from service import user_accounts
from tests.api.authorisation_cases import CASES, JSON, Case, objects, target
from tests.api.authorisation_world import HERE, THERE, Answer, Caller, World, ask, pack_with_callers, people
from tests.api.callers import http_for
from tests.builders import running_product

PAGE = PROJECT_ROOT / "docs" / "reference" / "authorisation.md"
CLOSED = ("scope_required", "not_permitted")
WHOLE_INTEGRATOR = f"t-{Role.INTEGRATOR}-whole"


@dataclass(frozen=True)
class Row:
    """A line of the page."""

    method: str
    path: str
    operation: str
    cells: dict[Role, str]
    key: str

    @property
    def case(self) -> Case:
        return CASES.get(self.operation, Case())

    def words(self, role: Role) -> set[str]:
        return set(self.cells[role].split(", "))

    @property
    def scopes(self) -> frozenset[Scope]:
        if self.key == "any":
            return frozenset(Scope)
        return frozenset() if self.key == NOTHING else frozenset(map(Scope, self.key.split(" or ")))


def page() -> tuple[list[Row], list[tuple[str, str]]]:
    """The routes with their cells, and the public ones."""
    names = {(m, r.path): r.name for r in product_routes() for m in (*(r.methods or ()), "any")}
    rows, public = [], []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not (match := re.match(r"\| `([A-Za-z]+) (\S+)` \|", line)):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 2:
            public.append((match[1], match[2]))
        else:
            by_role = dict(zip(COLUMNS, cells[2:-1], strict=True))
            rows.append(Row(match[1], match[2], names[match[1], match[2]], by_role, cells[-1].strip("`")))
    return rows, public


# ---- what the page promises


def reaches(row: Row, caller: Caller, side: str) -> bool | None:
    """Whether the cell lets this caller get at what lies on that side; None where the page does not say it of this person."""
    words = row.words(caller.role)
    if words & {NOTHING}:
        return False
    if words & {FREE}:
        return True
    if caller.whole:
        if words & {"district", "community", "demand", "committee"}:
            return True
        if "meeting" in words:  # whoever may chair any meeting leads a session only when named
            return True if row.operation == "convene_session" else None
        return side == HERE
    return side == HERE and bool(words & {"community", "grid", "unit", "demand", "meeting", "own"})


def holds(row: Row, caller: Caller) -> bool:
    """Whether the role alone lets the caller in; for a list that is narrowed, nothing else is asked."""
    words = row.words(caller.role)
    return words != {NOTHING} and (caller.whole or bool(words - {"district", "committee"}))


@dataclass(frozen=True)
class Cell:
    row: Row
    caller: Caller
    side: str
    expected: str
    """`let in`, `refused`, `shown` or `not shown` (in a list)."""

    def agrees(self, answer: Answer, marker: str | None) -> bool:
        if self.expected == "refused":
            return answer.status == 403 or (answer.status == 404 and NOTHING not in self.row.words(self.caller.role))
        if answer.status in (401, 403, 404) or answer.status >= 500:
            return False
        return marker is None or (marker.encode() in answer.body) is (self.expected == "shown")


def cells_of(row: Row, caller: Caller) -> Iterator[Cell]:
    about, lists = row.case.is_about_something(row.path), row.case.lists not in (None, "nothing")
    for side in (HERE, THERE):
        reached = reaches(row, caller, side)
        if reached is None or (side == THERE and not (about or lists)):
            continue
        if lists and holds(row, caller):
            yield Cell(row, caller, side, "shown" if reached else "not shown")
        elif not about and not lists:
            yield Cell(row, caller, side, "let in" if holds(row, caller) else "refused")
        else:
            yield Cell(row, caller, side, "let in" if reached else "refused")


# ---- the walk


@pytest_asyncio.fixture(scope="module")
async def world(temporal: WorkflowEnvironment, database: str, tmp_path_factory) -> AsyncIterator[World]:  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("pack") / "pack"
    pack = pack_with_callers(PROJECT_ROOT / "config" / "shengli-road", folder)
    files = tmp_path_factory.mktemp("files")
    async with (
        running_product(temporal, database, pack=pack, files=str(files)) as product,
        http_for(product.settings) as http,
    ):
        made = World(product, http)
        await made.make()
        yield made


async def asked(world: World, row: Row, caller: Caller, side: str) -> tuple[Answer, str | None] | None:
    case = row.case
    o = await objects(world, case, row.path, caller, side, row.words(caller.role))
    if o is None:
        return None
    headers = {**caller.headers, "If-Match": "*"}
    if case.cookie and caller.role is not Role.RESIDENT and caller.key is None:
        headers = await world.signed_in(caller.person)
    kind, body = case.content(o)
    query = f"?{case.query(o)}" if case.query else ""
    if row.words(caller.role) == {NOTHING} and not case.form:
        kind, body, query = (
            JSON,
            b"{",
            "?limit=no-number",
        )  # who may nothing here is told so, and not what is wrong with it
    answer = await ask(world.http.app, row.method, target(row.path, o) + query, headers, body, kind=kind)
    return answer, o.get(case.lists) if case.lists else None


async def test_every_route_answers_every_role_as_the_page_says(world: World) -> None:
    rows, _ = page()
    counted: Counter[str] = Counter()
    wrong = []
    for row in rows:
        for caller in people():
            for cell in cells_of(row, caller):
                found = await asked(world, row, caller, cell.side)
                if found is None:
                    continue  # this person cannot own such a thing
                counted[cell.expected] += 1
                if not cell.agrees(*found):
                    where, answer = "inside" if cell.side == HERE else "outside", found[0]
                    wrong.append(
                        f"{row.operation} {caller.name} {where}: {cell.expected}, {answer.status} {answer.code}"
                    )
    told("roles", rows, counted)
    assert not wrong, f"{len(wrong)} cells:\n" + "\n".join(wrong)


def told(what: str, rows: list[Row], counted: Counter[str]) -> None:
    about = (
        f"{len(rows)} routes × {len(COLUMNS)} roles ({len(people())} callers)"
        if what == "roles"
        else f"{len(rows)} routes"
    )
    print(f"\n{what}: {about}, {counted.total()} cells: {dict(counted)}")
    assert counted.total() > len(rows)


async def test_without_a_name_or_with_one_that_is_disabled_nothing_opens(world: World) -> None:
    """Nobody, a key and a session of somebody whose account is disabled, a made-up token."""
    rows, public = page()
    there_is = world.of[HERE] | {"webhook_delivery": "1"}
    person = f"t-{Role.SUPERVISOR}-here"
    _, secret = await world.key_of(person, frozenset(Scope))
    cookie = await world.signed_in(person)
    ways = {
        "disabled key": {"Authorization": f"Bearer {secret}"}, "disabled session": cookie, "nobody": {},
        "made up": {"Authorization": "Bearer linli_aaaaaaaaaaaa_" + "a" * 52},
    }  # fmt: skip
    who = [(await ask(world.http.app, "GET", "/api/v1/session", headers)).status for headers in ways.values()]
    assert who == [200, 200, 401, 401], "they were good until the account was disabled"
    account = await user_accounts.must_exist(world.product.pool, person)
    await user_accounts.disable(world.product.pool, account, by="system", now=world.now)
    world.http.app.state.principals.forget()  # what was looked up is remembered for some seconds
    wrong, counted = [], Counter[str]()
    for row in rows:
        for way, headers in ways.items():
            kind, body = row.case.content(there_is) if row.case.form else (JSON, b"{}")
            answer = await ask(world.http.app, row.method, target(row.path, there_is), headers, body, kind=kind)
            counted[way] += 1
            closed = 403 if row.path.startswith("/open311") else 401  # as GeoReport has it
            if answer.status != closed:
                wrong.append(f"{row.operation} {way}: {answer.status}")
    told("nobody", rows, counted)
    assert not wrong, "\n".join(wrong)
    for method, path in public:
        verb = "GET" if method == "any" else method
        for headers in ({}, *(one.headers for one in people())):
            answer = await ask(world.http.app, verb, target(path, there_is), headers, b"{}")
            assert answer.status not in (401, 403) or "/session/oidc" in path, (path, answer.status, answer.body[:200])
    account = await user_accounts.must_exist(world.product.pool, person)
    await user_accounts.enable(world.product.pool, account, by="system", now=world.now)


async def test_a_key_opens_what_its_scope_says_and_its_owner_may(world: World) -> None:
    """One key with just one scope of the page, one with every other; both of an integrator."""
    rows, _ = page()
    owner = next(one for one in people() if one.person == WHOLE_INTEGRATOR)
    wrong, counted = [], Counter[str]()
    for row in rows:
        for scopes in (
            row.scopes if row.key == "any" else frozenset(sorted(row.scopes)[:1]),
            frozenset(Scope) - row.scopes,
        ):
            if not scopes:
                continue
            caller = replace(owner, headers=await world.keyed(owner.person, scopes), key=scopes)
            found = await asked(world, row, caller, HERE)
            assert found is not None
            answer, opens = found[0], not scopes.isdisjoint(row.scopes) and holds(row, owner)
            counted["opened" if opens else "closed"] += 1
            closed = answer.status == 403 and (row.path.startswith("/open311") or answer.code in CLOSED)
            let_in = answer.status not in (401, 403, 404) and answer.status < 500
            if not (let_in if opens else closed):
                wrong.append(f"{row.operation} {sorted(scopes)}: {answer.status} {answer.code}")
    told("keys", rows, counted)
    assert not wrong, "\n".join(wrong)
