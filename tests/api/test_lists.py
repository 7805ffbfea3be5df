"""The living lists over HTTP: what units offer and what of it is in use, what is needed, and who could meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from domain.vocabulary import ClockName
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import BLOCKED_DRAIN, PARKING, ROOF_LEAK, SUPERVISOR, WASTE, Product, until

RESOURCES, DEMANDS = "/api/v1/lists/resources", "/api/v1/lists/demands"
AUDITOR, OPERATOR = "p-0007", "p-0004"


@pytest_asyncio.fixture(autouse=True)
async def clean(product: Product) -> AsyncIterator[None]:
    """Every test counts its own demands only; the workflows of those before go on without rows."""
    yield
    await product.pool.execute("delete from demand; delete from clock; delete from outbox")


def liaison(product: Product, unit: str) -> str:
    return product.desk.district.unit(unit).liaison


async def listed(http: Http, path: str, by: str = SUPERVISOR, **params: Any) -> list[dict[str, Any]]:
    answer = await http.get(path, by, **params)
    assert answer.status_code == 200, answer.text
    views: list[dict[str, Any]] = answer.json()
    return views


async def test_every_resource_stands_with_what_is_in_use_of_it(http: Http, product: Product) -> None:
    everything = await listed(http, RESOURCES)
    assert len(everything) == sum(len(u.resources) for u in product.desk.district.units)
    before = {r["id"]: r for r in await listed(http, RESOURCES, unit="u-sanitation")}
    assert all((r["in_use"], r["free"]) == (0, r["capacity"]) for r in before.values())
    number = await product.submit(grid="xuanhualu-01", category=BLOCKED_DRAIN)
    await product.started(number)
    lead = (await product.row(number)).unit
    assert lead == "u-sanitation"
    after = {r["id"]: r for r in await listed(http, RESOURCES, unit="u-sanitation")}
    drains = after["u-sanitation-r2"]
    assert (drains["in_use"], drains["free"]) == (1, drains["capacity"] - 1)
    assert (after["u-sanitation-r1"]["in_use"], drains["unit_tasks"], drains["unit_tasks_without_resource"]) == (
        0,
        1,
        0,
    )
    assert drains["unit"]["name"] == "洁邻环卫公司" and drains["liaison"]["id"] == liaison(product, "u-sanitation")
    await product.act(number, product.liaison_of("u-sanitation"), "resolve", reply="已疏通")
    given_back = await listed(http, RESOURCES, unit="u-sanitation")
    assert [r["in_use"] for r in given_back] == [0, 0], "what is done takes no place any more"


async def test_a_task_that_no_resource_covers_is_counted_apart(http: Http, product: Product) -> None:
    number = await product.submit(grid="xuanhualu-02", category=PARKING)
    await product.started(number)
    await product.act(number, product.worker_of("xuanhualu-02"), "hand_off", unit="u-010")
    views = await listed(http, RESOURCES, unit="u-010")
    assert {(r["in_use"], r["unit_tasks"], r["unit_tasks_without_resource"]) for r in views} == {(0, 1, 1)}


async def test_resources_are_found_by_place_category_and_day(http: Http, product: Product) -> None:
    here = await listed(http, RESOURCES, community="yonggangcun")
    assert here and all("yonggangcun" in r["communities"] for r in here)
    drains = await listed(http, RESOURCES, category="040102")
    assert {r["id"] for r in drains} == {"u-sanitation-r2"}
    assert {r["id"] for r in drains} < {r["id"] for r in await listed(http, RESOURCES, category="04")}
    assert await listed(http, RESOURCES, on="2025-12-31") == []
    assert len(await listed(http, RESOURCES, on="2026-01-01")) == len(await listed(http, RESOURCES))
    for params, code in (
        ({"community": "nowhere"}, "unknown_community"),
        ({"unit": "no-such"}, "unknown_unit"),
        ({"category": "4"}, "validation_failed"),
        ({"on": "1700000000"}, "validation_failed"),
    ):
        answer = await http.get(RESOURCES, SUPERVISOR, **params)
        assert (answer.status_code, code_of(answer)) == (422, code), params


async def test_needs_are_grouped_and_the_hottest_comes_first(http: Http, product: Product) -> None:
    waste = [await product.submit(grid="xuanhualu-01", category=WASTE) for _ in range(3)]
    leak = await product.submit(grid="yupinglu-01", category=ROOF_LEAK)
    await product.started(waste[0])
    groups = {g["category"]["code"]: g for g in await listed(http, DEMANDS)}
    assert groups.keys() == {WASTE, ROOF_LEAK}
    assert (groups[WASTE]["open"], groups[WASTE]["heat"], groups[WASTE]["most_overdue"]) == (3, 3, None)
    assert groups[WASTE]["oldest"]["number"] == min(waste)
    assert groups[WASTE]["category"]["path"] == ["环境卫生", "垃圾清运", "垃圾未清运"]
    late = "update clock set due_at = now() - interval '3 days 1 hour' where name = 'resolve' and number = $1"
    await product.pool.execute(late, leak)
    first, second = await listed(http, DEMANDS)
    assert (first["category"]["code"], first["heat"], second["heat"]) == (ROOF_LEAK, 4, 3)
    assert (first["most_overdue"]["number"], first["most_overdue"]["days"]) == (leak, 3)
    assert [g["open"] for g in await listed(http, DEMANDS, community="yupinglu")] == [1]
    assert [g["category"]["code"] for g in await listed(http, DEMANDS, category="01")] == [WASTE]
    assert await listed(http, DEMANDS, grid="xuanhualu-09") == []
    items = await http.get(f"{DEMANDS}/items", SUPERVISOR, category="01", limit=2)
    assert len(items.json()) == 2 and 'rel="next"' in items.headers["link"]
    rest = await http.get(items.headers["link"].partition(">")[0][1:], SUPERVISOR)
    assert {d["number"] for d in (*items.json(), *rest.json())} == set(waste)


async def test_breached_clocks_make_a_need_hotter(http: Http, product: Product) -> None:
    number = await product.submit(grid="xuanhualu-03", category=WASTE)
    await product.started(number)
    await product.pass_until(number, (await product.row(number)).clocks[ClockName.ACCEPT].due_at)
    demand = await product.until_row(number, lambda d: d.breached)
    broken = sum(c.breached for c in demand.clocks.values())
    (group,) = await listed(http, DEMANDS)
    assert broken and (group["breached"], group["heat"]) == (1, 1 + broken)


async def test_everybody_sees_the_needs_of_the_own_scope_only(http: Http, product: Product) -> None:
    here, there = await product.submit(grid="xuanhualu-01"), await product.submit(grid="wenqulu-01")
    await product.submit(grid="wenqulu-02", category=BLOCKED_DRAIN)
    d = product.desk.district
    for by, seen in (
        (SUPERVISOR, 3), (AUDITOR, 3), (OPERATOR, 3), (d.secretary("xuanhualu"), 1), (d.secretary("wenqulu"), 2),
        (d.grid("wenqulu-01").duty_worker, 2), (liaison(product, "u-sanitation"), 1), (liaison(product, "u-003"), 0),
        ("resident-0001", 3), ("resident-0002", 0),
    ):  # fmt: skip
        counts = [g["open"] for g in await listed(http, DEMANDS, by)]
        items = await listed(http, f"{DEMANDS}/items", by)
        assert (sum(counts), len(items)) == (seen, seen), by
    assert {here, there} <= {d["number"] for d in await listed(http, f"{DEMANDS}/items")}


async def test_the_resources_that_meet_a_demand_come_with_reasons(http: Http, product: Product) -> None:
    number = await product.submit(grid="xuanhualu-01", category=BLOCKED_DRAIN)
    await product.started(number)
    path = f"/api/v1/demands/{number}/resources"
    view = (await http.get(path, SUPERVISOR)).json()
    first = view["matches"][0]
    assert (first["unit"]["id"], first["fits"], first["load"]) == ("u-sanitation", False, 0)
    assert "leads_it" in first["reasons"], "it has it already, so it is no candidate; its own task is not counted"
    assert [r["id"] for r in first["resources"]] == ["u-sanitation-r2"]
    await product.act(number, product.liaison_of("u-sanitation"), "refuse", basis="no_resources", note="满")
    again = (await http.get(path, SUPERVISOR)).json()
    assert "had_it_before" in next(m for m in again["matches"] if m["unit"]["id"] == "u-sanitation")["reasons"]
    service = await http.submit(text="理发", category=None, service="housekeeping", location={"grid": "xuanhualu-02"})
    offered = (await http.get(f"/api/v1/demands/{service['number']}/resources", SUPERVISOR)).json()["matches"]
    assert next(m["reasons"] for m in offered if m["unit"]["id"] == "xuanhualu-company")[:2] == ["leads_it", "menu"]
    fitting = [m for m in offered if m["fits"]]
    assert all(m["free"] > 0 for m in fitting) and [m["fits"] for m in offered] == sorted(
        (m["fits"] for m in offered), reverse=True
    )
    for by in (RESIDENT, "resident-0002"):
        refused = await http.get(path, by)
        assert (refused.status_code, code_of(refused)) == (403, "not_permitted"), by
    hidden = await http.get(path, product.desk.district.secretary("wenqulu"))
    assert (hidden.status_code, code_of(hidden)) == (404, "not_found")


async def test_a_demand_without_a_place_meets_nobody_yet(http: Http, product: Product) -> None:
    number = await product.submit(grid=None)
    answer = await http.get(f"/api/v1/demands/{number}/resources", SUPERVISOR)
    assert (answer.status_code, code_of(answer)) == (409, "stage_forbids")


async def test_a_unit_sees_what_it_could_take_soonest_due_first(http: Http, product: Product) -> None:
    """Of its resources' categories, in its communities, not bound to anybody, and never had by it."""
    law, path = liaison(product, "u-009"), "/api/v1/units/u-009/matches"
    ids = [await product.submit(grid=f"xuanhualu-0{n}", category="110101") for n in (1, 2, 3)]
    await product.submit(grid="wenqulu-01", category="110101")
    await product.submit(grid="xuanhualu-04", category=PARKING)
    found = await listed(http, path, law)
    assert [d["number"] for d in found] == sorted(ids) and found[0]["stage"] == "grid"
    assert found[0].keys() == {"number", "stage", "category", "community", "grid", "opened_at", "due_at", "breached"}
    page = await http.get(path, law, limit=1)
    seen = [d["number"] for d in page.json()]
    while "link" in page.headers:
        page = await http.get(page.headers["link"].partition(">")[0][1:], law)
        seen += [d["number"] for d in page.json()]
    assert seen == sorted(ids)
    await product.started(ids[0])
    await product.act(ids[0], product.worker_of("xuanhualu-01"), "hand_off", unit="u-009")
    assert [d["number"] for d in await listed(http, path, law)] == sorted(ids[1:])
    await product.act(ids[0], product.liaison_of("u-009"), "refuse", basis="not_our_duty", note="不归我们")
    assert ids[0] not in [d["number"] for d in await listed(http, path, law)], "it had it before"
    await product.pool.execute("update demand set due_at = due_at - interval '1 day' where number = $1", ids[2])
    assert [d["number"] for d in await listed(http, path, law)] == [ids[2], ids[1]]


async def test_what_a_unit_could_take_is_for_those_who_answer_for_it(http: Http, product: Product) -> None:
    d, path = product.desk.district, "/api/v1/units/u-police/matches"
    for community in ("xuanhualu", "wenqulu"):
        await product.submit(grid=f"{community}-01", category="110201")
    for by, seen in (
        (liaison(product, "u-police"), {"xuanhualu", "wenqulu"}), (SUPERVISOR, {"xuanhualu", "wenqulu"}),
        (d.secretary("wenqulu"), {"wenqulu"}), (d.secretary("yonggangcun"), set()),
    ):  # fmt: skip
        assert {v["community"] for v in await listed(http, path, by)} == seen, by
    for by in (RESIDENT, AUDITOR, OPERATOR, liaison(product, "u-009"), d.grid("wenqulu-01").duty_worker):
        answer = await http.get(path, by)
        assert (answer.status_code, code_of(answer)) == (403, "outside_scope"), by
    missing = await http.get("/api/v1/units/no-such/matches", SUPERVISOR)
    assert (missing.status_code, code_of(missing)) == (422, "unknown_unit")


async def test_the_use_of_a_resource_follows_within_a_moment_of_time(http: Http, product: Product) -> None:
    """Counted from the rows, not from a figure that somebody keeps: silence binds the unit, and nothing changes."""
    number = await product.submit(grid="xuanhualu-05", category=BLOCKED_DRAIN)
    await product.started(number)
    await product.pass_time(number, timedelta(days=4))

    async def bound() -> bool | None:
        return (await product.row(number)).lead_bound or None

    await until(bound)
    assert [r["in_use"] for r in await listed(http, RESOURCES, unit="u-sanitation")] == [0, 1]
    assert number not in [d["number"] for d in await listed(http, "/api/v1/units/u-roads/matches")]
