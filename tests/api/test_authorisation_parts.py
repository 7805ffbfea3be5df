"""What of an answer is for whom: routes that many roles may ask, and that do not tell all of them the same."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from api.needs import needs
from domain.actors import Actor, Grant
from domain.demand import Demand
from domain.lifecycle import may_see
from domain.needs import Need
from domain.vocabulary import Role
from service.reading import find, scoped
from store import queries
from store.queries import Filter
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import ADMIN, BLOCKED_DRAIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key

COMMUNITY, GRID = "xuanhualu", "xuanhualu-01"
INTERNAL = ("score", "candidates", "passed_over", "liaison", "load", "capacity", "dispatcher", "budgets")
"""Words of routing and of the promise's terms that nobody outside reads."""


async def routed(http: Http, product: Product, **more: Any) -> tuple[str, str]:
    """A demand above the grid, and the unit that it went to."""
    number = (await http.submit(category=BLOCKED_DRAIN, location={"grid": GRID}, **more))["number"]
    return str(number), str((await product.started(number)).unit)


async def log(http: Http, number: str, by: str) -> list[dict[str, Any]]:
    answer = await http.get(f"/api/v1/demands/{number}/events", by, limit=100)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()
    return entries


@pytest.mark.parametrize("by", [RESIDENT, INTEGRATOR])
async def test_outside_the_office_a_log_says_what_leaves_the_product(http: Http, product: Product, by: str) -> None:
    number, unit = await routed(http, product)
    whole, own = await log(http, number, SUPERVISOR), await log(http, number, by)
    assert [(e["seq"], e["type"], e["at"], e["hash"]) for e in own] == [
        (e["seq"], e["type"], e["at"], e["hash"]) for e in whole
    ], "nothing is left out, and the chain can be compared with the office's"
    said = json.dumps(own)
    assert not [word for word in INTERNAL if f'"{word}"' in said]
    assert [word for word in INTERNAL if f'"{word}"' in json.dumps(whole)], "else this says nothing"
    people = {person.id for person in product.desk.district.people}
    assert people & set(json.dumps(whole).replace('"', " ").split()) and not people & set(
        said.replace('"', " ").split()
    )
    handed = [e["data"] for e in own if e["type"] == "handed_off"]
    assert handed and all(set(data["routing"]) == {"unit"} for data in handed)
    assert [e["data"]["lead"] for e in own if e["type"] == "unit_assigned"][-1] == {"unit": unit}
    assert {e["actor"] for e in own} <= {by, "system", None}


async def test_where_a_confidential_demand_lies_is_its_reporters_and_the_offices(http: Http, product: Product) -> None:
    number, _ = await routed(http, product, confidential=True)
    places = {
        by: [e["data"] for e in await log(http, number, by) if e["type"] == "demand_located"]
        for by in (RESIDENT, INTEGRATOR, SUPERVISOR)
    }
    assert places[RESIDENT][0]["place"]["grid"] == places[SUPERVISOR][0]["place"]["grid"] == GRID
    assert places[INTEGRATOR] == [{}]


async def test_an_integrators_table_of_the_history_says_no_more_than_the_log(http: Http, product: Product) -> None:
    number, _ = await routed(http, product)

    async def rows(by: str) -> list[dict[str, str]]:
        text = (await http.get("/api/v1/exports/history.csv", by)).content.decode("utf-8-sig")
        return [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["number"] == number]

    office, outside = await rows(OPERATOR), await rows(INTEGRATOR)
    assert [row["hash"] for row in office] == [row["hash"] for row in outside]
    told = "".join(row["data"] for row in outside)
    assert "candidates" in "".join(row["data"] for row in office)
    assert not [word for word in INTERNAL if f'"{word}"' in told] and GRID not in told
    assert {row["actor"] for row in outside} <= {"system", ""}


async def test_how_busy_units_are_is_for_the_office(http: Http, product: Product) -> None:
    await routed(http, product)
    inside = (await http.get("/api/v1/lists/resources", SUPERVISOR)).json()
    assert any(one["in_use"] for one in inside)
    for by in (RESIDENT, INTEGRATOR):
        shown = (await http.get("/api/v1/lists/resources", by)).json()
        assert [one["id"] for one in shown] == [one["id"] for one in inside]
        assert {one[name] for one in shown for name in ("in_use", "free", "unit_tasks")} == {None}


async def test_a_resident_sees_that_a_meeting_sits_and_no_demand_of_others(http: Http, product: Product) -> None:
    number, unit = await routed(http, product)
    await product.sit(COMMUNITY)
    await http.act(
        number, product.liaison_of(unit).id, "escalate", reason="several_units"
    )  # late, and let in by the chair
    await product.take_up(COMMUNITY, number)
    whistle = {"kind": "whistle", "about": "emergency", "units": [unit], "numbers": [number],
               "deadline_at": "2030-01-01T00:00:00Z"}  # fmt: skip
    secretary = product.desk.district.secretary(COMMUNITY)
    called = await http.post(f"/api/v1/meetings/{COMMUNITY}/sessions", whistle, secretary)
    assert called.status_code == 201, called.text
    for path in ("/api/v1/meetings", f"/api/v1/meetings/{COMMUNITY}"):
        inside, outside = await http.get(path, SUPERVISOR), await http.get(path, "resident-0002")
        assert number in inside.text and called.json()["id"] in inside.text
        assert number not in outside.text and called.json()["id"] not in outside.text
        assert outside.status_code == 200 and COMMUNITY in outside.text


async def test_a_key_opens_nothing_personal_even_if_its_owner_may(http: Http, product: Product) -> None:
    """An administrator can make a key for an operator; it does not read what the operator reads."""
    number = (await http.submit(reporter={"name": "王小明", "phone": "13812345678"}))["number"]
    form = {"name": "x", "scopes": ["demands:read", "demands:write"], "owner": OPERATOR}
    secret = (await http.post("/api/v1/api-keys", form, ADMIN)).json()["secret"]
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": new_key()}
    masked = await http.client.get(f"/api/v1/demands/{number}/reporter", headers=headers)
    assert masked.status_code == 200 and "13812345678" not in masked.text
    for method, path in (
        ("GET", f"/api/v1/demands/{number}/reporter?reveal=true&reason=handling"),
        ("GET", "/api/v1/exports/demands.csv?personal=true&reason=handling"),
        ("POST", "/api/v1/demands/search"),
        ("PATCH", f"/api/v1/demands/{number}/reporter"),
        ("POST", f"/api/v1/demands/{number}/personal-data/export"),
        ("POST", f"/api/v1/demands/{number}/personal-data/deletion"),
    ):
        answer = await http.client.request(method, path, headers=headers, json=None if method == "GET" else {})
        assert (answer.status_code, code_of(answer)) == (403, "scope_required"), path
    own = await http.get(f"/api/v1/demands/{number}/reporter", OPERATOR, reveal="true", reason="handling")
    assert own.json()["phone"] == "13812345678"


async def test_an_auditor_reads_no_door_and_nothing_of_a_confidential_reporter(http: Http, product: Product) -> None:
    (auditor,) = product.desk.district.people_with(Role.AUDITOR)
    place = {"compound": product.desk.district.compounds[0].id, "building": "3栋", "room": "502"}
    for confidential in (False, True):
        said = await http.submit(
            reporter={"name": "王小明", "phone": "13812345678"}, location=place, confidential=confidential
        )
        view = (await http.get(f"/api/v1/demands/{said['number']}/reporter", auditor.id)).json()
        assert (view["address"]["building"], view["address"]["room"]) == (None, None)
        assert view["phone"] == (None if confidential else "138****5678")


async def test_who_lost_a_role_is_refused_at_once(http: Http, product: Product) -> None:
    """The token is the same; what it may is what the district says in this moment."""
    path, grants = "/api/v1/people/p-7001", [{"role": "supervisor"}, {"role": "auditor"}]
    headers = bearer(ADMIN)

    async def stands(*roles: Any, **seen: str) -> None:
        body = {"name": "人", "grants": list(roles), "titles": []}
        answer = await http.client.put(path, json=body, headers=headers | {"Idempotency-Key": new_key(), **seen})
        assert answer.status_code in (200, 201), answer.text

    await stands(*grants)
    assert (await http.get("/api/v1/rates/months/2026-01", "p-7001")).status_code == 404
    assert (await http.post("/api/v1/rates/months/2026-01", {}, "p-7001")).status_code == 201
    await stands(grants[1], **{"If-Match": "*"})
    assert code_of(await http.post("/api/v1/rates/months/2026-01", {}, "p-7001")) == "not_permitted"
    assert (await http.get("/api/v1/rates/months/2026-01", "p-7001")).status_code == 200


SCOPES: list[Grant] = [
    Grant(role=role, **scope)
    for role in Role
    if role is not Role.SYSTEM
    for scope in ({}, {"community": COMMUNITY}, {"community": COMMUNITY, "grid": GRID}, {"unit": "u-sanitation"},
                  {"unit": "u-sanitation", "community": COMMUNITY}, {"unit": "u-gas"})
]  # fmt: skip


async def test_no_list_is_wider_than_what_one_may_see(http: Http, product: Product) -> None:
    """For every role with every scope that a grant can have, also with those that no role needs."""
    await routed(http, product)
    for grid in ("wenqulu-01", "xuanhualu-02"):
        await http.submit("resident-0002", category=BLOCKED_DRAIN, location={"grid": grid})
    rows = await product.pool.fetch("select state from demand")
    every = [Demand.model_validate_json(row["state"]) for row in rows]
    for grant in SCOPES:
        actor = Actor(id="p-7999", grants=(grant,))
        listed = await queries.demands(
            product.desk.engine, scoped(actor, Filter()), order="opened", after=None, limit=500
        )
        seen = {demand.number for demand in every if may_see(demand, actor)}
        assert {row.number for row in listed} <= seen, grant


async def test_what_an_actor_without_any_grant_sees_is_nothing(http: Http, product: Product) -> None:
    number, _ = await routed(http, product)
    nobody = Actor(id="p-7998")
    with pytest.raises(Exception, match="not in your scope"):
        await find(product.desk, nobody, number)
    assert scoped(nobody, Filter()).communities == ()


async def test_a_route_that_declares_nothing_is_open_to_nobody(http: Http) -> None:
    from fastapi import APIRouter

    from api.strict_json import StrictRoute

    router = APIRouter(route_class=StrictRoute)

    @router.get("/z-forgotten")
    async def forgotten() -> dict[str, str]:
        return {"secret": "told"}

    @router.get("/z-said")
    @needs(Need.SEE_DISTRICT)
    async def said() -> dict[str, str]:
        return {"secret": "told"}

    http.app.include_router(router)
    for by in (ADMIN, SUPERVISOR):
        answer = await http.get("/z-forgotten", by)
        assert (answer.status_code, code_of(answer)) == (403, "forbidden") and "told" not in answer.text
    assert (await http.get("/z-said", RESIDENT)).json() == {"secret": "told"}
    assert code_of(await http.client.get("/z-said")) == "unauthenticated"
    await asyncio.sleep(0)
