"""Open311 conformance, line 23: the update extension, as a poller reads it and as a peer writes to it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.callers import Http, http_for
from tests.builders import BLOCKED_DRAIN, CONSULT, INTEGRATOR, OPERATOR, WASTE, Product, resident
from tests.contract.peers import Peer, faults_of, golden, key_of, rows_of

UPDATES = "/servicerequestupdates"


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def window(back: timedelta = timedelta(hours=2), ahead: timedelta = timedelta(seconds=2)) -> dict[str, str]:
    """As FixMyStreet asks: the last two hours, each time."""
    now = datetime.now(UTC)
    return {"start_date": stamp(now - back), "end_date": stamp(now + ahead)}


async def of(peer: Peer, number: str) -> list[dict[str, Any]]:
    answer = await peer.get(f"{UPDATES}.json", **window())
    assert answer.status_code == 200, answer.text
    return [u for u in answer.json() if u["service_request_id"] == number]


def update(number: str, update_id: str = "fms-1", **more: Any) -> dict[str, Any]:
    told = {"status": "OPEN", "updated_datetime": "2026-09-02T08:00:00+08:00", "description": "还没有来人", **more}
    return {"service_request_id": number, "update_id": update_id, **told}


async def handled(product: Product, peer: Peer, number: str, *, reply: str = "已经办好") -> None:
    worker = product.worker_of((await product.row(number)).place.grid)  # type: ignore[union-attr]
    await product.act(number, worker, "accept")
    await product.act(number, worker, "resolve", reply=reply, note="内部：已联系物业")


async def test_line_23_a_poller_hears_of_each_change_once(peer: Peer, product: Product) -> None:
    number = await peer.create(**{"attribute[fixmystreet_id]": "991"}, description="要听进展")
    assert await of(peer, number) == [], "how it began is no news"
    await handled(product, peer, number)
    await product.act(
        number, product.person(INTEGRATOR), "confirm", contacted=True, solved="yes", satisfied="satisfied"
    )
    await product.act(number, product.operator, "note", note="谁也不告诉")
    told = await of(peer, number)
    assert [u["status"] for u in told] == ["IN_PROGRESS", "INVESTIGATING", "FIXED"]
    assert told[1]["description"].endswith("\n已经办好") and {u["fixmystreet_id"] for u in told} == {"991"}
    assert [u["external_status_code"] for u in told] == ["accepted", "resolved:resolved", "closed:resolved"]
    assert "内部" not in str(told) and "谁也" not in str(told) and "p-0" not in str(told)
    again = await of(peer, number)
    assert again == told, "the same ids and times whenever it is asked"
    assert len({u["update_id"] for u in told}) == 3
    answer = await peer.get(f"{UPDATES}.xml", **window())
    seen = [row for row in rows_of(answer) if row["service_request_id"] == number]
    assert [row["update_id"] for row in seen] == [u["update_id"] for u in told]
    peer.said.clear()
    await peer.get(f"{UPDATES}.xml", service_request_id=number)
    golden(23, peer)


async def test_line_23_the_window_has_an_end_that_is_not_in_it(peer: Peer, product: Product) -> None:
    number = await peer.create(description="窗口")
    await handled(product, peer, number)
    at = await product.pool.fetchval(
        "select recorded_at from demand_event where number = $1 and type = 'accepted'", number
    )
    second = at.replace(microsecond=0)
    for start, end, there in (
        (second, second + timedelta(seconds=1), True),
        (second - timedelta(hours=1), second, False),
        (second + timedelta(seconds=1), second + timedelta(hours=1), False),
    ):
        answer = await peer.get(
            f"{UPDATES}.json", start_date=stamp(start), end_date=stamp(end), service_request_id=number
        )
        assert ("accepted" in [u["external_status_code"] for u in answer.json()]) is there
    for wrong, code in (
        ({"start_date": stamp(second)}, "400003"),
        ({"end_date": stamp(second)}, "400003"),
        ({"start_date": "yesterday", "end_date": stamp(second)}, "400020"),
        ({"start_date": stamp(second - timedelta(days=91)), "end_date": stamp(second)}, "400021"),
    ):
        answer = await peer.get(f"{UPDATES}.json", **wrong)
        assert (answer.status_code, faults_of(answer)) == (400, [code])


async def test_line_23_what_was_written_down_late_is_not_missed(peer: Peer, product: Product) -> None:
    number = await peer.create(description="写得晚")
    await handled(product, peer, number)
    # The instant of the deed is three hours ago, as after an outage of the database; the writing is of now.
    await product.pool.execute("update demand_event set at = at - interval '3 hours' where number = $1 and type = 'accepted'", number)  # fmt: skip
    told = [u for u in await of(peer, number) if u["status"] == "IN_PROGRESS"]
    assert len(told) == 1
    assert abs(datetime.fromisoformat(told[0]["updated_datetime"]) - datetime.now(UTC)) < timedelta(hours=1)


async def test_line_23_an_update_of_a_peer_is_done_once(peer: Peer, http: Http, product: Product) -> None:
    number = await peer.create(description="会有补充")
    first = await peer.post(
        f"{UPDATES}.xml", update(number, description="还在漏\n第二行", first_name="丽", last_name="王")
    )
    again = await peer.post(
        f"{UPDATES}.xml", update(number, description="还在漏\n第二行", first_name="丽", last_name="王")
    )
    together = await asyncio.gather(
        *(peer.post(f"{UPDATES}.xml", update(number, "fms-2", description="一起来的")) for _ in range(10))
    )
    assert {a.status_code for a in (first, again, *together)} == {200}
    assert first.content == again.content and len({a.content for a in together}) == 1
    assert rows_of(first)[0]["update_id"] != rows_of(together[0])[0]["update_id"]
    notes = [
        t for t in (await http.get(f"/api/v1/demands/{number}/texts", OPERATOR)).json()["texts"] if t["kind"] == "note"
    ]
    assert len(notes) == 2 and (await product.types(number)).count("note_added") == 2
    assert notes[0]["text"].startswith("还在漏\n第二行") and "留言人：王丽" in notes[0]["text"]
    other = await peer.post(f"{UPDATES}.xml", update(number, description="另一番话"))
    assert (other.status_code, faults_of(other)) == (400, ["400040"])
    assert await of(peer, number) == [], "a note is not told to anybody"


async def test_an_update_that_lost_its_answer_is_not_done_again(peer: Peer, product: Product) -> None:
    """The update reopened the demand; then the process died, so nothing but the demand itself remembers."""
    number = await peer.create(description="会重开")
    await handled(product, peer, number)
    await product.act(
        number, product.person(INTEGRATOR), "confirm", contacted=True, solved="yes", satisfied="satisfied"
    )
    sent = update(number, "fms-9", status="REOPEN", description="又坏了")
    first = await peer.post(f"{UPDATES}.json", sent)
    assert first.status_code == 200, first.text
    await product.pool.execute("delete from idempotency where answer = $1", first.json()[0]["update_id"])
    again = await peer.post(f"{UPDATES}.json", sent)
    assert again.json() == first.json()
    types = await product.types(number)
    assert (types.count("reopened"), types.count("note_added")) == (1, 2)  # ours, and the worker's own


async def test_what_a_status_of_a_peer_does(peer: Peer, product: Product) -> None:
    cancelled, fixed, closed = [await peer.create(description=f"状态 {n}") for n in range(3)]
    await peer.post(f"{UPDATES}.json", update(cancelled, status="cancelled", description="不用了"))
    row = await product.row(cancelled)
    assert (row.stage, row.outcome) == ("closed", "withdrawn")
    assert [u["status"] for u in await of(peer, cancelled)] == ["CANCELLED"]
    before = (await product.row(fixed)).stage
    await peer.post(f"{UPDATES}.json", update(fixed, status="FIXED", description="自己好了"))
    assert (await product.row(fixed)).stage == before, "only the reporter's answers close it"
    await handled(product, peer, closed)
    await product.act(
        closed, product.person(INTEGRATOR), "confirm", contacted=True, solved="yes", satisfied="satisfied"
    )
    await peer.post(f"{UPDATES}.json", update(closed, status="OPEN", description="又来了"))
    assert (await product.row(closed)).stage != "closed"
    assert [u["status"] for u in await of(peer, closed)][-1] == "REOPEN"
    over = await peer.post(f"{UPDATES}.json", update(cancelled, "fms-2", status="REOPEN", description="还是要"))
    assert (over.status_code, faults_of(over)) == (400, ["400041"])


async def test_updates_that_are_refused(peer: Peer, public: Peer, product: Product) -> None:
    number, foreign = await peer.create(description="拒绝"), await product.submit(resident(3))
    cases: tuple[tuple[dict[str, Any], int, list[str]], ...] = (
        ({}, 400, ["400003"] * 5),
        (update(number, status=""), 400, ["400003"]),
        (update(number, status="DONE"), 400, ["400013"]),
        (update(number, updated_datetime="2026-09-02"), 400, ["400020"]),
        (update(number, description="长" * 4001), 400, ["400030"]),
        (update("20200101-000001"), 404, ["404003"]),
        (update("joint-meeting"), 404, ["404003"]),
        (update(foreign), 403, ["403002"]),
        ({**update(number), "jurisdiction_id": "elsewhere"}, 404, ["404001"]),
    )
    for fields, status, codes in cases:
        for fmt in ("xml", "json"):
            answer = await peer.post(f"{UPDATES}.{fmt}", fields)
            assert (answer.status_code, faults_of(answer)) == (status, codes), fields
    for key in (None, "wrong", key_of(OPERATOR)):
        public.key = key
        for answer in (await public.post(f"{UPDATES}.xml", update(number)), await public.get(f"{UPDATES}.xml")):
            assert answer.status_code == 403, key
    assert "note_added" not in await product.types(number)


async def test_the_road_through_unit_meeting_and_redo_is_told(peer: Peer, product: Product) -> None:
    number = await peer.create(service_code=BLOCKED_DRAIN, description="管道堵塞")
    unit = (await product.row(number)).unit
    assert unit is not None
    liaison = product.liaison_of(unit)
    await product.act(number, liaison, "accept")
    await product.act(number, liaison, "request_info", reason="awaiting_access")
    await product.act(number, liaison, "resume")
    await product.act(number, liaison, "escalate", reason="several_units")
    assert [u["status"] for u in await of(peer, number)] == ["IN_PROGRESS"] * 3 + ["INTERNAL_REFERRAL"]
    community = (await product.row(number)).community
    assert community is not None
    await product.until_agenda(community, number)
    due = (product.desk.now() + timedelta(days=30)).isoformat()
    await product.decide(community, product.secretary_of(community), number, "assign", unit=unit, due_at=due)
    await product.until_row(number, lambda d: d.stage == "unit")
    await product.act(number, liaison, "resolve", reply="已疏通")
    checker = product.supervisor
    await product.act(number, checker, "verify", ok=False)
    told = [u["status"] for u in await of(peer, number)]
    assert told[4:] == ["IN_PROGRESS", "INVESTIGATING", "REOPEN"]


async def test_public_changes_of_others_are_told_without_words(peer: Peer, product: Product) -> None:
    number = await product.submit(resident(4), category=CONSULT)
    await handled(product, peer, number, reply="王女士您好，已办")
    told = await of(peer, number)
    assert [u["status"] for u in told] == ["IN_PROGRESS", "INVESTIGATING"] and "王女士" not in str(told)
    hidden = await product.submit(resident(4), category=CONSULT, confidential=True)
    await handled(product, peer, hidden)
    assert await of(peer, hidden) == []


async def test_a_window_with_too_much_in_it_is_refused_and_nothing_is_left_out(
    peer: Peer, product: Product, monkeypatch: Any
) -> None:
    number = await peer.create(service_code=WASTE, description="太多")
    await handled(product, peer, number)
    monkeypatch.setattr("service.open311_history.MOST_UPDATES", 1)
    answer = await peer.get(f"{UPDATES}.json", **window())
    assert (answer.status_code, faults_of(answer)) == (400, ["400022"])


async def test_the_database_away_is_said_in_open311s_own_words(peer: Peer, product: Product) -> None:
    async with http_for(product.settings) as http:
        other = Peer(http.client, INTEGRATOR)
        await http.app.state.desk.pool.close()
        for fmt in ("xml", "json"):
            answer = await other.get(f"/requests.{fmt}")
            assert (answer.status_code, faults_of(answer)) == (503, ["503001"]) and answer.headers["retry-after"]
