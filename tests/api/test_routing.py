"""Why a demand went where it went, over HTTP and with a real worker; and how exactly units' capacity is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.testing import WorkflowEnvironment

from domain.capacity import Account
from domain.dispatch import capacity_of
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import BLOCKED_DRAIN, CONSULT, INTEGRATOR, SUPERVISOR, Product, new_key, running_product

GAS_LEAK, COMMUNITY, GRID = "040301", "xuanhualu", "xuanhualu-01"


def path(number: str) -> str:
    return f"/api/v1/demands/{number}/routing"


async def decisions(http: Http, number: str, by: str = SUPERVISOR) -> list[dict[str, Any]]:
    answer = await http.get(path(number), by)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["decisions"]
    return found


async def submitted(http: Http, category: str = GAS_LEAK, **more: Any) -> str:
    return str((await http.submit(category=category, location={"grid": GRID}, **more))["number"])


# ---- the recorded decision


async def test_a_decision_tells_what_it_looked_at_and_what_came_of_it(http: Http, product: Product) -> None:
    number = await submitted(http)
    await product.started(number)
    liaison = product.desk.district.unit("u-gas").liaison
    (decided,) = await decisions(http, number, liaison)
    d = product.desk.district
    steward = d.steward_of(GRID, product.desk.now().date())
    assert steward is not None
    assert (decided["occasion"], decided["version"], decided["rule"]) == (
        "submitted",
        d.routing.version,
        "rule:gas-leak",
    )
    assert decided["on"] == (product.desk.now() + timedelta(hours=8)).date().isoformat()
    assert decided["inputs"] == {
        "category": GAS_LEAK, "community": COMMUNITY, "grid": GRID, "compound": None, "property_grade": None,
        "has_property_unit": None, "steward": {"id": steward.id, "name": steward.name},
    }  # fmt: skip
    assert decided["by"] is None and RESIDENT not in str(decided)  # who the reporter is, is not for the units
    first = decided["candidates"][0]
    assert (first["unit"]["id"], first["reason"], first["capacity"]) == ("u-gas", "rule:gas-leak", 10)
    assert first["liaison"]["id"] == liaison and first["load"] >= 0
    assert [x["why"] for x in decided["passed_over"] if x["unit"]["id"] == steward.id] == ["no_resource"]
    zh, en = decided["explanation_zh"], decided["explanation_en"]
    assert "萱花路社区·燃气泄漏" in zh and f"{d.routing.version} 版派单规则 gas-leak 命中" in zh
    assert f"包联单位{steward.name}：资源不覆盖该类诉求" in zh and "没有适用的联席会议常设决定" in zh
    assert "rule gas-leak of routing rules" in en and "u-gas" not in en

    await http.act(number, liaison, "refuse", basis="not_our_duty")
    (decided,) = await decisions(http, number)
    assert [(x["what"], x["detail"]) for x in decided["then"]] == [
        ("offered", None), ("refused", "not_our_duty"), ("to_meeting", "nobody_left"),
    ]  # fmt: skip
    assert decided["then"][1]["text_zh"] == "渝西燃气胜利路服务站退单（不属本单位职责）"
    assert decided["then"][1]["by"]["id"] == liaison


async def test_it_reads_as_a_text_in_either_language(http: Http, product: Product) -> None:
    number = await submitted(http)
    chinese = await http.get(path(number), SUPERVISOR, format="text")
    assert chinese.headers["content-type"] == "text/plain; charset=utf-8"
    assert chinese.headers["content-language"] == "zh-CN"
    assert (
        chinese.text.startswith(f"诉求 {number} 派单说明\n第 1 次派单 ") and "派给渝西燃气胜利路服务站" in chinese.text
    )
    asked = {"Authorization": "", "Accept": "text/plain", "Accept-Language": "en"}
    english = await http.client.get(path(number), headers=asked | bearer(SUPERVISOR))
    assert english.text.startswith(f"Routing of demand {number}\nDecision 1, ")
    assert english.headers["content-language"] == "en"


async def test_a_demand_that_no_unit_was_asked_for_says_so(http: Http) -> None:
    number = await submitted(http, CONSULT)
    assert await decisions(http, number) == []
    assert "没有派给过单位。" in (await http.get(path(number), SUPERVISOR, format="text")).text


async def test_residents_are_refused_and_strangers_learn_nothing(http: Http) -> None:
    number = await submitted(http)
    for by in (RESIDENT, "resident-0002", INTEGRATOR):
        for wanted in (number, "20260101-999999"):
            refused = await http.get(path(wanted), by)
            assert (refused.status_code, code_of(refused)) == (403, "not_permitted")
    nowhere = await http.get(path("20260101-999999"), SUPERVISOR)
    assert (nowhere.status_code, code_of(nowhere)) == (404, "not_found")


async def test_every_decision_stands_in_its_order(http: Http, product: Product) -> None:
    """The grid's worker names a unit, that refuses, the next one too; the meeting names one; it is done again."""
    grid = product.desk.district.grid(GRID)
    number = await submitted(http, CONSULT)
    await http.act(number, grid.duty_worker, "hand_off", unit="u-power")
    await http.act(number, product.desk.district.unit("u-power").liaison, "refuse", basis="no_power")
    first, *rest = await decisions(http, number)
    assert rest == [] and (first["occasion"], first["rule"]) == ("handed_off", "chosen")
    assert (first["candidates"][0]["unit"]["id"], first["candidates"][0]["reason"]) == ("u-power", "chosen")
    assert first["candidates"][0]["load"] is not None and first["by"]["id"] == grid.duty_worker
    assert "派单人指定，派给胜利路供电服务站" in first["explanation_zh"]
    assert [x["what"] for x in first["then"]][:2] == ["offered", "refused"]


async def test_reclassifying_makes_a_decision_of_its_own(http: Http, product: Product) -> None:
    number = await submitted(http, CONSULT)
    await product.started(number)
    secretary = product.desk.district.secretary(COMMUNITY)
    answer = await http.act(number, secretary, "reclassify", category=GAS_LEAK)
    assert answer.status_code == 200, answer.text
    (decided,) = await decisions(http, number)
    assert (decided["occasion"], decided["rule"]) == ("reclassified", "rule:gas-leak")


# ---- capacity


async def test_a_burst_fills_a_unit_to_its_capacity_and_not_beyond(
    temporal: WorkflowEnvironment, new_database: Callable[..., str]
) -> None:
    """Also between two counts of the tables: here nobody counts at all."""
    async with running_product(temporal, new_database(), serve=False) as product, http_for(product.settings) as http:
        desk = http.app.state.desk
        for task in desk._tasks:
            task.cancel()
        unit = desk.district.unit("u-sanitation")
        capacity = capacity_of(unit, BLOCKED_DRAIN, product.desk.now().date())
        assert capacity is not None
        numbers = await asyncio.gather(*(submitted(http, BLOCKED_DRAIN) for _ in range(capacity + 2)))
        found = [(await decisions(http, number))[0] for number in numbers]
        asked = [x["candidates"][0] for x in found if x["candidates"]]
        assert {x["unit"]["id"] for x in asked} == {unit.id}
        assert sorted(x["load"] for x in asked) == list(range(capacity))
        late = [x for x in found if not x["candidates"]]
        assert len(late) == 2
        for decided in late:
            full = next(x for x in decided["passed_over"] if x["unit"]["id"] == unit.id)
            assert (full["why"], full["load"], full["capacity"]) == ("no_capacity", capacity, capacity)
            assert f"{unit.name}：已满负荷，在办 {capacity} 件（该类容量 {capacity} 件）" in decided["explanation_zh"]
            assert [(x["what"], x["detail"]) for x in decided["then"]] == [("to_meeting", "nobody_responsible")]


async def test_a_submission_that_is_not_taken_in_takes_no_capacity(http: Http) -> None:
    account, body = http.app.state.desk.loads.units, {"text": "漏气", "category": GAS_LEAK, "location": {"grid": GRID}}
    key, before = new_key(), account.load("u-gas")
    for _ in range(3):
        await http.post("/api/v1/demands", body, key=key)
    if http.app.state.desk.loads.units is account:  # nobody counted anew meanwhile
        assert account.load("u-gas") == before + 1


async def test_a_hand_off_counts_what_is_there_now(http: Http, product: Product) -> None:
    """Whatever this process believes, and without the demand itself."""
    worker = product.desk.district.grid(GRID).duty_worker
    asked = [await submitted(http) for _ in range(3)]
    number = await submitted(http, CONSULT)
    http.app.state.desk.loads.units = Account({"u-gas": 999})
    await http.act(number, worker, "hand_off", unit="u-gas")
    (decided,) = await decisions(http, number)
    led = await product.pool.fetchval("select count(*) from demand where stage = 'unit' and unit = 'u-gas'")
    assert decided["candidates"][0]["load"] == led - 1 >= len(asked)
