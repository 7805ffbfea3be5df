"""Open311 conformance, lines 12-17, 20-22 and 24: which requests a list holds, and what stands in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from tests.api.callers import Http
from tests.builders import BLOCKED_DRAIN, CONSULT, INTEGRATOR, PARKING, Product, resident
from tests.contract.peers import Peer, faults_of, golden, rows_of

POINT = {"lat": "29.3667", "long": "105.9100"}


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["service_request_id"] for row in answer.json()]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def copied(product: Product, number: str, days_ago: int, *, as_number: int = 1) -> str:
    """The same demand as if it had been opened that many days ago, with its log."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    other = f"{at + timedelta(hours=8):%Y%m%d}-{as_number:06d}"
    columns = "seq, head, stage, category, channel, community, grid, compound, unit, holder, meeting, opened_by, outcome, breached, due_at, closed_at, state"
    await product.pool.execute(
        f"insert into demand (number, opened_at, updated_at, {columns}) select $2, $3, $3, {columns} from demand where number = $1",
        number, other, at,
    )  # fmt: skip
    await product.pool.execute(
        "insert into demand_event (number, seq, type, at, actor, data, hash, recorded_at) select $2, seq, type, $3, actor, data, hash, $3 from demand_event where number = $1",
        number, other, at,
    )  # fmt: skip
    return other


@pytest_asyncio.fixture(scope="module")
async def old(product: Product) -> AsyncIterator[dict[int, str]]:
    """A demand of a resident, and copies of it opened 30, 80, 100 and 200 days ago."""
    number = await product.submit(resident(7))
    yield {0: number, **{days: await copied(product, number, days) for days in (30, 80, 100, 200)}}


async def test_line_12_named_ids_override_everything_else(public: Peer, old: dict[int, str]) -> None:
    wanted = f"{old[200]},{old[0]},none"
    answer = await public.get(
        "/requests.json", service_request_id=wanted, status="closed", service_code="010101",
        start_date="2026-01-01T00:00:00Z", end_date="2026-01-02T00:00:00Z",
    )  # fmt: skip
    assert ids(answer) == [old[0], old[200]]
    assert [r["service_request_id"] for r in rows_of(await public.get("/requests.xml", service_request_id=wanted))] == [
        old[0], old[200],
    ]  # fmt: skip
    golden(12, public)


async def test_line_13_a_span_of_91_days_is_refused(public: Peer) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for days, status in ((90, 200), (91, 400)):
        dates = {"start_date": stamp(start), "end_date": stamp(start + timedelta(days=days))}
        answer = await public.get("/requests.json", **dates)
        assert answer.status_code == status
    assert faults_of(answer) == ["400021"]
    assert (
        ids(await public.get("/requests.json", start_date=stamp(start), end_date=stamp(start - timedelta(days=1))))
        == []
    )
    golden(13, public)


async def test_line_14_the_last_90_days_at_most_1000_newest_first(
    public: Peer, product: Product, old: dict[int, str]
) -> None:
    found = ids(await public.get("/requests.json"))
    assert {old[0], old[30], old[80]} <= set(found) and not {old[100], old[200]} & set(found)
    assert found.index(old[0]) < found.index(old[30]) < found.index(old[80])
    then = datetime.now(UTC) - timedelta(days=100)
    one_sided = [
        await public.get("/requests.json", end_date=stamp(then + timedelta(days=1))),
        await public.get("/requests.json", start_date=stamp(then - timedelta(days=1))),
    ]
    assert old[100] in ids(one_sided[0]) and old[200] not in ids(one_sided[0]) and old[0] not in ids(one_sided[0])
    assert old[100] in ids(one_sided[1]) and old[30] in ids(one_sided[1]) and old[0] not in ids(one_sided[1])
    columns = "seq, head, stage, category, channel, community, grid, opened_by, breached, opened_at, updated_at, state"
    await product.pool.execute(
        f"insert into demand (number, {columns}) select '20200101-' || (100000 + n), {columns} from demand,"
        " generate_series(1, 1200) n where number = $1", old[0],
    )  # fmt: skip
    await product.pool.execute("update demand set number = replace(number, '20200101', substr($1, 1, 8)) where number like '20200101-%'", old[30])  # fmt: skip
    await product.pool.execute("update demand set opened_at = now() - interval '30 days' where number like substr($1, 1, 9) || '1%'", old[30])  # fmt: skip
    many = ids(await public.get("/requests.json"))
    assert len(many) == 1000 and many == sorted(many, reverse=True) and many[0] == found[0]
    await product.pool.execute("delete from demand where number like substr($1, 1, 9) || '1%'", old[30])
    public.said.clear()
    await public.get("/requests.xml", service_code=(await product.row(old[0])).category, end_date=stamp(then + timedelta(days=1)))  # fmt: skip
    golden(14, public)


async def test_line_15_status_is_a_list(public: Peer, peer: Peer, product: Product) -> None:
    number, other = await peer.create(description="要撤回的"), await peer.create(description="留着的")
    await product.act(number, product.person(INTEGRATOR), "withdraw")
    both = set(ids(await public.get("/requests.json", status="open,closed")))
    assert {number, other} <= both == set(ids(await public.get("/requests.json")))
    closed = set(ids(await public.get("/requests.json", status="closed")))
    opened = set(ids(await public.get("/requests.json", status="open")))
    assert number in closed and other in opened and closed | opened == both and not closed & opened
    assert faults_of(await public.get("/requests.json", status="open,done")) == ["400013"]
    codes = f"{CONSULT},010101"
    assert number in ids(await public.get("/requests.json", service_code=codes))
    assert number not in ids(await public.get("/requests.json", service_code="010101"))
    only = await peer.create(description="只此一类", service_code="090101")
    await product.act(only, product.person(INTEGRATOR), "withdraw")
    public.said.clear()
    for status in ("open,closed", "open", "closed"):
        await public.get("/requests.xml", service_code="090101", status=status)
    golden(15, public)


async def test_line_16_of_a_closed_one_updated_is_the_instant_of_closing(peer: Peer, product: Product) -> None:
    number = await peer.create(description="要结案的")
    worker = product.worker_of((await peer.get(f"/requests/{number}.json")).json()[0]["address_id"])
    await product.act(number, worker, "accept")
    await product.act(number, worker, "resolve", reply="已经办好")
    peer.said.clear()
    await product.act(
        number, product.person(INTEGRATOR), "confirm", contacted=True, solved="yes", satisfied="satisfied"
    )
    closed_at = (await product.row(number)).closed_at
    assert closed_at is not None
    await product.act(number, product.operator, "note", note="结案以后的便条")
    later = await product.pool.fetchval("select updated_at from demand where number = $1", number)
    assert later > closed_at
    found = (await peer.get(f"/requests/{number}.json", extensions="true")).json()[0]
    assert (found["status"], found["extended_attributes"]["extended_status"]) == ("closed", "FIXED")
    assert datetime.fromisoformat(found["updated_datetime"]) == closed_at.replace(microsecond=0)
    assert found["status_notes"] == "已经办好" and "便条" not in str(found)
    golden(16, peer)


async def test_line_17_expected_is_the_engines_due_and_unknown_while_paused(peer: Peer, product: Product) -> None:
    number = await peer.create(description="要暂停的")
    due = (await product.row(number)).clocks["resolve"].due_at
    found = (await peer.get(f"/requests/{number}.json")).json()[0]
    assert datetime.fromisoformat(found["expected_datetime"]) == due.replace(microsecond=0)
    worker = product.worker_of(found["address_id"])
    await product.act(number, worker, "accept")
    await product.act(number, worker, "request_info", reason="awaiting_reporter")
    paused = (await peer.get(f"/requests/{number}.json")).json()[0]
    assert paused["expected_datetime"] is None and paused["status"] == "open"
    await product.act(number, worker, "resume")
    again = (await peer.get(f"/requests/{number}.json")).json()[0]
    assert datetime.fromisoformat(again["expected_datetime"]) >= due.replace(microsecond=0)
    golden(17, peer)


CORE = {
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat",
    "long", "media_url",
}  # fmt: skip


async def test_line_20_extension_fields_only_for_who_asks(public: Peer, product: Product) -> None:
    number = await product.submit(resident(8))
    for more in ({}, {"extensions": "false"}, {"extensions": ""}):
        for path in (f"/requests/{number}", "/requests"):
            assert all(set(row) == CORE for row in (await public.get(f"{path}.json", **more)).json())
    public.said.clear()
    extended = (await public.get(f"/requests/{number}.json", extensions="true")).json()[0]
    assert set(extended) == CORE | {"extended_attributes", "attributes", "notes"}
    assert extended["extended_attributes"]["extended_status"] == "OPEN"
    assert b"<extended_attributes>" in (await public.get(f"/requests/{number}.xml", extensions="true")).content
    golden(20, public)


async def test_line_21_pages(public: Peer, product: Product) -> None:
    made = [await product.submit(resident(9), category=PARKING) for _ in range(5)]
    asked = {"service_code": PARKING, "page_size": 2}
    first = await public.get("/requests.json", **asked, page=1)
    names = ("x-result-count", "x-page-count", "x-page-size")
    assert [first.headers[name] for name in names] == ["5", "3", "2"]
    assert "x-previous-page-url" not in first.headers
    pages, url = [first], first.headers.get("x-next-page-url")
    while url:
        pages.append(await public.client.get(url))
        url = pages[-1].headers.get("x-next-page-url")
    assert [ids(page) for page in pages] == [made[:2:-1], made[2:0:-1], made[:1]]
    assert ids(await public.client.get(pages[1].headers["x-previous-page-url"])) == ids(first)
    golden(21, public)
    assert ids(await public.get("/requests.json", **asked, page=0)) == ids(first)
    beyond = await public.get("/requests.json", **asked, page=99)
    assert (beyond.status_code, beyond.json(), beyond.headers["x-result-count"]) == (200, [], "5")
    assert len(ids(await public.get("/requests.json", page=1))) <= 50
    for wrong in ({"page": "-1"}, {"page": "x"}, {"page_size": "0"}):
        assert faults_of(await public.get("/requests.json", **wrong)) == ["400013"]
    huge = await public.get("/requests.json", page_size=99999)
    assert huge.headers["x-page-size"] == "500"


async def test_line_21_no_address_of_a_page_holds_a_key(peer: Peer) -> None:
    for n in range(3):
        await peer.create(description=f"翻页 {n}", service_code="070101")
    answer = await peer.get("/requests.json", page_size=1)
    assert "page=2" in answer.headers["x-next-page-url"] and "api_key" not in answer.headers["x-next-page-url"]


async def test_line_22_an_old_case_that_changed_is_found_by_its_change(public: Peer, product: Product) -> None:
    number = await product.submit(resident(10), category="030201")
    other = await product.submit(resident(10), category="030201")
    past = datetime.now(UTC) - timedelta(days=200)
    age = "update demand set opened_at = $2, updated_at = $2 where number = $1"
    for one in (number, other):
        await product.pool.execute(age, one, past)
        await product.pool.execute("update demand_event set recorded_at = $2 where number = $1", one, past)
    before = stamp(await product.pool.fetchval("select now() - interval '2 seconds'"))
    assert not {number, other} & set(ids(await public.get("/requests.json", updated_after=before)))
    grid = (await product.row(number)).place.grid  # type: ignore[union-attr]
    await product.act(number, product.worker_of(grid), "accept")
    public.said.clear()
    changed = ids(await public.get("/requests.json", updated_after=before, service_code="030201"))
    golden(22, public)
    assert number in changed and other not in changed
    assert number not in ids(await public.get("/requests.json")), "it is older than 90 days"
    assert number not in ids(await public.get("/requests.json", updated_before=before))
    await product.act(other, product.operator, "note", note="内部便条")
    assert other not in ids(await public.get("/requests.json", updated_after=before)), "a note is nobody's news"


async def test_line_24_what_is_private_is_never_shown_to_others(public: Peer, peer: Peer, product: Product) -> None:
    confidential = await product.submit(resident(11), confidential=True)
    private = await product.submit(resident(11), category="080301")
    own = await peer.create(service_code="080301", description="困难家庭")
    hidden = {confidential, private, own}
    everything = {"status": "open,closed", "extensions": "true", "service_code": f"{CONSULT},080301"}
    for who in (public, peer):
        seen = set(ids(await who.get("/requests.json", **everything)))
        named = set(ids(await who.get("/requests.json", service_request_id=",".join(sorted(hidden)))))
        assert hidden & (seen | named) == ({own} if who is peer else set())
        counted = await who.get("/requests.json", **everything, page_size=1)
        assert int(counted.headers["x-result-count"]) == len(seen)
        for number in hidden - {own}:
            for fmt in ("xml", "json"):
                answer = await who.get(f"/requests/{number}.{fmt}")
                assert (answer.status_code, faults_of(answer)) == (404, ["404003"])
    assert not hidden & {u["service_request_id"] for u in (await peer.get("/servicerequestupdates.json")).json()} - {
        own
    }
    assert faults_of(await public.get(f"/requests/{own}.json")) == ["404003"]
    public.said.clear()
    await public.get(f"/requests/{private}.xml")
    golden(24, public)


async def test_the_public_reads_nothing_that_anybody_wrote(public: Peer, http: Http, product: Product) -> None:
    d = product.desk.district
    compound = d.compounds[0]
    number = await product.submit(
        resident(12), grid=None, text="张三丰家漏水 13800138000",
        location={"compound": compound.id, "building": "9栋", "room": "901"}, reporter={"name": "张三丰", "phone": "13800138000"},
    )  # fmt: skip
    found = await public.get(f"/requests/{number}.json", extensions="true")
    for secret in ("张三丰", "13800138000", "9栋", "901", compound.name, compound.id, "resident-", "p-0"):
        assert secret not in found.text, secret
    row = found.json()[0]
    assert row["description"] == row["service_name"] and row["address_id"] == compound.grid
    assert (row["lat"], row["long"]) != (compound.lat, compound.lon)
    assert d.grid_at(row["lat"], row["long"]).id == compound.grid  # type: ignore[union-attr]
    assert found.headers["access-control-allow-origin"] == "*"


async def test_whoever_reads_words_leaves_a_trace(peer: Peer, public: Peer, product: Product) -> None:
    number = await peer.create(description="会被读到的话")
    traces = "select count(*) from personal_read where subject = $1 and what = 'open311'"
    await public.get(f"/requests/{number}.json")
    assert await product.pool.fetchval(traces, number) == 0
    answer = await peer.get(f"/requests/{number}.json")
    assert answer.headers["cache-control"] == "no-store" and "access-control-allow-origin" not in answer.headers
    assert await product.pool.fetchval(traces, number) == 1


async def test_a_duplicate_is_not_listed_but_told_to_who_asks_for_it(public: Peer, product: Product) -> None:
    primary, double = await product.submit(resident(13)), await product.submit(resident(14))
    await product.started(primary)
    await product.act(double, product.operator, "merge", primary=primary)
    listed = ids(await public.get("/requests.json"))
    assert primary in listed and double not in listed
    found = (await public.get(f"/requests/{double}.json", extensions="true")).json()[0]
    more = found["extended_attributes"]
    assert (found["status"], more["extended_status"], more["duplicate"]) == ("open", "DUPLICATE", True)
    assert more["parent_service_request_id"] == primary


async def test_a_matter_with_a_unit_names_the_unit(public: Peer, product: Product) -> None:
    number = await product.submit(resident(15), category=BLOCKED_DRAIN)
    demand = await product.row(number)
    assert demand.unit is not None
    found = (await public.get(f"/requests/{number}.json")).json()[0]
    assert found["agency_responsible"] == product.desk.district.unit(demand.unit).name


async def test_a_list_of_any_length_takes_the_same_number_of_statements(
    peer: Peer, http: Http, product: Product
) -> None:
    statements: list[str] = []
    ours = ("d.opened_by = $1", "from demand_text where id = any", "order by e.number, e.seq", "into personal_read")

    async def listed(size: int) -> int:
        statements.clear()
        answer = await peer.get("/requests.xml", page_size=size, extensions="true")
        assert len(rows_of(answer)) == size
        return len(statements)

    for n in range(12):
        await peer.create(description=f"第 {n} 条")
    pool = http.app.state.desk.pool
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]

    def logger(record: Any) -> None:
        # What the desk does meanwhile is not counted.
        if any(part in record.query for part in ours):
            statements.append(record.query)

    for connection in connections:
        connection.add_query_logger(logger)
        await pool.release(connection)
    assert await listed(2) == await listed(12) == 5  # the count, the page, the trace, the words, the history
