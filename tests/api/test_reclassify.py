"""Filed under another category: the promise of its class counts from the start, and what is above the grid leaves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.vocabulary import ClockName
from domain.worktime import due
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import OPERATOR, Product

ORDINARY = "120101"


def at(view: dict[str, object], clock: str) -> datetime:
    return datetime.fromisoformat(view["clocks"][clock]["due_at"])  # type: ignore[index]


async def test_the_new_class_counts_from_the_start(http: Http, product: Product) -> None:
    d = product.desk.district
    number = (await http.submit(category=ORDINARY, location={"grid": "xuanhualu-01"}))["number"]
    before = await product.row(number)
    other = next(c for c in d.categories if c.sla_class != before.terms.sla_class)
    answer = await http.act(number, OPERATOR, "reclassify", category=other.code)
    assert answer.status_code == 200, answer.text
    after = await product.row(number)
    assert (after.category, after.terms.sla_class) == (other.code, other.sla_class)
    assert after.terms.calendar == before.terms.calendar
    assert before.opened_at is not None
    targets = d.sla.targets(other.sla_class)
    for name, budget in ((ClockName.CONTACT, targets.contact), (ClockName.RESOLVE, targets.resolve)):
        assert after.clocks[name].due_at == due(product.desk.calendar, before.opened_at, budget)
        assert after.clocks[name].started_at == before.clocks[name].started_at


async def test_what_is_above_the_grid_goes_to_a_unit(http: Http, product: Product) -> None:
    above = next(c for c in product.desk.district.categories if c.handling_level == "unit")
    number = (await http.submit(category=ORDINARY, location={"grid": "xuanhualu-01"}))["number"]
    worker = product.desk.district.grid("xuanhualu-01").duty_worker
    assert (await http.act(number, worker, "request_info", reason="weather")).status_code == 200
    answer = await http.act(number, OPERATOR, "reclassify", category=above.code)
    assert answer.status_code == 200, answer.text
    demand = await product.row(number)
    assert demand.stage in ("unit", "meeting") and demand.info_reason is None
    assert all(clock.paused_at is None for clock in demand.clocks.values())


async def test_who_may_not_and_what_is_not_there(http: Http, product: Product) -> None:
    other = next(c.code for c in product.desk.district.categories if c.code != ORDINARY)
    number = (await http.submit(category=ORDINARY))["number"]
    assert code_of(await http.act(number, RESIDENT, "reclassify", category=other)) == "not_permitted"
    assert code_of(await http.act(number, OPERATOR, "reclassify", category="999999")) == "unknown_category"
    assert code_of(await http.act(number, OPERATOR, "reclassify", category=ORDINARY)) == "stage_forbids"


async def test_a_pause_has_an_end_that_everybody_sees(http: Http, product: Product) -> None:
    number = (await http.submit(category=ORDINARY, location={"grid": "xuanhualu-02"}))["number"]
    worker = product.desk.district.grid("xuanhualu-02").duty_worker
    view = (await http.act(number, worker, "request_info", reason="awaiting_access")).json()
    assert view["clocks"]["resolve"]["due_at"] is None
    assert at(view, "pause") - datetime.fromisoformat(view["opened_at"]) > timedelta(days=10)
    view = (await http.act(number, worker, "resume")).json()
    assert view["clocks"]["pause"]["stopped_at"] is not None
    assert view["clocks"]["resolve"]["due_at"] is not None
