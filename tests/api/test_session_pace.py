"""Guessing: slower and slower, the same for every name, and never a way to keep somebody else out for good."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from domain.errors import DomainError
from service import sign_in, sign_in_pace, user_accounts
from service.desk import Desk
from service.identity_marks import Marks
from service.passwords import PASSWORDS
from service.sign_in import Device
from service.sign_in_pace import OF_AN_ACCOUNT, OF_AN_ADDRESS
from tests.api.callers import Http, code_of
from tests.api.signing_in import PASSWORD, browser, new_user
from tests.builders import OPERATOR, SUPERVISOR, Product

WRONG = "not the password 1"
OFFICE, ELSEWHERE = Device("198.51.100.7"), Device("203.0.113.9")


@pytest.fixture(autouse=True)
async def fresh(product: Product) -> AsyncIterator[None]:
    await product.pool.execute("truncate sign_in_try, account_session")
    yield


async def outcome(desk: Desk, user: str, password: str, now: datetime, device: Device = ELSEWHERE) -> str | int:
    """`in`, the code of the refusal, or the seconds to wait."""
    try:
        await sign_in.sign_in(desk, user, password, device, now=now)
    except DomainError as refused:
        wait = refused.facts.get("retry_after_seconds")
        return int(str(wait)) if wait else refused.code
    return "in"


async def fail(desk: Desk, user: str, times: int, now: datetime, device: Device = ELSEWHERE) -> list[str | int]:
    return [await outcome(desk, user, WRONG, now, device) for _ in range(times)]


async def test_after_a_few_tries_each_one_costs_twice_as_long_up_to_a_quarter_of_an_hour(product: Product) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    assert await fail(product.desk, user, OF_AN_ACCOUNT.free, now) == ["unauthenticated"] * OF_AN_ACCOUNT.free
    waits = []
    for _ in range(16):
        wait = await outcome(product.desk, user, PASSWORD, now)
        assert isinstance(wait, int), "even the right password waits"
        waits.append(wait)
        now += timedelta(seconds=wait)
        assert await outcome(product.desk, user, WRONG, now) == "unauthenticated"
    assert waits == sorted(waits) and all(1.7 < after / before < 2.2 for before, after in pairwise(waits[3:8])), waits
    assert waits[3] >= 8 and waits[-1] > 0.9 * OF_AN_ACCOUNT.longest.total_seconds()
    assert max(waits) <= OF_AN_ACCOUNT.longest.total_seconds() + 1
    now += OF_AN_ACCOUNT.longest + timedelta(seconds=1)
    assert await outcome(product.desk, user, PASSWORD, now) == "in", "slower, never locked out"
    assert await outcome(product.desk, user, WRONG, now) == "unauthenticated", "and all is forgotten then"
    assert await outcome(product.desk, user, PASSWORD, now) == "in"


async def test_an_office_that_mistypes_all_day_is_not_slowed(product: Product) -> None:
    """Two hundred people behind one address, four hundred wrong passwords in eight hours."""
    marks, now = Marks(product.settings.key_ring()), product.desk.now()
    for n in range(400):
        asked = sign_in_pace.paced(marks, f"colleague{n % 200}", OFFICE.address, known=False)
        await sign_in_pace.enter(product.pool, asked, now + n * timedelta(seconds=72))


async def test_trying_while_one_has_to_wait_does_not_lengthen_it(product: Product) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    await fail(product.desk, user, OF_AN_ACCOUNT.free + 30, now)
    assert await outcome(product.desk, user, PASSWORD, now + timedelta(seconds=2)) == "in"


async def test_whoever_guesses_from_elsewhere_does_not_keep_the_person_at_the_usual_desk_out(product: Product) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    assert await outcome(product.desk, user, PASSWORD, now, OFFICE) == "in"
    later = now + timedelta(minutes=1)
    for n in range(12):
        await fail(product.desk, user, 3, later, Device(f"203.0.113.{n}"))
    assert isinstance(await outcome(product.desk, user, PASSWORD, later, ELSEWHERE), int)
    assert await outcome(product.desk, user, PASSWORD, later, OFFICE) == "in"


async def test_one_address_that_tries_many_names_is_slowed_too(product: Product) -> None:
    now = product.desk.now()
    answers = [await outcome(product.desk, f"name{n}", WRONG, now) for n in range(OF_AN_ADDRESS.free + 3)]
    assert answers[: OF_AN_ADDRESS.free] == ["unauthenticated"] * OF_AN_ADDRESS.free
    assert all(isinstance(one, int) for one in answers[OF_AN_ADDRESS.free :])
    assert await outcome(product.desk, "another", WRONG, now, OFFICE) == "unauthenticated"


async def test_one_account_of_ones_own_does_not_buy_guesses_at_others(product: Product) -> None:
    """A good sign-in takes only its own try back from the address."""
    user, now = await new_user(product, OPERATOR), product.desk.now()
    answers: Counter[str | int] = Counter()
    for n in range(OF_AN_ADDRESS.free):
        answers[await outcome(product.desk, f"victim{n}", WRONG, now)] += 1
        if n < OF_AN_ADDRESS.free - 1:
            assert await outcome(product.desk, user, PASSWORD, now) == "in"
    assert answers == {"unauthenticated": OF_AN_ADDRESS.free}
    assert isinstance(await outcome(product.desk, "victim", WRONG, now), int)


async def test_many_tries_at_once_are_not_all_free(product: Product) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    answers = await asyncio.gather(*(outcome(product.desk, user, WRONG, now) for _ in range(25)))
    assert Counter(answers)["unauthenticated"] == OF_AN_ACCOUNT.free


async def test_a_new_password_by_the_administrator_ends_the_waiting(product: Product) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    await fail(product.desk, user, OF_AN_ACCOUNT.free + 1, now)
    account, marks = await user_accounts.must_exist(product.pool, user), Marks(product.settings.key_ring())
    await user_accounts.set_password(product.pool, marks, account, "brand new kettle 77", by="system", now=now)
    assert await outcome(product.desk, user, "brand new kettle 77", now) == "in"


async def test_waiting_is_said_over_http(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    now = http.app.state.desk.now()
    monkeypatch.setattr(http.app.state.desk, "now", lambda: now)
    async with browser(http, address="203.0.113.50") as one:
        for _ in range(OF_AN_ACCOUNT.free):
            assert code_of(await one.sign_in("nobody", WRONG)) == "unauthenticated"
        answer = await one.sign_in("nobody", WRONG)
        assert (answer.status_code, code_of(answer)) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert "nobody" not in answer.text


# ---- nothing tells whether a name exists


# Sent when a connection goes back to the pool, whoever had it and at whatever moment.
_BETWEEN = "SELECT pg_advisory_unlock_all()"


@pytest.fixture
async def statements(product: Product, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Every statement that the desk sends, as it sends it."""
    sent: list[str] = []

    def hear(query: Any) -> None:
        said = " ".join(query.query.split())
        if not said.startswith(_BETWEEN):
            sent.append(said)

    async def listen(connection: Any) -> None:
        connection.add_query_logger(hear)

    pool = await asyncpg.create_pool(product.settings.database_url, min_size=1, max_size=2, init=listen)
    monkeypatch.setattr(product.desk, "pool", pool)
    yield sent
    await pool.close()


async def test_answer_and_work_are_the_same_whether_a_name_exists_or_not(
    product: Product, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, without = await new_user(product, SUPERVISOR), await new_user(product, OPERATOR, password=None)
    gone, checked = await new_user(product, "p-9999"), Counter[str]()
    disabled = await new_user(product, "p-0003")
    account = await user_accounts.must_exist(product.pool, disabled)
    await user_accounts.disable(product.pool, account, by="system", now=product.desk.now())
    real, present = PASSWORDS._check, ""

    def counted(password: str, hash: str | None) -> tuple[bool, str | None]:
        checked[present] += 1
        return real(password, hash)

    monkeypatch.setattr(PASSWORDS, "_check", counted)
    work: dict[str, list[str]] = {}
    for present in (known, without, gone, disabled, "no-such-name", "another-one"):
        statements.clear()
        assert await outcome(product.desk, present, WRONG, product.desk.now()) == "unauthenticated"
        work[present] = list(statements)
    assert set(checked.values()) == {1} and len(checked) == 6
    assert len({tuple(one) for one in work.values()}) == 1 and len(work[known]) > 4, work


async def test_the_work_of_the_dummy_is_that_of_a_real_password() -> None:
    """The same kind, memory, passes and lanes: what takes time is what these say."""
    real = await PASSWORDS.hash(PASSWORD)
    assert await PASSWORDS.check(PASSWORD, None) == (False, None)
    assert real.split("$")[:4] == PASSWORDS._dummy.split("$")[:4]


async def test_the_answers_differ_in_nothing(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http, address="203.0.113.60") as one:
        answers = [await one.sign_in(name, WRONG) for name in (user, "no-such-name")]
    first, second = ({k: v for k, v in a.json().items() if k != "request_id"} for a in answers)
    assert first == second and first["code"] == "unauthenticated"
    heads = [{k: v for k, v in a.headers.items() if k not in ("x-request-id", "date")} for a in answers]
    assert heads[0] == heads[1] and "set-cookie" not in heads[0]


async def test_neither_logs_nor_rows_hold_what_was_typed(
    product: Product, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as events:
        async with browser(http, address="203.0.113.61") as one:
            await one.sign_in("marked-name-zq4711", "marked-password-zq4711")
            await one.sign_in("marked-name-zq4711", "marked-password-zq4711")
    assert [event["event"] for event in events] == ["sign-in refused"] * 2
    logged = f"{events} {caplog.text}"
    assert "zq4711" not in logged and "203.0.113.61" not in logged
    for table in ("sign_in_try", "identity_event", "account_session", "account"):
        rows = await product.pool.fetch(f"select t::text as row from {table} t")
        assert not [row for row in rows if "zq4711" in row["row"] or "203.0.113.61" in row["row"]], table
