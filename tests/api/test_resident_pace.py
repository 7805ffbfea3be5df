"""Guessing at the resident's door: slower and slower, nothing learnt by it, and never a way to keep a reporter out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from domain.errors import DomainError
from service import resident_door
from service.desk import Desk
from service.resident_door import OF_A_NUMBER, OF_AN_ADDRESS, OF_DEEDS, OF_UNKNOWN_LINKS
from tests.api.callers import Http, code_of
from tests.api.residents import Visitor, by_telephone, link, with_code, with_link
from tests.builders import Product

WRONG, HERE, THERE = "3333-3333", "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
async def _nobody_has_tried(product: Product) -> None:
    await product.pool.execute("truncate sign_in_try")


@pytest.fixture
def _time_stands_still(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it does not depend on the machine how much is forgotten meanwhile."""
    now = http.app.state.desk.now()
    monkeypatch.setattr(http.app.state.desk, "now", lambda: now)


async def tried(desk: Desk, number: str, code: str, now: datetime, address: str = HERE) -> str | int:
    """`in`, the code of the refusal, or the seconds to wait."""
    try:
        await resident_door.open_session(desk, number, code, address, now)
    except DomainError as refused:
        wait = refused.facts.get("retry_after_seconds")
        return int(str(wait)) if wait else refused.code
    return "in"


async def test_after_a_few_wrong_codes_each_one_costs_longer_up_to_a_quarter_of_an_hour(
    http: Http, product: Product
) -> None:
    told, desk = await by_telephone(http), product.desk
    number, now = told["number"], desk.now()
    first = [await tried(desk, number, WRONG, now) for _ in range(OF_A_NUMBER.free)]
    assert first == ["code_refused"] * OF_A_NUMBER.free
    waits = []
    for _ in range(12):
        wait = await tried(desk, number, told["code"], now)
        assert isinstance(wait, int), "even the right code waits"
        waits.append(wait)
        now += timedelta(seconds=wait)
        assert await tried(desk, number, WRONG, now) == "code_refused"
    assert waits == sorted(waits) and max(waits) <= OF_A_NUMBER.longest.total_seconds() + 1 and waits[7] > waits[3] * 4
    now += OF_A_NUMBER.longest + timedelta(seconds=1)
    assert await tried(desk, number, told["code"], now) == "in", "slower, never locked out"


async def test_a_number_that_there_is_not_is_refused_like_a_wrong_code_and_as_slowly(
    http: Http, product: Product
) -> None:
    known, unknown, desk = (await by_telephone(http))["number"], "20260101-999999", product.desk
    now, answers = desk.now(), list[list[str | int]]()
    for number in (known, unknown, "' or 1=1 --", "20260101-99999\u0663"):
        answers.append([await tried(desk, number, WRONG, now, f"10.0.0.{len(answers)}") for _ in range(9)])
    assert all(one == answers[0] for one in answers) and isinstance(answers[0][-1], int)
    await product.pool.execute("truncate sign_in_try")
    bodies = [await over_http(http, number) for number in (known, unknown)]
    assert bodies[0] == bodies[1]


async def over_http(http: Http, number: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    answer = await Visitor(http).sign_in(number, WRONG)
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, body, headers


async def test_whoever_tries_one_number_after_the_other_is_slowed_by_the_address(product: Product) -> None:
    desk, now = product.desk, product.desk.now()
    outcomes = [await tried(desk, f"20260101-{n:06d}", WRONG, now) for n in range(OF_AN_ADDRESS.free + 1)]
    assert outcomes[:-1] == ["code_refused"] * OF_AN_ADDRESS.free and isinstance(outcomes[-1], int)
    assert await tried(desk, "20260101-000001", WRONG, now, THERE) == "code_refused"


async def test_a_right_code_gives_back_the_try_of_the_address_only(http: Http, product: Product) -> None:
    told, desk = await by_telephone(http), product.desk
    now = desk.now()
    for n in range(OF_AN_ADDRESS.free - 1):
        assert await tried(desk, f"20260101-{n:06d}", WRONG, now) == "code_refused"
        assert await tried(desk, told["number"], told["code"], now) == "in"
    assert await tried(desk, "20260101-000000", WRONG, now) == "code_refused"
    assert isinstance(await tried(desk, "20260101-000000", WRONG, now), int)


@pytest.mark.usefixtures("_time_stands_still")
async def test_while_a_number_is_tried_its_link_still_opens(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    token = await link(product, told["number"], "clock_started")
    for _ in range(OF_A_NUMBER.free + 1):
        last = await Visitor(http).sign_in(told["number"], WRONG)
    assert last.status_code == 429 and int(last.headers["retry-after"]) >= 1 and code_of(last) == "too_many_requests"
    assert (await with_link(http, token).get()).status_code == 200


@pytest.mark.usefixtures("_time_stands_still")
async def test_links_that_nobody_knows_are_slowed_and_the_neighbours_is_not(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    token = await link(product, told["number"], "clock_started")
    outcomes = [(await with_link(http, f"{n:043d}").get()).status_code for n in range(OF_UNKNOWN_LINKS.free + 1)]
    assert outcomes[:-1] == [401] * OF_UNKNOWN_LINKS.free and outcomes[-1] == 429
    assert (await with_link(http, token).get()).status_code == 200


@pytest.mark.usefixtures("_time_stands_still")
async def test_one_demand_takes_only_so_much_at_a_time(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    visitor = await with_code(http, told["number"], told["code"])
    answer: httpx2.Response | None = None
    for _ in range(OF_DEEDS.free + 2):
        answer = await visitor.patch("/contact", {"phone": "13900000001"})
    assert answer is not None and answer.status_code == 429
    assert (await visitor.get()).status_code == 200, "one who reads need not wait"


async def test_nothing_secret_is_logged(http: Http, product: Product, capfd: pytest.CaptureFixture[str]) -> None:
    told = await by_telephone(http)
    token = await link(product, told["number"], "clock_started")
    with capture_logs() as logs:
        session = (await Visitor(http).sign_in(told["number"], told["code"])).json()["token"]
        await Visitor(http).sign_in(told["number"], WRONG)
        await with_link(http, token).post("/actions", {"type": "urge"})
        await with_link(http, token[::-1]).get()
    assert any(one["event"] == "reporter code refused" for one in logs)
    everything = str(logs) + "".join(capfd.readouterr())
    assert not any(secret in everything for secret in (token, token[::-1], session, told["code"], WRONG))


async def test_many_at_once_do_not_block_each_other(product: Product) -> None:
    """Of two that are counted one after the other, the second may have looked at the clock before the first."""
    desk, now = product.desk, product.desk.now()
    moments = [now - timedelta(milliseconds=n) for n in range(OF_A_NUMBER.free)]
    assert [await tried(desk, "20260101-000007", WRONG, at) for at in moments] == ["code_refused"] * len(moments)
