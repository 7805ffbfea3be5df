"""The public door, as somebody would misuse it: too often, from another site, too much, without what keeps it private."""

from __future__ import annotations

import httpx2
import pytest
from structlog.testing import capture_logs

from service import walk_in
from tests.api.callers import Http, code_of
from tests.api.walk_ins import DOOR, LAMP, WalkIn
from tests.builders import Product, new_key
from tests.pictures import SCRIPT, a_jpeg


@pytest.fixture(autouse=True)
async def _nobody_was_here(product: Product) -> None:
    await product.pool.execute("truncate sign_in_try")


@pytest.fixture
def _time_stands_still(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    now = http.app.state.desk.now()
    monkeypatch.setattr(http.app.state.desk, "now", lambda: now)


@pytest.mark.usefixtures("_time_stands_still")
async def test_an_address_is_slowed_down_whatever_secrets_it_makes_up_and_others_are_not(
    http: Http, product: Product
) -> None:
    here = "198.51.100.20"
    for _ in range(walk_in.OF_DEMANDS.free - 1):
        await walk_in.pass_by(product.desk, walk_in.OF_DEMANDS, here, http.app.state.desk.now())
    assert (await WalkIn(http, address=here).report()).status_code == 201, "the one that brings the block about"
    refused = await WalkIn(http, address=here).report()
    assert code_of(refused) == "too_many_requests" and int(refused.headers["retry-after"]) >= 1
    assert (await WalkIn(http, address="198.51.100.21").report()).status_code == 201
    looked = await WalkIn(http, address=here).look(text="路灯不亮")
    assert looked.status_code == 200, "looking is counted for itself"


@pytest.mark.usefixtures("_time_stands_still")
@pytest.mark.parametrize("what", ["look", "photo"])
async def test_looks_and_photos_are_paced_too(http: Http, product: Product, what: str) -> None:
    here, pace = "198.51.100.30", {"look": walk_in.OF_LOOKS, "photo": walk_in.OF_FILES}[what]
    for _ in range(pace.free):
        await walk_in.pass_by(product.desk, pace, here, http.app.state.desk.now())
    who = WalkIn(http, address=here)
    assert code_of(await (who.look(text="路灯") if what == "look" else who.photo(a_jpeg()))) == "too_many_requests"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.example"}],
)
async def test_no_page_of_another_site_can_report(http: Http, product: Product, headers: dict[str, str]) -> None:
    before = await product.pool.fetchval("select count(*) from demand")
    assert code_of(await WalkIn(http).report(headers=headers)) == "cross_site"
    assert await product.pool.fetchval("select count(*) from demand") == before
    assert (await WalkIn(http).report(headers={"Sec-Fetch-Site": "same-origin"})).status_code == 201


@pytest.mark.parametrize("lacking", ["Linli-Draft", "Idempotency-Key"])
async def test_secret_and_key_are_required(http: Http, lacking: str) -> None:
    headers = {"Linli-Draft": "s" * 43, "Idempotency-Key": new_key()}
    del headers[lacking]
    answer = await WalkIn(http).client.post(f"{DOOR}/demands", json=LAMP, headers=headers)
    assert code_of(answer) == "validation_failed" and answer.status_code == 422


async def test_a_secret_that_can_be_guessed_is_refused(http: Http) -> None:
    assert code_of(await WalkIn(http, secret="1234").report()) == "validation_failed"


async def test_what_is_too_much_is_refused(http: Http) -> None:
    who = WalkIn(http)
    assert code_of(await who.report(text="路" * 20_001)) == "validation_failed"
    assert code_of(await who.report(text="路" * 600_000)) == "body_too_large"
    assert code_of(await who.report(file_ids=[f"f-{n:032x}" for n in range(10)])) == "validation_failed"
    big = b"\xff\xd8\xff" + bytes(http.app.state.settings.max_file_bytes + 1)
    assert code_of(await who.photo(big)) == "file_too_large"
    assert code_of(await who.photo(SCRIPT)) == "unsupported_file"


@pytest.mark.parametrize("more", [{"channel": "hotline"}, {"external_refs": []}, {"service": "s-1"}])
async def test_nobody_says_to_be_another_door(http: Http, more: dict[str, object]) -> None:
    assert code_of(await WalkIn(http).report(**more)) == "validation_failed"


async def test_nothing_of_it_stands_in_a_log_or_an_address(http: Http) -> None:
    with capture_logs() as lines:
        who = WalkIn(http)
        told = (await who.report(reporter={"phone": "13988887777"})).json()
        await who.look(text="路灯不亮", location={"compound": "c-0002"})
        refused: httpx2.Response = await who.report(follow="B" * 60)
    logged = f"{lines}{refused.text}"
    for secret in (who.secret, told["code"], told["link"].partition("#")[2], "13988887777", "路灯"):
        assert secret not in logged
