"""Publishing over HTTP, with a real worker: a notice is tried, published, and followed by the demands that are open."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.adopt import adopt_once
from activities.relay import relay_once
from domain.vocabulary import ClockName
from domain.worktime import Budget, due, working_days_between
from service import publish_watch
from service.calendars import read_years
from service.desk import open_desk
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import ADMIN, CONSULT, SUPERVISOR, Product, new_key, resident, running_product, until

CALENDAR, SLA = "/api/v1/publications/calendar", "/api/v1/publications/sla"


@pytest.fixture(autouse=True)
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes look for publications at once; in the product it takes some seconds."""
    monkeypatch.setattr(publish_watch, "EVERY", timedelta(milliseconds=50))


@asynccontextmanager
async def product_with_long_promises(
    temporal: WorkflowEnvironment, database_url: str, folder: Path
) -> AsyncIterator[tuple[Product, Http]]:
    """Ordinary demands of today are due in February of next year."""
    async with running_product(temporal, database_url) as plain:
        calendar = plain.desk.almanac.calendar_for(plain.desk.watch.this_year, plain.desk.watch.this_year + 1)
        days = working_days_between(calendar, plain.desk.now().date(), date(plain.desk.watch.this_year + 1, 2, 12))
    overlay = folder / "long.toml"
    overlay.write_text(f'classes.ordinary.resolve = {{ amount = {days}, unit = "working_days" }}\n', encoding="utf-8")
    async with (
        running_product(temporal, database_url, pack_overlay=overlay) as product,
        http_for(product.settings) as http,
    ):
        yield product, http


def notice(product: Product) -> dict[str, Any]:
    """For next year: a week of January is off that nobody expected."""
    year = product.desk.watch.this_year + 1
    return {
        "year": year, "source": "a notice for tests only", "provisional": False,
        "holiday": [
            {"name": "元旦", "from": f"{year}-01-01", "until": f"{year}-01-03"},
            {"name": "春节", "from": f"{year}-01-11", "until": f"{year}-01-17"},
        ],
    }  # fmt: skip


async def counted(product: Product) -> list[int]:
    tables = (
        "publication",
        "calendar",
        "demand_event",
        "idempotency where number !~ '-'",
        "outbox where kind = 'adopt'",
    )
    return [await product.pool.fetchval(f"select count(*) from {t}") for t in tables]


async def follow(product: Product, id: int, http: Http) -> None:
    """The worker's part, until no demand is left."""

    async def none_left() -> bool | None:
        await adopt_once(product.pool, product.environment.client)
        answer = (await http.get(f"/api/v1/publications/{id}", ADMIN)).json()
        return True if answer["progress"]["left"] == 0 else None

    await until(none_left)


async def test_a_notice_is_tried_published_and_followed(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], tmp_path: Path
) -> None:
    async with product_with_long_promises(temporal, new_database(), tmp_path) as (product, http):
        number = await product.submit()
        before = await product.started(number)
        await until(lambda: _no_starts(product))
        resolve = before.clocks[ClockName.RESOLVE]
        assert resolve.provisional and resolve.due_at.year == product.desk.watch.this_year + 1
        body, state = notice(product), await counted(product)

        dry = await http.post(f"{CALENDAR}?dry_run=true", body, ADMIN)
        assert dry.status_code == 200, dry.text
        tried = dry.json()
        assert (tried["open_demands"], tried["demands_changed"], tried["clocks_changed"]) == (1, 1, 1)
        assert (tried["earlier"], tried["later"], tried["overdue_at_once"]) == (0, 1, 0)
        assert tried["no_longer_provisional"] == 1
        example = tried["examples"][0]
        assert (example["number"], example["clock"]) == (number, "resolve")
        shift = tried["shift"]["median"]
        assert shift == tried["shift"]["min"] == tried["shift"]["max"] and shift["seconds"] > 0
        assert shift["duration"].startswith("P")
        assert await counted(product) == state and product.desk.calendar.version == before.terms.calendar

        done = await http.post(CALENDAR, body, ADMIN)
        assert done.status_code == 201, done.text
        published = done.json()
        assert published["queued"] == 1
        assert {k: published[k] for k in tried} == tried
        assert done.headers["location"] == f"/api/v1/publications/{published['id']}"
        await follow(product, published["id"], http)

        after = await product.until_row(number, lambda d: d.terms.calendar == published["calendar"])
        moved = after.clocks[ClockName.RESOLVE]
        assert moved.due_at - resolve.due_at == timedelta(seconds=shift["seconds"]) and not moved.provisional
        assert after.terms.budgets == before.terms.budgets and after.terms.ladder == before.terms.ladder
        assert moved.due_at == due(
            http.app.state.desk.calendar, moved.started_at, after.terms.budgets[ClockName.RESOLVE]
        )
        types = await product.types(number)
        assert types.count("calendar_adopted") == 1 and types.count("clock_replanned") == 1
        assert (await product.state(number)).terms.calendar == published["calendar"]

        # The process that published knows at once, the other one soon; neither was restarted.
        assert http.app.state.desk.calendar.version == published["calendar"]
        await until(lambda: _is(product.desk.calendar.version, published["calendar"]))
        new = await product.started(await product.submit())
        assert new.terms.calendar == published["calendar"] and not new.clocks[ClockName.RESOLVE].provisional
        again = await http.post(f"{CALENDAR}?dry_run=true", body, ADMIN)
        assert (again.status_code, code_of(again)) == (409, "already_published")


async def _is(value: str, wanted: str) -> bool | None:
    return True if value == wanted else None


async def _no_starts(product: Product) -> bool | None:
    return None if await product.pool.fetchval("select count(*) from outbox where kind = 'start'") else True


async def test_a_demand_whose_workflow_has_not_started_follows_later(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], tmp_path: Path
) -> None:
    async with product_with_long_promises(temporal, new_database(), tmp_path) as (product, http):
        client, queue = product.environment.client, product.task_queue
        without_engine = await open_desk(product.settings.model_copy(update={"temporal_address": "127.0.0.1:1"}))
        try:
            process = copy.copy(product)
            process.desk = without_engine
            early = await process.submit()
        finally:
            await without_engine.close()
        running = await product.submit()
        await product.started(running)
        published = (await http.post(CALENDAR, notice(product), ADMIN)).json()
        assert published["queued"] == 2
        await until(lambda: _put_off(product, early))
        await product.until_row(running, lambda d: d.terms.calendar == published["calendar"])
        await until(lambda: _stands_at(product, http, published["id"], {"queued": 2, "left": 1, "put_off": 1}))
        assert (await product.row(early)).terms.calendar != published["calendar"]
        await product.pool.execute("update outbox set claimed_until = now() - interval '1 second'")
        assert await relay_once(product.pool, client, queue) == 1
        before = (await product.started(early)).clocks[ClockName.RESOLVE]
        await product.pool.execute("update outbox set claimed_until = now() - interval '1 second'")
        await follow(product, published["id"], http)
        after = await product.until_row(early, lambda d: d.terms.calendar == published["calendar"])
        assert after.clocks[ClockName.RESOLVE].due_at > before.due_at


async def _stands_at(product: Product, http: Http, id: int, progress: dict[str, int]) -> bool | None:
    # A process that notices the publication may queue a demand again that has its signal and has not recorded it yet.
    await adopt_once(product.pool, product.environment.client)
    answer = await http.get(f"/api/v1/publications/{id}", SUPERVISOR)
    return True if answer.json()["progress"] == progress else None


async def _put_off(product: Product, number: str) -> bool | None:
    await adopt_once(product.pool, product.environment.client)
    found: bool | None = await product.pool.fetchval(
        "select true from outbox where kind = 'adopt' and number = $1 and attempts > 0", number
    )
    return found


async def test_one_demand_that_cannot_be_reached_does_not_stop_the_others(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], tmp_path: Path
) -> None:
    async with product_with_long_promises(temporal, new_database(), tmp_path) as (product, http):
        numbers = [await product.submit() for _ in range(4)]
        for number in numbers:
            await product.started(number)
        await product.handle(numbers[0]).terminate()
        withdrawn = await product.act(numbers[1], resident(), "withdraw")
        assert withdrawn.sealed
        published = (await http.post(CALENDAR, notice(product), ADMIN)).json()
        assert published["queued"] == 3
        await until(lambda: _put_off(product, numbers[0]))
        for number in numbers[2:]:
            await product.until_row(number, lambda d: d.terms.calendar == published["calendar"])
        left = await product.pool.fetch("select number, last_error from outbox where last_error is not null")
        assert [(r["number"], r["last_error"]) for r in left] == [(numbers[0], "not running")]


async def test_demands_taken_in_meanwhile_follow_when_their_process_notices(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with product_with_long_promises(temporal, new_database(), tmp_path) as (product, http):
        monkeypatch.setattr(publish_watch, "EVERY", timedelta(hours=1))
        slow = await open_desk(product.settings)
        try:
            published = (await http.post(CALENDAR, notice(product), ADMIN)).json()
            process = copy.copy(product)
            process.desk = slow
            number = await process.submit()
            assert (await product.started(number)).terms.calendar != published["calendar"]
            await slow.watch.look()
            assert slow.calendar.version == published["calendar"]
            await until(lambda: _queued(product, number))
            await follow(product, published["id"], http)
            await product.until_row(number, lambda d: d.terms.calendar == published["calendar"])
            # Once more behind everybody's back, as a submission does that was under way during the change.
            await product.pool.execute(
                "update demand set state = jsonb_set(state, '{promise,calendar}', to_jsonb($2::text)) where number = $1",
                number, slow.watch.in_force.superseded(slow.watch.this_year)[0],
            )  # fmt: skip
            monkeypatch.setattr(slow.watch, "_stragglers_at", 0.0)
            await slow.watch.look()
            assert await _queued(product, number)
        finally:
            await slow.close()


async def _queued(product: Product, number: str) -> bool | None:
    found: bool | None = await product.pool.fetchval(
        "select true from outbox where kind = 'adopt' and number = $1", number
    )
    return found


async def test_a_changed_file_is_followed_after_a_restart_and_an_old_process_does_not_undo_it(
    temporal: WorkflowEnvironment, new_database: Callable[..., str], tmp_path: Path
) -> None:
    async with product_with_long_promises(temporal, new_database(), tmp_path) as (product, _):
        number = await product.submit()
        old = (await product.started(number)).terms.calendar
        folder = tmp_path / "calendar"
        folder.mkdir()
        for file in product.settings.calendar.glob("CN-*.toml"):
            if int(file.stem[3:]) <= product.desk.watch.this_year:
                (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        year = product.desk.watch.this_year + 1
        (folder / f"CN-{year}.toml").write_text(
            f'year = {year}\nsource = "test"\nprovisional = false\n[[holiday]]\nname = "x"\nfrom = {year}-01-11\n',
            encoding="utf-8",
        )
        assert [y.year for y in read_years(folder)][-1] == year
        restarted = await open_desk(product.settings.model_copy(update={"calendar": folder}))
        try:
            await until(lambda: _queued(product, number))
            await adopt_once(product.pool, product.environment.client)
            await product.until_row(number, lambda d: d.terms.calendar == restarted.calendar.version != old)
            await product.desk.watch.look()
            assert not await _queued(product, number)
        finally:
            await restarted.close()


# ---- on one product


async def sla_body(http: Http, version: str) -> dict[str, Any]:
    body: dict[str, Any] = http.app.state.desk.district.sla.model_dump(mode="json")
    return {**body, "version": version}


async def test_only_an_administrator_publishes_and_staff_may_look(http: Http, product: Product) -> None:
    for path, body in ((CALENDAR, notice(product)), (SLA, await sla_body(http, "2099.1"))):
        for by in (RESIDENT, SUPERVISOR, product.worker_of("xuanhualu-01").id):
            for suffix in ("", "?dry_run=true"):
                answer = await http.post(path + suffix, body, by)
                assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), answer.text
                assert answer.json()["facts"]["allowed"] == ["admin"]
    for by, status in ((RESIDENT, 403), (SUPERVISOR, 200), (ADMIN, 200)):
        assert (await http.get("/api/v1/publications", by)).status_code == status
    for id in ("0", "x", "999999", "9" * 30):
        assert (await http.get(f"/api/v1/publications/{id}", ADMIN)).status_code == 404


async def test_a_wrong_notice_is_refused_with_key_and_remedy(http: Http, product: Product) -> None:
    good = notice(product)
    year = good["year"]
    before = await counted(product)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"year": str(year)}, "/year"),
        ({"year": float(year) + 0.5}, "/year"),
        ({"provisional": "no"}, "/provisional"),
        ({"source": ""}, "/source"),
        ({"holiday": []}, "/holiday"),
        ({"holidays": []}, "/holidays"),
        ({"holiday": [{"name": "x", "from": f"{year}-02-30"}]}, "/holiday/0/from"),
        ({"holiday": [{"name": "x", "from": 20270101}]}, "/holiday/0/from"),
        ({"holiday": [{"name": "x", "from": f"{year}-02-05", "until": f"{year}-02-01"}]}, "/holiday/0"),
        ({"holiday": [{"name": "x", "from": f"{year}-02-05", "until": f"{year}-05-01"}]}, "/holiday/0"),
    ]
    for change, pointer in refused:
        answer = await http.post(CALENDAR, good | change, ADMIN)
        assert (answer.status_code, code_of(answer)) == (422, "validation_failed"), (change, answer.text)
        assert [e["pointer"] for e in answer.json()["errors"]][:1] == [pointer], (change, answer.text)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"holiday": [{"name": "x", "from": f"{year + 1}-01-01"}]}, f"{year + 1}-01-01"),
        ({"holiday": [{"name": "x", "from": f"{year}-01-01", "work": [f"{year}-01-01"]}]}, f"{year}-01-01"),
        ({"holiday": [{"name": "x", "from": f"{year}-01-01"}, {"name": "y", "from": f"{year}-01-01"}]}, f"{year}-01-01"),
        ({"year": year + 2, "holiday": [{"name": "x", "from": f"{year + 2}-01-01"}]}, "year"),
        ({"holiday": [{"name": f"m{m}", "from": f"{year}-{m:02d}-01", "until": _last_day(year, m)} for m in range(1, 13)]},
         "holiday"),
    ]  # fmt: skip
    for change, key in wrong:
        for suffix in ("", "?dry_run=true"):
            answer = await http.post(CALENDAR + suffix, good | change, ADMIN)
            assert (answer.status_code, code_of(answer)) == (422, "publication_invalid"), (change, answer.text)
            (problem,) = answer.json()["facts"]["problems"]
            assert problem["key"] == key and problem["remedy"], problem
    for content, code in ((b"{", "invalid_json"), (b"[]", "validation_failed"), (b"", "validation_failed")):
        answer = await http.raw(CALENDAR, content, ADMIN)
        assert code_of(answer) == code, answer.text
    assert await counted(product) == before


def _last_day(year: int, month: int) -> str:
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).isoformat()


async def test_new_promises_are_for_new_demands(http: Http, product: Product) -> None:
    old = await product.submit(category=CONSULT)
    promised = (await product.started(old)).terms
    body = await sla_body(http, "2099.1")
    body["classes"]["ordinary"]["resolve"] = {"amount": 5, "unit": "working_days"}
    body["redo_limit"] = 4
    before = await counted(product)
    dry = await http.post(f"{SLA}?dry_run=true", body, ADMIN)
    assert dry.status_code == 200 and await counted(product) == before, dry.text
    tried = dry.json()
    assert tried["demands_changed"] == 0 and tried["would_differ"]["ordinary"]["resolve"] >= 1
    assert set(tried["would_differ"]["ordinary"]) == {"resolve"}
    done = await http.post(SLA, body, ADMIN)
    assert (done.status_code, done.json()["version"], done.json()["queued"]) == (201, "2099.1", 0)
    await until(lambda: _is(product.desk.district.sla.version, "2099.1"))
    new = (await product.started(await product.submit(category=CONSULT))).terms
    assert new.budgets[ClockName.RESOLVE] == Budget(amount=5.0, unit="working_days") and new.redo_limit == 4
    assert (await product.state(old)).terms == promised
    for change, code in (
        ({"redo_limit": 3}, "already_published"),
        ({"version": product.desk.watch.base.sla.version}, "already_published"),
        ({"version": "2099.2", "locate": {"amount": 0, "unit": "hours"}}, "validation_failed"),
        ({"version": "2099.2", "locate": {"amount": 1, "unit": "moons"}}, "validation_failed"),
        ({"version": "2099.2", "locate": {"amount": 1.5, "unit": "working_days"}}, "validation_failed"),
        ({"version": "2099.2", "ladders": [_ladder("999999"), _ladder(None)]}, "publication_invalid"),
        ({"version": "2099.2", "ladders": [_ladder(None), _ladder("1201")]}, "validation_failed"),
    ):
        answer = await http.post(f"{SLA}?dry_run=true", body | change, ADMIN)
        assert code_of(answer) == code, (change, answer.text)
    problems = (
        await http.post(SLA, body | {"version": "2099.2", "ladders": [_ladder("999999"), _ladder(None)]}, ADMIN)
    ).json()
    assert problems["facts"]["problems"][0]["key"] == "ladders[of-999999].when.categories"


def _ladder(category: str | None) -> dict[str, Any]:
    return {
        "id": f"of-{category or 'all'}".lower(),
        "when": {"categories": [category]} if category else None,
        "steps": [{"do": "breach", "percent": 100, "tell": ["holder"]}],
    }


async def test_the_same_key_publishes_once(http: Http, product: Product) -> None:
    body, key = await sla_body(http, "2098.1"), new_key()
    first, second = [await http.post(SLA, body, ADMIN, key=key) for _ in "ab"]
    assert first.status_code == second.status_code == 201, first.text
    assert first.content == second.content and second.headers["idempotency-replayed"] == "true"
    assert first.headers["location"] == second.headers["location"]
    other = await http.post(SLA, {**body, "version": "2098.2"}, ADMIN, key=key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    tried = await http.post(f"{SLA}?dry_run=true", {**body, "version": "2098.2"}, ADMIN, key=key)
    assert tried.status_code == 200  # a dry run publishes nothing, so its key stands for nothing


async def test_the_same_request_sent_twice_at_once_publishes_once(http: Http, product: Product) -> None:
    body, key = await sla_body(http, "2097.1"), new_key()
    answers = await asyncio.gather(*(http.post(SLA, body, ADMIN, key=key) for _ in range(4)))
    assert {a.status_code for a in answers} == {201} and len({a.content for a in answers}) == 1
    assert await product.pool.fetchval("select count(*) from publication where version = '2097.1'") == 1


async def test_of_two_that_publish_at_once_the_second_must_look_again(http: Http, product: Product) -> None:
    bodies = [await sla_body(http, f"2096.{n}") for n in (1, 2, 3)]
    answers = await asyncio.gather(*(http.post(SLA, body, ADMIN) for body in bodies))
    done = [a for a in answers if a.status_code == 201]
    assert done and all(code_of(a) == "published_meanwhile" for a in answers if a not in done)
    found = await product.pool.fetchval("select count(*) from publication where version like '2096.%'")
    assert found == len(done)


async def test_publications_are_listed_page_by_page(http: Http, product: Product) -> None:
    for n in (1, 2):
        assert (await http.post(SLA, await sla_body(http, f"2095.{n}"), ADMIN)).status_code == 201
    first = await http.get("/api/v1/publications", ADMIN, limit=1)
    (newest,) = first.json()
    assert (newest["version"], newest["in_force"], newest["kind"]) == ("2095.2", True, "sla")
    assert newest["published_by"]["id"] == ADMIN and newest["published_at"].endswith("Z") and "body" not in newest
    following = await http.client.get(first.links["next"]["url"], headers=bearer(ADMIN))
    assert [(p["version"], p["in_force"]) for p in following.json()] == [("2095.1", False)]
    one = (await http.get(f"/api/v1/publications/{newest['id']}", ADMIN)).json()
    assert one["body"] == await sla_body(http, "2095.2") and one["progress"] == {"queued": 0, "left": 0, "put_off": 0}


async def test_what_was_published_is_in_force_after_a_restart(http: Http, product: Product) -> None:
    body = await sla_body(http, "2094.1")
    body["refusal_limit"] = 9
    assert (await http.post(SLA, body, ADMIN)).status_code == 201
    async with http_for(product.settings) as restarted:
        assert restarted.app.state.desk.district.sla.version == "2094.1"
        assert restarted.app.state.desk.district.sla.refusal_limit == 9
