"""Patrol and fix over HTTP: opened and resolved in one call, once, and what becomes of it where it is not the caller's."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.vocabulary import Role
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import BLOCKED_DRAIN, Product, new_key, running_product
from tests.pictures import a_jpeg

PATH = "/api/v1/patrol-fixes"
GRID, ELSEWHERE = "xuanhualu-01", "wenqulu-01"
LAMPS = "120101"
FOUND = {"text": "通道口停了一辆车", "reply": "已当场劝离。", "location": {"grid": GRID}, "category": LAMPS}


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    files: Path = tmp_path_factory.mktemp("files")
    async with running_product(temporal, database, files=str(files)) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> Any:
    async with http_for(product.settings) as client:
        yield client


@pytest.fixture
def worker(product: Product) -> str:
    return product.worker_of(GRID).id


async def fix(http: Http, by: str, *, key: str | None = None, **more: Any) -> httpx2.Response:
    return await http.post(PATH, {**FOUND, **more}, by, key=key)


async def photo(http: Http, by: str) -> str:
    headers = bearer(by) | {"Idempotency-Key": new_key()}
    answer = await http.client.post("/api/v1/files", headers=headers, files={"file": ("a.jpg", a_jpeg())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def demands(product: Product) -> int:
    return int(await product.pool.fetchval("select count(*) from demand"))


async def test_opened_and_resolved_once(http: Http, product: Product, worker: str) -> None:
    before, pictures = await demands(product), [await photo(http, worker), await photo(http, worker)]
    answer = await fix(http, worker, file_ids=pictures)
    assert answer.status_code == 201 and "idempotency-replayed" not in answer.headers
    view = answer.json()
    number = view["number"]
    assert answer.headers["location"] == f"/api/v1/demands/{number}"
    assert (view["stage"], view["refused"], view["category"]["code"]) == ("feedback", None, LAMPS)
    assert await demands(product) == before + 1
    told = Counter(await product.types(number))
    assert (told["demand_submitted"], told["accepted"], told["resolved"]) == (1, 1, 1)
    files = (await http.get(f"/api/v1/demands/{number}/files", worker)).json()
    assert {one["id"] for one in files} == set(pictures)
    said = (await http.get(f"/api/v1/demands/{number}/texts", worker)).json()["texts"]
    assert {(one["kind"], one["text"]) for one in said} == {("demand", FOUND["text"]), ("reply", FOUND["reply"])}
    (opened, *_) = (await http.get(f"/api/v1/demands/{number}/events", worker)).json()
    assert opened["data"]["channel"] == "patrol"
    row = await product.row(number)
    assert (row.opened_by, row.handler) == (worker, worker)


async def test_when_it_was_done_is_kept(http: Http, product: Product, worker: str) -> None:
    """Without a signal it lay on the phone; what was said of the future opens nothing."""
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    number = (await fix(http, worker, performed_at=then.isoformat())).json()["number"]
    events = (await http.get(f"/api/v1/demands/{number}/events", worker, limit=100)).json()
    resolved = next(one for one in events if one["type"] == "resolved")
    assert datetime.fromisoformat(resolved["performed_at"]) == then
    before = await demands(product)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = await fix(http, worker, performed_at=tomorrow)
    assert (refused.status_code, code_of(refused)) == (422, "validation_failed")
    assert await demands(product) == before


async def test_the_same_key_again_opens_nothing_and_resolves_nothing(http: Http, product: Product, worker: str) -> None:
    before, key, pictures = await demands(product), new_key(), [await photo(http, worker)]
    first = await fix(http, worker, key=key, file_ids=pictures)
    again = await fix(http, worker, key=key, file_ids=pictures)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    together = await asyncio.gather(*(fix(http, worker, key=key, file_ids=pictures) for _ in range(20)))
    assert {(one.status_code, one.json()["number"], one.json()["refused"]) for one in together} == {
        (201, first.json()["number"], None)
    }
    assert await demands(product) == before + 1
    assert (await product.types(first.json()["number"])).count("resolved") == 1


async def test_twenty_at_once_make_one(http: Http, product: Product, worker: str) -> None:
    before, key = await demands(product), new_key()
    together = await asyncio.gather(*(fix(http, worker, key=key) for _ in range(20)))
    assert {one.status_code for one in together} == {201}
    (number,) = {one.json()["number"] for one in together}
    assert all(one.json()["refused"] is None for one in together)
    assert await demands(product) == before + 1
    assert (await product.types(number)).count("resolved") == 1


async def test_what_was_cut_off_between_the_two_is_finished_by_the_same_key(
    http: Http, product: Product, worker: str
) -> None:
    key, pictures = new_key(), [await photo(http, worker)]
    opened = {k: v for k, v in FOUND.items() if k != "reply"} | {"channel": "patrol", "file_ids": pictures}
    number = (await http.post("/api/v1/demands", opened, worker, key=f"{key}-open")).json()["number"]
    assert (await product.started(number)).stage == "grid"
    view = (await fix(http, worker, key=key, file_ids=pictures)).json()
    assert (view["number"], view["stage"], view["refused"]) == (number, "feedback", None)


@pytest.mark.parametrize("other", [{"text": "另一件事"}, {"reply": "另一句话"}, {"category": "100101"}])
async def test_another_body_under_the_key_is_refused(
    http: Http, product: Product, worker: str, other: dict[str, Any]
) -> None:
    key = new_key()
    number = (await fix(http, worker, key=key)).json()["number"]
    before, log = await demands(product), await product.types(number)
    again = await fix(http, worker, key=key, **other)
    assert (again.status_code, code_of(again)) == (422, "idempotency_key_reused")
    assert (await demands(product), await product.types(number)) == (before, log)
    said = (await http.get(f"/api/v1/demands/{number}/texts", worker)).json()["texts"]
    assert {one["text"] for one in said} == {FOUND["text"], FOUND["reply"]}
    assert (await fix(http, product.worker_of(ELSEWHERE).id, key=key)).json()["number"] != number, (
        "a key is its owner's"
    )


# ---- where it is not the caller's to resolve


async def test_what_lies_in_another_grid_stays_open_with_its_worker(http: Http, product: Product, worker: str) -> None:
    key, pictures = new_key(), [await photo(http, worker)]
    body: dict[str, Any] = {"location": {"grid": ELSEWHERE}, "file_ids": pictures}
    answer = await fix(http, worker, key=key, **body)
    view = answer.json()
    assert answer.status_code == 201
    assert (view["stage"], view["grid"], view["holder"]["id"]) == ("grid", ELSEWHERE, product.worker_of(ELSEWHERE).id)
    assert view["refused"]["code"] in ("not_holder", "outside_scope", "not_permitted") and view["refused"]["rule"]
    assert view["permitted"] == [] or "resolve" not in view["permitted"]
    number, holder = view["number"], view["holder"]["id"]
    assert "resolved" not in await product.types(number)
    for by in (worker, holder):  # whoever found it follows it; whoever holds it has all that was found
        assert (await http.get(f"/api/v1/demands/{number}", by)).status_code == 200
        assert [one["id"] for one in (await http.get(f"/api/v1/demands/{number}/files", by)).json()] == pictures
    said = (await http.get(f"/api/v1/demands/{number}/texts", holder)).json()["texts"]
    assert [one["kind"] for one in said] == ["demand"], "nothing is answered by somebody whose it is not"
    again = await fix(http, worker, key=key, **body)
    assert (again.json()["number"], again.json()["refused"]) == (number, view["refused"])
    assert (await http.act(number, holder, "resolve", reply="已处理。")).status_code == 200


async def test_a_matter_above_the_grid_goes_to_the_unit(http: Http, product: Product, worker: str) -> None:
    view = (await fix(http, worker, category=BLOCKED_DRAIN)).json()
    assert (view["stage"], view["unit"] is not None) == ("unit", True)
    assert view["refused"]["code"] and view["refused"]["rule"]


async def test_what_nobody_handles_here_is_answered_and_closed(http: Http, worker: str) -> None:
    view = (await fix(http, worker, text="快来人，家里着火了", category=None)).json()
    assert (view["stage"], view["outcome"], view["refused"]["code"]) == ("closed", "out_of_scope", "closed")


# ---- what opens nothing


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"location": {"grid": "no-such"}}, "unknown_place"),
        ({"category": "999999"}, "unknown_category"),
        ({"file_ids": ["no-such"]}, "unknown_file"),
        ({"location": None}, "validation_failed"),
        ({"reply": ""}, "validation_failed"),
        ({"channel": "hotline"}, "validation_failed"),
    ],
)
async def test_what_is_wrong_opens_nothing(
    http: Http, product: Product, worker: str, wrong: dict[str, Any], code: str
) -> None:
    before = await demands(product)
    answer = await fix(http, worker, **wrong)
    assert (answer.status_code, code_of(answer)) == (422, code)
    assert await demands(product) == before


async def test_a_file_of_another_demand_or_person_opens_nothing(http: Http, product: Product, worker: str) -> None:
    taken, foreign = await photo(http, worker), await photo(http, product.worker_of(ELSEWHERE).id)
    await fix(http, worker, file_ids=[taken])
    before = await demands(product)
    codes = [code_of(await fix(http, worker, file_ids=[one])) for one in (taken, foreign)]
    assert codes == ["file_taken", "unknown_file"]
    assert await demands(product) == before


async def test_who_may(http: Http, product: Product) -> None:
    before = await demands(product)
    for role in (Role.AUDITOR, Role.ADMIN):
        person = product.desk.district.people_with(role)[0]
        answer = await fix(http, person.id)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), role
    nobody = await http.client.post(PATH, json=FOUND)
    assert (nobody.status_code, code_of(nobody)) == (401, "unauthenticated")
    assert await demands(product) == before
    resident = (await fix(http, RESIDENT)).json()  # may report; resolving is not theirs
    assert (resident["stage"], resident["refused"]["code"]) == ("grid", "not_permitted")
