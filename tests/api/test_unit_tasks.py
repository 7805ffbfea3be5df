"""Lead and co-units over HTTP: who is asked, who may say what, and what the lead must wait for."""

from __future__ import annotations

from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import SUPERVISOR, Product

LAMP = "030101"  # for a unit, and shown to be mended without a photograph


async def led(http: Http, product: Product) -> tuple[str, str, str]:
    """A demand with a unit: its number, the lead unit and its liaison."""
    number = (await http.submit(category=LAMP, location={"grid": "xuanhualu-01"}))["number"]
    demand = await product.row(number)
    assert demand.lead is not None
    return number, demand.lead.unit, demand.lead.liaison


def others(product: Product, lead: str) -> list[tuple[str, str]]:
    units = product.desk.district.units_of("xuanhualu", "member_unit")
    return [(u.id, u.liaison) for u in units if u.id != lead][:3]


async def test_the_lead_waits_for_a_required_part(http: Http, product: Product) -> None:
    number, lead, liaison = await led(http, product)
    (first, first_liaison), (second, second_liaison), _ = others(product, lead)
    parts = [{"unit": first}, {"unit": second, "required": False}]
    answer = await http.act(number, liaison, "add_co_units", co_units=parts)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert [(t["unit"]["id"], t["required"], t["state"]) for t in view["co_tasks"]] == [
        (first, True, "offered"), (second, False, "offered"),
    ]  # fmt: skip
    assert {f"co_window:{first}", f"co_due:{first}"} <= set(view["clocks"])
    refused = await http.act(number, liaison, "resolve", reply="好了")
    assert code_of(refused) == "co_task_open" and refused.json()["facts"]["units"] == [first]
    mine = (await http.get("/api/v1/demands", first_liaison)).json()
    assert number in [d["number"] for d in mine], "a co-unit sees what it helps with"
    assert (await http.act(number, first_liaison, "co_accept")).status_code == 200
    assert code_of(await http.act(number, first_liaison, "co_refuse", basis="no_power")) == "refusal_window_over"
    assert (await http.act(number, first_liaison, "co_done", note="已配合")).status_code == 200
    assert code_of(await http.act(number, second_liaison, "co_done", unit=first)) == "outside_scope"
    answer = await http.act(number, liaison, "resolve", reply="好了")
    assert answer.status_code == 200, answer.text
    assert [t["state"] for t in answer.json()["co_tasks"]] == ["done", "released"]


async def test_a_swapped_lead_leaves_the_helpers_and_the_residents_clocks_alone(http: Http, product: Product) -> None:
    number, lead, liaison = await led(http, product)
    (first, _), (second, _), (third, _) = others(product, lead)
    await http.act(number, liaison, "add_co_units", co_units=[{"unit": first}, {"unit": second}])
    before = await product.row(number)
    assert code_of(await http.act(number, SUPERVISOR, "swap_lead", unit=lead)) == "stage_forbids"
    assert code_of(await http.act(number, RESIDENT, "swap_lead", unit=third)) == "not_permitted"
    answer = await http.act(number, SUPERVISOR, "swap_lead", unit=first)
    assert answer.status_code == 200, answer.text
    after = await product.row(number)
    assert after.unit == first
    assert [(t.unit, t.state) for t in after.co_tasks] == [(first, "released"), (second, "offered")]
    for clock in ("resolve", "contact"):
        assert after.clocks[clock] == before.clocks[clock]


async def test_unknown_units_and_double_asking(http: Http, product: Product) -> None:
    number, lead, liaison = await led(http, product)
    first, _ = others(product, lead)[0]
    assert code_of(await http.act(number, liaison, "add_co_units", co_units=[{"unit": "u-nobody"}])) == "unknown_unit"
    assert code_of(await http.act(number, liaison, "add_co_units", co_units=[{"unit": lead}])) == "stage_forbids"
    assert (await http.act(number, liaison, "add_co_units", co_units=[{"unit": first}])).status_code == 200
    assert code_of(await http.act(number, liaison, "add_co_units", co_units=[{"unit": first}])) == "stage_forbids"
    assert (await http.act(number, SUPERVISOR, "co_release", unit=first)).status_code == 200
    assert (await http.act(number, liaison, "add_co_units", co_units=[{"unit": first}])).status_code == 200
