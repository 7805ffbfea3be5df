"""What changes who is asked: rulings of joint meetings, and rules that are tried before they count. A real worker."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.rulings import Ruling
from service import desk as desk_module
from service import publish_watch
from store import rulings
from tests.api.callers import RESIDENT, Http, code_of, http_for
from tests.api.test_routing import COMMUNITY, GAS_LEAK, GRID, decisions, submitted
from tests.builders import ADMIN, BLOCKED_DRAIN, CONSULT, SUPERVISOR, Product, new_key, running_product, until

RULES, DRY_RUN, PUBLISH = "/api/v1/routing/rules", "/api/v1/routing/dry-run", "/api/v1/publications/routing"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_watch, "EVERY", timedelta(milliseconds=50))


@pytest_asyncio.fixture
async def both(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Product, Http]]:
    """A product and a second process on a database of their own, which look at rulings and loads all the time."""
    monkeypatch.setattr(desk_module, "LOADS_EVERY", timedelta(milliseconds=50))
    async with running_product(temporal, new_database()) as product, http_for(product.settings) as http:
        yield product, http


# ---- rulings


def a_ruling(unit: str = "u-water", **changes: Any) -> Ruling:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    said: dict[str, Any] = {
        "id": f"{COMMUNITY}.20270101-000001.{new_key()}", "meeting": COMMUNITY, "community": COMMUNITY,
        "category": GAS_LEAK, "unit": unit, "valid_from": at, "decided_at": at, "number": "20270101-000001",
        "chair": SUPERVISOR,
    }  # fmt: skip
    return Ruling.model_validate(said | changes)


async def revoke(http: Http, id: str, by: str, **body: Any) -> Any:
    return await http.post(f"/api/v1/rulings/{id}/revoke", {"reason": "情况已变化", **body}, by)


async def known(desk: Any, ruling: Ruling, *, until_at: datetime | None = None) -> bool | None:
    found = [r for r in desk.rulings if r.id == ruling.id]
    return True if found and found[0].valid_until == until_at else None


async def test_a_ruling_routes_every_later_demand_until_it_is_revoked(both: tuple[Product, Http]) -> None:
    product, http = both
    before = await submitted(http)
    ruling = a_ruling()
    await rulings.put(product.pool, [ruling])
    await until(lambda: known(http.app.state.desk, ruling))
    await until(lambda: known(product.desk, ruling))
    number = await submitted(http)
    (decided,) = await decisions(http, number)
    assert decided["rule"] == f"ruling:{ruling.id}" and decided["candidates"][0]["unit"]["id"] == "u-water"
    assert [x["reason"] for x in decided["candidates"][1:2]] == ["rule:gas-leak"]
    assert f"联席会议常设决定 {ruling.id} 适用" in decided["explanation_zh"]
    assert (await decisions(http, before))[0]["rule"] == "rule:gas-leak"
    other = (await http.submit(category=GAS_LEAK, location={"grid": "wenqulu-01"}))["number"]
    assert (await decisions(http, other))[0]["rule"] == "rule:gas-leak"

    (listed,) = (await http.get("/api/v1/rulings", SUPERVISOR, in_force=True)).json()
    assert (listed["id"], listed["in_force"], listed["revoked"]) == (ruling.id, True, None)
    assert listed["unit"]["name"] == "渝西供水胜利路营业所" and listed["category"]["name"] == "燃气泄漏"
    done = await revoke(http, ruling.id, product.desk.district.secretary(COMMUNITY))
    assert done.status_code == 200, done.text
    assert done.json()["in_force"] is False and done.json()["revoked"]["reason"] == "情况已变化"
    after = await submitted(http)  # at once, in the process that did it
    assert (await decisions(http, after))[0]["rule"] == "rule:gas-leak"
    assert (await decisions(http, number))[0]["rule"] == f"ruling:{ruling.id}"  # what was decided stays decided
    await until(lambda: _gone(product, ruling))
    assert (await http.get("/api/v1/rulings", SUPERVISOR, in_force=True)).json() == []
    assert len((await http.get("/api/v1/rulings", SUPERVISOR)).json()) == 1


async def _gone(product: Product, ruling: Ruling) -> bool | None:
    return None if any(r.id == ruling.id for r in product.desk.rulings) else True


async def test_a_revocation_takes_effect_from_its_instant(http: Http, product: Product) -> None:
    ruling = a_ruling(community=None, meeting="shengli-road")
    await rulings.put(product.pool, [ruling])
    later = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    done = (await revoke(http, ruling.id, SUPERVISOR, effective_at=later.isoformat())).json()
    assert done["in_force"] is True and done["valid_until"] == later.isoformat().replace("+00:00", "Z")
    assert await known(http.app.state.desk, ruling, until_at=later)
    again = await revoke(http, ruling.id, SUPERVISOR, effective_at=later.isoformat())
    assert (again.status_code, again.json()["revoked"]) == (200, done["revoked"])
    other = await revoke(http, ruling.id, ADMIN)
    assert (other.status_code, code_of(other)) == (409, "ruling_over")
    await product.pool.execute("delete from ruling")
    await http.app.state.desk.look_at_rulings()


async def test_who_may_end_a_ruling_and_how(http: Http, product: Product) -> None:
    d = product.desk.district
    ruling, committees = a_ruling(), a_ruling(community=None, meeting=d.id)
    await rulings.put(product.pool, [ruling, committees])
    worker, theirs = d.grid(GRID).duty_worker, d.secretary("wenqulu")
    for id, by, body, status, code in (
        (ruling.id, RESIDENT, {}, 403, "not_permitted"), (ruling.id, worker, {}, 403, "not_permitted"),
        (ruling.id, theirs, {}, 403, "outside_scope"), (committees.id, d.secretary(COMMUNITY), {}, 403, "outside_scope"),
        (ruling.id, ADMIN, {"reason": " "}, 422, "validation_failed"),
        (ruling.id, ADMIN, {"effective_at": "2026-01-01T00:00:00Z"}, 422, "validation_failed"),
        ("no-such", ADMIN, {}, 404, "not_found"), ("no-such", RESIDENT, {}, 403, "not_permitted"),
    ):  # fmt: skip
        answer = await revoke(http, id, by, **body)
        assert (answer.status_code, code_of(answer)) == (status, code), (id, by, body)
    resident = await http.get("/api/v1/rulings", RESIDENT)
    assert (resident.status_code, code_of(resident)) == (403, "not_permitted")
    assert {r["id"] for r in (await http.get("/api/v1/rulings", worker, community="wenqulu")).json()} == {committees.id}
    first = await http.get("/api/v1/rulings", worker, limit="1")
    assert len(first.json()) == 1 and 'rel="next"' in first.headers["link"]
    assert (await revoke(http, ruling.id, ADMIN)).status_code == 200
    await product.pool.execute("delete from ruling")
    await http.app.state.desk.look_at_rulings()


# ---- other rules


async def candidate(http: Http) -> dict[str, Any]:
    """The rules in force, but gas leaks go to the water works."""
    rules: dict[str, Any] = (await http.get(RULES, ADMIN)).json()
    changed = copy.deepcopy(rules)
    changed["version"] = "trial"
    next(r for r in changed["rules"] if r["id"] == "gas-leak")["to"] = {"unit": "u-water"}
    return changed


async def counted(product: Product) -> list[int]:
    """Rows, once every workflow that is to be started has been."""
    await until(lambda: _started(product))
    tables = ("publication", "demand_event", "ruling", "outbox", "idempotency")
    return [await product.pool.fetchval(f"select count(*) from {t}") for t in tables]


async def test_other_rules_are_tried_published_and_count_without_a_restart(both: tuple[Product, Http]) -> None:
    product, http = both
    gone = await submitted(http)
    await product.started(gone)
    assert (await http.act(gone, RESIDENT, "withdraw")).status_code == 200
    moving = [await submitted(http) for _ in range(2)]
    staying = await submitted(http, BLOCKED_DRAIN)
    await submitted(http, CONSULT)  # the grid's: rules have no say in it
    rules, before = await candidate(http), await counted(product)

    tried = await http.post(DRY_RUN, rules, SUPERVISOR)
    assert tried.status_code == 200, tried.text
    figures = tried.json()
    assert (figures["routing"], figures["instead_of"], figures["warnings"]) == ("trial", "2026.1", [])
    assert (figures["demands"], figures["open_demands"], figures["not_routed"]) == (4, 3, 1)
    assert (figures["elsewhere"], figures["elsewhere_open"]) == (3, 2)
    by_rule = {x["rule"]: (x["before"], x["after"], x["elsewhere"]) for x in figures["by_rule"]}
    assert by_rule["rule:gas-leak"] == (3, 3, 3) and by_rule["rule:lift-rescue"] == (0, 0, 0)
    assert {x["unit"]["id"]: (x["change"], x["open_change"]) for x in figures["by_unit"]} == {
        "u-gas": (-3, -2), "u-water": (3, 2),
    }  # fmt: skip
    assert {x["number"] for x in figures["examples"]} == {gone, *moving}
    example = next(x for x in figures["examples"] if x["number"] == moving[0])
    assert (example["unit"]["id"], example["before"]["unit"]["id"]) == ("u-gas", "u-gas")
    assert example["after"] == {"unit": {"id": "u-water", "name": "渝西供水胜利路营业所"}, "rule": "rule:gas-leak"}
    assert await counted(product) == before

    dry = await http.post(f"{PUBLISH}?dry_run=true", rules, ADMIN)
    assert dry.status_code == 200 and {k: dry.json()[k] for k in figures} == figures
    done = await http.post(PUBLISH, rules, ADMIN)
    assert done.status_code == 201, done.text
    assert {k: done.json()[k] for k in figures} == figures and done.json()["kind"] == "routing"
    assert (await http.get(RULES, ADMIN)).json()["version"] == "trial"
    number = await submitted(http)
    (decided,) = await decisions(http, number)
    assert (decided["version"], decided["candidates"][0]["unit"]["id"]) == ("trial", "u-water")
    await until(lambda: _version(product, "trial"))
    assert (await product.state(moving[0])).unit == "u-gas"  # what is with a unit stays there
    assert (await decisions(http, moving[0]))[0]["version"] == "2026.1"
    assert (await decisions(http, staying))[0]["rule"] == "resource"
    again = await http.post(PUBLISH, rules, ADMIN)
    assert (again.status_code, code_of(again)) == (409, "already_published")
    (listed,) = (await http.get("/api/v1/publications", ADMIN)).json()
    assert (listed["kind"], listed["version"], listed["in_force"]) == ("routing", "trial", True)


async def _started(product: Product) -> bool | None:
    return None if await product.pool.fetchval("select count(*) from outbox where kind = 'start'") else True


async def _version(product: Product, version: str) -> bool | None:
    return True if product.desk.district.routing.version == version else None


async def test_a_broken_rule_blocks_and_a_shadowed_one_is_told(http: Http, product: Product) -> None:
    rules, before = await candidate(http), await counted(product)
    for change, key, word in (
        ({"to": {"unit": "u-wather"}}, "to.unit", "u-water"), ({"to": {"unit": "yupinglu-station"}}, "to", "no unit of"),
        ({"when": {"categories": ["99"]}}, "when.categories", "unknown"),
        ({"when": {"categories": ["0403"], "community": "atlantis"}}, "when.community", "unknown"),
    ):  # fmt: skip
        broken = copy.deepcopy(rules)
        broken["rules"][0] |= change
        for place, by in ((DRY_RUN, SUPERVISOR), (PUBLISH, ADMIN)):
            answer = await http.post(place, broken, by)
            assert (answer.status_code, code_of(answer)) == (422, "publication_invalid")
            (problem,) = answer.json()["facts"]["problems"]
            assert problem["key"] == f"rules[gas-leak].{key}" and word in str(problem)
    twice = {**rules, "rules": [*rules["rules"], rules["rules"][0]]}
    assert code_of(await http.post(DRY_RUN, twice, ADMIN)) == "publication_invalid"
    assert code_of(await http.post(DRY_RUN, {**rules, "default": {"stage": "nobody"}}, ADMIN)) == "validation_failed"

    late = {
        "id": "late",
        "when": {"categories": ["040301", "030301"], "community": COMMUNITY},
        "to": {"unit": "u-power"},
    }
    partly = {"id": "partly", "when": {"categories": ["0403"]}, "to": {"unit": "u-power"}}
    shadowed = {**rules, "rules": [*rules["rules"], late, partly]}
    warnings = (await http.post(DRY_RUN, shadowed, ADMIN)).json()["warnings"]
    told = {w["key"]: (w["unreachable"], w["shadowed_by"]) for w in warnings}
    assert told == {"rules[late]": (True, ["gas-leak", "lift-rescue"]), "rules[partly]": (False, ["gas-leak"])}
    assert await counted(product) == before


async def test_who_may_try_and_who_may_publish_rules(http: Http, product: Product) -> None:
    rules = await candidate(http)
    worker = product.desk.district.grid(GRID).duty_worker
    for place, by in ((DRY_RUN, RESIDENT), (DRY_RUN, worker), (PUBLISH, SUPERVISOR), (PUBLISH, worker)):
        answer = await http.post(place, rules, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), (place, by)
    resident = await http.get(RULES, RESIDENT)
    assert (resident.status_code, code_of(resident)) == (403, "not_permitted")
    old, new = await submitted(http), await submitted(http)
    await product.pool.execute("update demand set opened_at = now() - interval '9 days' where number = $1", old)
    for days, found in ((1, {new}), (30, {old, new})):
        tried = (await http.post(f"{DRY_RUN}?days={days}", rules, ADMIN)).json()
        assert {x["number"] for x in tried["examples"]} == found
    assert (await http.post(f"{DRY_RUN}?days=0", rules, ADMIN)).status_code == 422
