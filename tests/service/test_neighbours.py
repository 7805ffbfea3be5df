"""A demand goes to a city system exactly once, whatever that system does, and nothing waits without an instant and an owner."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.masking import STRUCK
from domain.neighbours import Neighbour, State
from domain.vocabulary import Stage
from tests.builders import BLOCKED_DRAIN, SUPERVISOR, Product, resident, running_product, until
from tests.service.neighbour_ground import KEY, UNIT, Ground, city, to, with_room

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest_asyncio.fixture(scope="module")
async def product(
    temporal: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:  # fmt: skip
    keys = json.dumps({"city": KEY})
    pack = with_room(tmp_path_factory.mktemp("pack"))
    async with running_product(
        temporal, database, neighbour_allow="127.0.0.0/8", neighbour_keys=keys, pack=pack
    ) as running:
        yield running


At = Callable[..., Ground]


@pytest_asyncio.fixture
async def at(product: Product) -> AsyncIterator[At]:
    """Makes a worker's neighbours, and closes them."""
    made: list[Ground] = []

    def make(neighbour: Neighbour, **more: Any) -> Ground:
        made.append(Ground(product, neighbour, **more))
        return made[-1]

    yield make
    for one in made:
        await one.keeper.close()


async def texts(product: Product, number: str, kind: str) -> list[str]:
    rows = await product.pool.fetch(
        "select sealed from demand_text where number = $1 and kind = $2 order by written_at, id", number, kind
    )
    return [product.desk.sealer.open(row["sealed"], number) for row in rows]


async def test_sent_followed_and_resolved_with_their_words(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit(
            text="三楼下水道堵了，联系张小满 13912345678", reporter={"name": "张小满", "phone": "13912345678"}
        )
        sent = await ground.row(number)
        assert (sent.state, sent.their_id, sent.attempts, sent.last_error) == (State.SENT, "C-1", 0, None)
        (form,) = there.forms
        assert form["service_code"] == "DRAIN" and number in form["description"] and form["account_id"] == number
        assert not {"last_name", "phone", "email"} & form.keys()
        assert "张小满" not in str(form) and "13912345678" not in str(form) and STRUCK in form["description"]
        refs = await product.pool.fetch("select system, ref from external_ref where number = $1", number)
        assert [tuple(r) for r in refs] == [("city", "C-1")]

        there.change("C-1", "open", "", "IN_PROGRESS")
        await ground.work(15 * MINUTE)
        assert (await product.row(number)).accepted
        there.change("C-1", "closed", "已疏通，找王师傅 13800001111", minute=2)
        await ground.work(15 * MINUTE)
        ours = await product.row(number)
        assert (ours.stage, ours.handler) == (Stage.FEEDBACK, "neighbour:city")
        assert await texts(product, number, "reply") == [f"已疏通，找王师傅 {STRUCK}"]
        assert there.keys == {KEY} and len(there.forms) == 1
        row = await ground.row(number)
        assert row.resolved_at is not None and row.state is State.SENT  # they may open it again


async def test_down_for_an_hour_then_sent_once(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        await there.stop()
        number = await ground.submit()
        first = await ground.row(number)
        assert (first.state, first.last_error, first.attempts, first.unsure) == (State.FAILED, "unreachable", 1, False)
        assert first.next_at > first.planned_at
        await ground.work()
        assert (await ground.row(number)).attempts == 1, "not before its time"
        for _ in range(6):
            await ground.work(10 * MINUTE)
        assert (await ground.row(number)).attempts > 3
        await there.start()
        await ground.work(HOUR)
        assert (await ground.row(number)).state is State.SENT
        assert len(there.requests) == 1 and there.listed == 0, "nothing had gone out: there was nothing to look up"


@pytest.mark.parametrize(
    ("mode", "code"),
    [("html", "garbage"), ("busy", "http_503"), ("lost", "dropped"), ("slow", "timed_out"), ("huge", "too_large")],
)
async def test_an_answer_that_is_lost_is_looked_up_before_anything_is_sent_again(
    product: Product, at: At, mode: str, code: str
) -> None:
    async with city(mode=mode) as there:
        ground = at(to(there.url))
        number = await ground.submit()
        row = await ground.row(number)
        assert (row.state, row.last_error, row.unsure) == (State.FAILED, code, True)
        there.mode = "ok"
        there.reads = mode
        await ground.work(3 * MINUTE)
        assert len(there.requests) == 1, "they could not say whether they have it"
        there.reads = "ok"
        await ground.work(10 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.their_id, row.possible_double) == (State.SENT, "C-1", False)
        assert len(there.requests) == 1


async def test_what_did_not_arrive_is_sent_again_after_a_look(product: Product, at: At) -> None:
    async with city(mode="empty") as there:
        ground = at(to(there.url))
        number = await ground.submit()
        assert (await ground.row(number)).last_error == "no_id"
        there.mode = "ok"
        await ground.work(2 * MINUTE)
        assert (await ground.row(number)).their_id == "C-1" and there.listed >= 1


async def test_a_possible_double_is_shown_where_nobody_can_look(product: Product, at: At) -> None:
    async with city(mode="lost") as there:
        ground = at(to(there.url, known_by="nothing"))
        number = await ground.submit()
        assert not (await ground.row(number)).possible_double
        there.mode = "ok"
        await ground.work(2 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.possible_double, len(there.requests), there.listed) == (State.SENT, True, 2, 0)


async def test_what_they_refuse_is_not_looked_up_and_shows_why(product: Product, at: At) -> None:
    async with city(mode="refused") as there:
        ground = at(to(there.url))
        number = await ground.submit()
        row = await ground.row(number)
        assert (row.state, row.last_error, row.unsure) == (State.FAILED, "http_400", False)
        there.mode = "ok"
        await ground.work(2 * MINUTE)
        assert (await ground.row(number)).state is State.SENT and there.listed == 0


async def test_ended_between_sending_and_writing_down(product: Product, at: At) -> None:
    async with city(mode="hold") as there:
        ground = at(to(there.url))
        await ground.work()
        number = await product.submit(resident(1), category=BLOCKED_DRAIN)
        await product.started(number)

        async def arrived() -> bool | None:
            await ground.keeper.look(product.environment.client)
            return True if there.requests else None

        await until(arrived)
        await ground.keeper.close()  # nothing of it is written down
        held = await ground.row(number)
        assert (held.state, held.unsure, held.their_id) == (State.WAITING, True, None)
        there.mode = "ok"
        another = at(to(there.url), offset=ground.offset)
        await another.work()
        assert (await ground.row(number)).their_id is None, "it may still be at it"
        await another.work(11 * MINUTE)
        assert (await ground.row(number)).their_id == "C-1" and len(there.requests) == 1


async def test_killed_between_sending_and_writing_down(product: Product, at: At, project_root: Path) -> None:
    async with city(mode="hold") as there:
        ground = at(to(there.url))
        await ground.work()
        number = await product.submit(resident(1), category=BLOCKED_DRAIN)
        await product.started(number)
        words = (product.settings.database_url, product.settings.temporal_address, there.url)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.service.neighbour_process", *words, cwd=project_root
        )  # fmt: skip

        async def arrived() -> bool | None:
            return True if there.requests else None

        await until(arrived, seconds=60)
        worker.kill()
        assert await worker.wait() == -9
        there.mode = "ok"
        await ground.work()
        assert (await ground.row(number)).their_id is None, "it may still be at it"
        await ground.work(11 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.their_id, row.possible_double) == (State.SENT, "C-1", False)
        assert len(there.requests) == 1


async def test_two_workers_send_each_once(product: Product, at: At) -> None:
    async with city() as there:
        one, two = at(to(there.url)), at(to(there.url))
        await one.work()
        numbers = [await product.submit(resident(1), category=BLOCKED_DRAIN) for _ in range(12)]
        for number in numbers:
            await product.started(number)
        await asyncio.gather(*(g.work() for g in (one, two, one, two)))
        await one.work()
        sent = [n for form in there.forms for n in numbers if n in form["description"]]
        assert sorted(sent) == sorted(numbers)
        assert {(await one.row(n)).state for n in numbers} == {State.SENT}


async def test_a_token_becomes_an_id(product: Product, at: At) -> None:
    async with city(mode="token") as there:
        ground = at(to(there.url))
        number = await ground.submit()
        row = await ground.row(number)
        assert (row.state, row.token, row.their_id) == (State.SENT, "T-1", None)
        await ground.work(15 * MINUTE)
        assert (await ground.row(number)).their_id is None
        there.tokens["T-1"] = "C-1"
        there.change("C-1", "closed", "好了")
        await ground.work(15 * MINUTE)
        assert (await ground.row(number)).their_id == "C-1"
        assert (await product.row(number)).stage is Stage.FEEDBACK


async def test_given_up_after_a_day_with_a_note_and_a_notice_to_its_owner(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        await there.stop()
        number = await ground.submit()
        for _ in range(13):
            await ground.work(2 * HOUR)
        row = await ground.row(number)
        assert (row.state, row.last_error) == (State.GIVEN_UP, "unreachable") and row.ended_at is not None
        assert any("unreachable" in words for words in await texts(product, number, "note"))
        told = await product.pool.fetch(
            "select person from notice where number = $1 and event = 'neighbour_silent'", number
        )
        liaison = product.desk.district.unit(UNIT).liaison
        assert {r["person"] for r in told} == {liaison, SUPERVISOR}
        assert (await product.row(number)).unit == UNIT, "the unit is still responsible"


async def test_an_address_inside_is_not_reached_unless_it_is_allowed(
    temporal: WorkflowEnvironment, product: Product, at: At
) -> None:
    async with city() as there:
        ground = at(to(there.url))
        guarded = product.settings.model_copy(update={"neighbour_allow": ""})
        ground.keeper._settings = guarded
        number = await ground.submit()
        row = await ground.row(number)
        assert (row.state, row.last_error, row.unsure) == (State.FAILED, "address_refused", False)
        assert there.forms == []


async def test_not_theirs_goes_on_to_the_next_unit(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        there.change("C-1", "closed", "不属我单位", "NOT_COUNCILS_RESPONSIBILITY")
        await ground.work(15 * MINUTE)
        row, types = await ground.row(number), await product.types(number)
        assert "unit_refused" in types and (row.state, row.last_error) == (State.DONE, "refused")


async def test_a_duplicate_there_is_given_back_to_the_liaison(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        there.change("C-1", "closed", "与 C-0 重复", "DUPLICATE")
        await ground.work(15 * MINUTE)
        row, ours = await ground.row(number), await product.row(number)
        assert (row.state, row.last_error) == (State.GIVEN_UP, "handed_back_there")
        assert ours.stage is Stage.UNIT and any("C-0" in words for words in await texts(product, number, "note"))


async def test_opened_again_there_is_told_and_the_demand_stays_where_it_is(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        there.change("C-1", "closed", "已疏通")
        await ground.work(15 * MINUTE)
        there.change("C-1", "open", "又堵了", minute=5)
        await ground.work(15 * MINUTE)
        assert any("又堵了" in words for words in await texts(product, number, "note"))
        assert (
            await product.pool.fetchval(
                "select count(*) from notice where event = 'neighbour_silent' and number = $1", number
            )
            == 2
        )
        there.change("C-1", "closed", "再次疏通", minute=9)
        await ground.work(15 * MINUTE)
        assert any("再次疏通" in words for words in await texts(product, number, "note"))
        assert (await product.row(number)).stage is Stage.FEEDBACK
        await ground.work(timedelta(days=8))
        assert (await ground.row(number)).state is State.DONE


async def test_a_paused_demand_is_resolved_when_it_goes_on(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        liaison = product.liaison_of(UNIT)
        await product.act(number, liaison, "accept")
        await product.act(number, liaison, "request_info", reason="weather")
        there.change("C-1", "closed", "已疏通")
        await ground.work(15 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.last_error, row.resolved_at) == (State.SENT, "here_stage_forbids", None)
        await product.act(number, liaison, "resume")
        await ground.work(HOUR)
        assert (await product.row(number)).stage is Stage.FEEDBACK and (await ground.row(number)).last_error is None


async def test_handled_by_the_unit_itself_it_is_followed_no_more(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        await product.act(number, product.liaison_of(UNIT), "resolve", reply="我们自己修好了")
        await ground.work(15 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.last_error) == (State.STOPPED, "left_unit")


async def test_what_is_confidential_or_of_another_category_stays(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit(confidential=True)
        assert await ground.rows(number) == [] and there.forms == []
        ground = at(to(there.url, services={"0101": "WASTE"}))
        number = await ground.submit()
        assert await ground.rows(number) == []


async def test_the_reporter_goes_along_only_where_it_is_allowed_and_that_is_kept(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url, share_reporter=True))
        number = await ground.submit(reporter={"name": "张小满", "phone": "13912345678"}, text="张小满家下水道堵了")
        (form,) = there.forms
        assert (form["last_name"], form["phone"]) == ("张小满", "13912345678") and "张小满" in form["description"]
        reads = await product.pool.fetch(
            "select actor, what, fields from personal_read where subject = $1 and actor = 'neighbour:city'", number
        )
        assert [(r["what"], sorted(r["fields"])) for r in reads] == [("forwarding", ["name", "phone", "text"])]


async def test_a_system_that_left_the_pack_leaves_nothing_waiting(product: Product, at: At) -> None:
    async with city() as there:
        ground = at(to(there.url))
        number = await ground.submit()
        other = at(to(there.url, id="other"), offset=ground.offset)
        await other.work(15 * MINUTE)
        row = await ground.row(number)
        assert (row.state, row.last_error) == (State.GIVEN_UP, "not_configured")
