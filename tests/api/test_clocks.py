"""A demand's clocks over HTTP: how each stands, what is ahead, and why it is due when it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.worktime import Calendar, elapsed
from store import calendars
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import BLOCKED_DRAIN, SUPERVISOR, Product, until

SHIFTING = {"budget", "fixed", "pause", "redo", "extension", "decision"}


def duty(product: Product, grid: str) -> str:
    return product.desk.district.grid(grid).duty_worker


def at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def seconds(duration: str) -> int:
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    assert found, duration
    hours, minutes, rest = (int(n or 0) for n in found.groups())
    return hours * 3600 + minutes * 60 + rest


async def accepted(http: Http, product: Product, grid: str, **body: Any) -> tuple[str, str]:
    """A demand of the grid, taken by its worker: its number and the worker."""
    number = (await http.submit(location={"grid": grid}, **body))["number"]
    worker = duty(product, grid)
    answer = await http.act(number, worker, "accept")
    assert answer.status_code == 200, answer.text
    return number, worker


async def clocks(http: Http, number: str, by: str, **params: Any) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/demands/{number}/clocks", by, **params)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def named(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {clock["name"]: clock for clock in view["clocks"]}


async def test_clocks_stand_in_order_with_their_figures_and_what_is_ahead(http: Http, product: Product) -> None:
    number, worker = await accepted(http, product, "xuanhualu-01")
    view = await clocks(http, number, worker)
    demand = await product.row(number)
    assert (view["number"], view["sla_class"], view["calendar"]) == (number, "ordinary", demand.terms.calendar)
    assert [c["name"] for c in view["clocks"]] == ["contact", "resolve", "accept"], "live ones by due, then the stopped"
    found = named(view)
    assert found["accept"] | {"used": "", "used_percent": 0, "done": []} == {
        "name": "accept", "state": "stopped", "kept": True, "breached": False, "breached_at": None, "breached_by": None,
        "started_at": found["accept"]["started_at"], "due_at": found["accept"]["due_at"], "paused_at": None,
        "stopped_at": found["accept"]["stopped_at"], "budget": {"amount": 2.0, "unit": "working_hours"},
        "used": "", "used_percent": 0, "provisional": False, "next": [], "done": [],
    }  # fmt: skip
    resolve = found["resolve"]
    assert (resolve["state"], resolve["kept"], resolve["budget"]) == (
        "running",
        None,
        {"amount": 7.0, "unit": "working_days"},
    )
    assert 0 <= resolve["used_percent"] < 5 and resolve["used"].startswith("PT")
    assert "explanation" not in resolve
    steps = {step["step"]: step for step in resolve["next"]}
    assert [step["at"] for step in resolve["next"]] == sorted(step["at"] for step in resolve["next"])
    assert list(steps)[:3] == ["50%", "80%", "100%"]
    assert steps["100%"]["at"] == resolve["due_at"]
    assert steps["50%"] | {"at": ""} == {"at": "", "step": "50%", "do": "remind", "tell": [worker]}
    assert set(steps["100%"]["tell"]) == {worker, demand.supervisor} and steps["100%"]["do"] == "breach"


async def test_pause_and_extension_stand_in_the_explanation(http: Http, product: Product) -> None:
    number, worker = await accepted(http, product, "xuanhualu-02")
    await http.act(number, worker, "request_info", reason="awaiting_access")
    paused = named(await clocks(http, number, worker, explain="true"))
    assert (paused["resolve"]["state"], paused["resolve"]["due_at"]) == ("paused", None)
    assert paused["resolve"]["next"] == [] and paused["resolve"]["paused_at"]
    assert paused["resolve"]["explanation"]["steps"][-1]["kind"] == "open_pause"
    assert paused["pause"]["next"][0]["do"] == "resume", "a pause ends by itself"
    await product.pass_time(number, timedelta(days=2))
    await http.act(number, worker, "resume")
    await http.act(number, worker, "extend", working_days=2, basis="procurement", note="等配件")
    granted = await http.act(number, SUPERVISOR, "decide_extension", approved=True)
    assert granted.status_code == 200, granted.text
    resolve = named(await clocks(http, number, worker, explain="true"))["resolve"]
    steps = resolve["explanation"]["steps"]
    assert [s["kind"] for s in steps] == ["budget", "pause", "extension"]
    assert steps[-1]["due_after"] == resolve["due_at"] and resolve["explanation"]["complete"]
    assert "等待入户" in steps[1]["text_zh"]
    name = product.desk.district.person(SUPERVISOR).name
    assert f"（依据：采购；批准：{name}）" in steps[2]["text_zh"]


async def test_the_text_comes_in_the_callers_language(http: Http, product: Product) -> None:
    number, worker = await accepted(http, product, "xuanhualu-03")
    path = f"/api/v1/demands/{number}/clocks"
    chinese = await http.get(path, worker, format="text")
    assert chinese.headers["content-type"] == "text/plain; charset=utf-8"
    assert chinese.headers["content-language"] == "zh-CN"
    assert "办结：到期 " in chinese.text and "1. 承诺 7 个工作日，自 " in chinese.text
    headers = bearer(worker) | {"Accept": "text/plain", "Accept-Language": "en"}
    english = await http.client.get(path, headers=headers)
    assert english.headers["content-language"] == "en"
    assert "resolve: due " in english.text and "1. Promised 7 working days from " in english.text
    as_json = await http.client.get(path, headers=headers | {"Accept": "text/plain, application/json"})
    assert as_json.headers["content-type"] == "application/json"
    refused = await http.get(path, worker, format="xml")
    assert (refused.status_code, code_of(refused)) == (422, "validation_failed")


async def test_a_resident_sees_the_promises_made_to_residents(http: Http, product: Product) -> None:
    number = (await http.submit(category=BLOCKED_DRAIN, location={"grid": "xuanhualu-04"}))["number"]
    inside = await clocks(http, number, SUPERVISOR)
    assert {"refusal_window"} < {c["name"] for c in inside["clocks"]}
    mine = await clocks(http, number, RESIDENT, explain="true")
    assert {c["name"] for c in mine["clocks"]} == {"accept", "contact", "resolve"}
    assert all(step["tell"] == [] for c in mine["clocks"] for step in c["next"])
    text = (await http.get(f"/api/v1/demands/{number}/clocks", RESIDENT, format="text")).text
    assert "签收：" in text and "退单期" not in text


@pytest.mark.parametrize("by", ["resident-0999", "stranger"])
async def test_what_is_not_visible_has_no_clocks(http: Http, product: Product, by: str) -> None:
    number = (await http.submit("resident-0007", location={"grid": "wenqulu-01"}))["number"]
    who = duty(product, "xuanhualu-01") if by == "stranger" else by
    for path in (f"/api/v1/demands/{number}/clocks", "/api/v1/demands/20200101-000001/clocks"):
        answer = await http.get(path, who, explain="true")
        assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_a_broken_promise_says_when_it_broke_and_how_late_it_was(http: Http, product: Product) -> None:
    number, worker = await accepted(http, product, "xuanhualu-05")
    due = (await product.row(number)).clocks["contact"].due_at  # type: ignore[index]
    await product.pass_until(number, due)
    await product.until_type(number, "clock_breached")
    late = named(await clocks(http, number, worker, explain="true"))["contact"]
    assert (late["state"], late["breached"], late["kept"]) == ("running", True, False)
    assert at(late["breached_at"]) == due
    assert late["explanation"]["steps"][-1]["kind"] == "broken"
    assert "100%" in late["done"] and "100%" not in [step["step"] for step in late["next"]]
    await product.pass_time(number, timedelta(days=4))
    answer = await http.act(number, worker, "contact")
    assert answer.status_code == 200, answer.text
    contact = named(await clocks(http, number, worker, explain="true"))["contact"]
    assert (contact["state"], contact["kept"], at(contact["breached_at"])) == ("stopped", False, due)
    late_by = elapsed(product.desk.calendar, due, at(contact["stopped_at"]))
    assert abs(seconds(contact["breached_by"]) - late_by.total_seconds()) < 1
    whole = elapsed(product.desk.calendar, at(contact["started_at"]), due)
    assert contact["used_percent"] == pytest.approx(100 * (1 + late_by / whole), abs=0.1)
    assert contact["explanation"]["steps"][-1]["kind"] == "stopped"


async def test_every_clock_of_a_long_life_is_explained_to_its_due_instant(http: Http, product: Product) -> None:
    number, worker = await accepted(http, product, "xuanhualu-06")
    secretary = product.secretary_of("xuanhualu").id
    await http.act(number, worker, "escalate", reason="several_units")
    await product.until_agenda("xuanhualu", number)
    review_at = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    await _decide(http, product, "xuanhualu", secretary, number, kind="shelve", review_at=review_at)
    await product.pass_until(number, at(review_at))
    await product.until_type(number, "sent_to_meeting", 2)
    await product.until_agenda("xuanhualu", number)
    set_at = (datetime.now(UTC) + timedelta(days=60)).isoformat()
    await _decide(http, product, "xuanhualu", secretary, number, kind="assign", unit="u-gas", due_at=set_at)
    liaison = product.desk.district.unit("u-gas").liaison
    await http.act(number, liaison, "resolve", reply="好了")
    await http.act(number, RESIDENT, "confirm", contacted=True, solved="no", satisfied="dissatisfied")
    view = await clocks(http, number, SUPERVISOR, explain="true")
    kinds = {}
    for clock in view["clocks"]:
        explanation = clock["explanation"]
        assert explanation["complete"], clock
        kinds[clock["name"]] = [s["kind"] for s in explanation["steps"] if s["kind"] in SHIFTING]
        made = [s for s in explanation["steps"] if s["kind"] in SHIFTING]
        assert clock["due_at"] == made[-1]["due_after"]
    assert kinds["resolve"] == ["budget", "pause", "decision", "redo"]
    assert kinds["review"] == ["fixed"]
    assert kinds["unit_due"] == ["budget", "decision", "redo"]
    text = (await http.get(f"/api/v1/demands/{number}/clocks", SUPERVISOR, format="text")).text
    assert product.desk.district.meeting("xuanhualu").name in text and "（挂账）" in text


async def _decide(http: Http, product: Product, meeting: str, by: str, number: str, **decision: Any) -> None:
    await product.take_up(meeting, number)
    answer = await http.post(f"/api/v1/meetings/{meeting}/decisions", {"number": number, **decision}, by)
    assert answer.status_code == 200, answer.text


async def test_a_newly_adopted_calendar_explains_and_the_old_one_still_explains_what_it_had_stopped(
    http: Http, product: Product
) -> None:
    number, worker = await accepted(http, product, "xuanhualu-07")
    before = named(await clocks(http, number, worker))
    row = await product.row(number)
    started = row.clocks["resolve"].started_at.date()  # type: ignore[index]
    days = [started + timedelta(days=n) for n in range(1, 15)]
    old = product.desk.calendar
    changes: dict[str, Any] = {"version": "all-off", "off": tuple(sorted({*old.off, *days})), "work": ()}
    new: Calendar = old.model_copy(update=changes)
    await calendars.keep(product.pool, new)
    await product.handle(number).signal("adopt", new)
    await product.until_type(number, "calendar_adopted")

    async def replanned() -> dict[str, Any] | None:
        view = await clocks(http, number, worker, explain="true")
        return view if view["calendar"] == "all-off" else None

    view = await until(replanned)
    found = named(view)
    resolve = found["resolve"]
    assert resolve["explanation"]["calendar"] == "all-off" and resolve["explanation"]["complete"]
    assert [s["kind"] for s in resolve["explanation"]["steps"]][:2] == ["replanned", "budget"]
    assert resolve["explanation"]["steps"][0]["due_before"] == before["resolve"]["due_at"]
    assert resolve["due_at"] > before["resolve"]["due_at"]
    assert found["accept"]["explanation"]["calendar"] in (old.version, "all-off")
    assert found["accept"]["explanation"]["complete"] and found["accept"]["due_at"] == before["accept"]["due_at"]
