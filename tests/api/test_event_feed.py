"""The feed pulled and streamed: complete, in order, within one's scope; a client that comes again misses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import uvicorn
from cloudevents.v1.http import from_http

from api.app import create_app
from service import event_tail
from store import feed
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import ADMIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, until

EVENTS = "/api/v1/events"


async def everything(http: Http, by: str = INTEGRATOR, **filters: Any) -> list[dict[str, Any]]:
    """Page after page, until one is empty."""
    found: list[dict[str, Any]] = []
    answer = await http.get(EVENTS, by, **filters)
    while True:
        assert answer.status_code == 200, answer.text
        if not answer.json():
            return found
        found += answer.json()
        answer = await http.client.get(answer.links["next"]["url"], headers=bearer(by))


async def at_the_end(product: Product) -> str:
    return str(await feed.end(product.pool))


async def test_the_feed_is_complete_and_its_last_cursor_goes_on(http: Http, product: Product) -> None:
    start = await at_the_end(product)
    first = await http.submit()
    await product.started(first["number"])
    await http.act(first["number"], OPERATOR, "urge")
    await product.until_type(first["number"], "urged")
    by_threes = await everything(http, after=start, limit=3)
    assert by_threes == await everything(http, after=start)
    inside = {f"{first['number']}-{e.seq}-{e.hash[:8]}" for e in await product.entries(first["number"])}
    assert {e["id"] for e in by_threes} <= inside
    assert [e["sequence"] for e in by_threes] == sorted(e["sequence"] for e in by_threes)
    end = (await http.get(EVENTS, INTEGRATOR, after=by_threes[-1]["position"])).links["next"]["url"]
    assert (await http.client.get(end, headers=bearer(INTEGRATOR))).json() == []
    second = await http.submit()

    async def look() -> list[dict[str, Any]] | None:
        return (await http.client.get(end, headers=bearer(INTEGRATOR))).json() or None

    assert (await until(look))[0]["subject"] == second["number"]


async def test_each_is_a_cloud_event_without_people_and_scores(http: Http, product: Product) -> None:
    start = await at_the_end(product)
    view = await http.submit(category="040102", text="下水道堵了，找张三 13800001111", reporter={"name": "张三"})
    await product.started(view["number"])
    answer = await http.get(EVENTS, INTEGRATOR, after=start)
    assert answer.headers["content-type"].startswith("application/cloudevents-batch+json")
    for event in answer.json():
        made = from_http({"content-type": "application/cloudevents+json"}, json.dumps(event).encode())
        assert (made["source"], made.data["number"]) == ("urn:linli:shengli-road", view["number"])
    assert not [w for w in ("张三", "1380000", "score", "p-0", RESIDENT, "下水道") if w in answer.text]
    assert "linli.demand.unit_assigned" in [e["type"] for e in answer.json()]


async def test_types_community_and_category_choose(http: Http, product: Product) -> None:
    start = await at_the_end(product)
    here, there = await http.submit(), await http.submit(location={"grid": "wenqulu-01"}, category="040102")
    await product.started(there["number"])
    chosen = await everything(http, after=start, types="linli.demand.submitted,linli.clock.*", community="wenqulu")
    assert {e["subject"] for e in chosen} == {there["number"]}
    assert {e["type"].split(".")[1] for e in chosen} == {"demand", "clock"}
    drains = await everything(http, after=start, types="linli.demand.submitted", category="04")
    assert [e["subject"] for e in drains] == [there["number"]]
    assert code_of(await http.get(EVENTS, INTEGRATOR, types="linli.demand.born")) == "unknown_event_type"
    assert here["number"] != there["number"]


async def test_one_sees_the_events_of_what_one_sees(http: Http, product: Product) -> None:
    start = await at_the_end(product)
    here, there = await http.submit(), await http.submit(location={"grid": "wenqulu-01"})
    secretary = product.desk.district.secretary("wenqulu")
    assert {e["subject"] for e in await everything(http, SUPERVISOR, after=start)} == {here["number"], there["number"]}
    assert {e["subject"] for e in await everything(http, secretary, after=start)} == {there["number"]}
    assert code_of(await http.get(EVENTS, RESIDENT)) == "not_permitted"


async def test_where_a_confidential_demand_lies_does_not_leave(http: Http, product: Product) -> None:
    start = await at_the_end(product)
    await http.submit(confidential=True)
    found = await everything(http, after=start)
    assert found and all(e["data"]["confidential"] for e in found)
    assert not [e for e in found if {"grid", "compound"} & set(e["data"])]


@pytest.mark.parametrize("after", ["x", "MC4x", "a" * 150, "-", "MC4tMS4wLgA"])
async def test_what_is_no_cursor_is_refused(http: Http, after: str) -> None:
    for path in (EVENTS, f"{EVENTS}/stream"):
        assert code_of(await http.get(path, INTEGRATOR, after=after)) == "invalid_cursor"


# ---- streams, from a real server


@contextlib.asynccontextmanager
async def serving(product: Product) -> AsyncIterator[tuple[uvicorn.Server, httpx2.AsyncClient]]:
    server = uvicorn.Server(uvicorn.Config(create_app(product.settings), port=0, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve())

    async def started() -> bool | None:
        return server.started or None

    await until(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield server, client
    server.should_exit = True
    await asyncio.wait_for(task, 20)


@pytest_asyncio.fixture
async def server(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(product) as (_, client):
        yield client


class Stream:
    """An EventSource: yields events, keeps the id to come again with."""

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self) -> dict[str, Any]:
        """The next event that has data."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.lstrip()
                continue
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                event: dict[str, Any] = json.loads(fields["data"])
                assert (fields["event"], fields["id"]) == (event["type"], event["position"])
                return event
            fields = {}
        raise EOFError

    async def until(self, type: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not found or found[-1]["type"] != type:
            found.append(await asyncio.wait_for(self.next(), 20))
        return found


@contextlib.asynccontextmanager
async def following(
    client: httpx2.AsyncClient, path: str = f"{EVENTS}/stream", by: str = INTEGRATOR, **headers: str
) -> AsyncIterator[Stream]:
    async with client.stream("GET", path, headers=bearer(by) | headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


async def test_what_happens_is_streamed_and_coming_again_misses_nothing(
    server: httpx2.AsyncClient, http: Http, product: Product
) -> None:
    start = await at_the_end(product)
    async with following(server) as stream:
        first = await http.submit()
        seen = await stream.until("linli.demand.submitted")
        last_id = stream.last_id
    second = await http.submit()
    await http.act(first["number"], OPERATOR, "urge")
    await product.until_type(first["number"], "urged")
    async with following(server, **{"Last-Event-ID": last_id}) as stream:
        third = await http.submit()
        while {e["subject"] for e in seen} < {first["number"], second["number"], third["number"]}:
            seen.append(await asyncio.wait_for(stream.next(), 20))
    pulled = await everything(http, after=start)
    assert [e["id"] for e in seen] == [e["id"] for e in pulled][: len(seen)]


async def test_one_demand_is_followed_by_its_reporter(server: httpx2.AsyncClient, http: Http, product: Product) -> None:
    other, mine = await http.submit("resident-0002"), await http.submit()
    path = f"/api/v1/demands/{mine['number']}/events/stream"
    async with following(server, path, RESIDENT) as stream:
        for view in (other, mine):
            await product.started(view["number"])
            await http.act(view["number"], OPERATOR, "urge")
        assert {e["subject"] for e in await stream.until("linli.demand.urged")} == {mine["number"]}
    refused = await server.get(f"/api/v1/demands/{other['number']}/events/stream", headers=bearer(RESIDENT))
    assert code_of(refused) == "not_found"
    assert code_of(await server.get(f"{EVENTS}/stream", headers=bearer(RESIDENT))) == "not_permitted"
    assert code_of(await server.get(f"{EVENTS}/stream")) == "unauthenticated"


async def test_a_stream_is_narrowed_like_the_feed(server: httpx2.AsyncClient, http: Http, product: Product) -> None:
    secretary = product.desk.district.secretary("wenqulu")
    async with following(server, f"{EVENTS}/stream?types=linli.demand.submitted", secretary) as stream:
        await http.submit()
        there = await http.submit(location={"grid": "wenqulu-01"})
        assert (await asyncio.wait_for(stream.next(), 20))["subject"] == there["number"]


async def test_a_stream_ends_with_the_key_that_opened_it(server: httpx2.AsyncClient, http: Http) -> None:
    keys, by = "/api/v1/api-keys", bearer(INTEGRATOR)
    key = (await server.post(keys, json={"name": "feed", "scopes": ["events:read"]}, headers=by)).json()
    own = {"Authorization": f"Bearer {key['secret']}"}
    async with following(server, f"{EVENTS}/stream?types=linli.demand.submitted", **own) as stream:
        before = await http.submit()
        assert (await asyncio.wait_for(stream.next(), 20))["subject"] == before["number"]
        assert (await server.delete(f"{keys}/{key['id']}", headers=by)).status_code == 200
        await http.submit()
        with pytest.raises(EOFError):
            await asyncio.wait_for(stream.next(), 20)
    assert code_of(await server.get(f"{EVENTS}/stream", headers=own)) == "unauthenticated"


async def test_many_clients_cost_one_reader_and_no_connection_each(
    server: httpx2.AsyncClient, http: Http, product: Product
) -> None:
    """More clients than the server has database connections."""
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=server.base_url, limits=httpx2.Limits()))
        streams = [await stack.enter_async_context(following(client)) for _ in range(40)]
        view = await http.submit()
        got = await asyncio.gather(*(s.until("linli.demand.submitted") for s in streams))
        assert {events[-1]["subject"] for events in got} == {view["number"]}
        assert (await server.get("/api/v1/demands", headers=bearer(ADMIN))).status_code == 200


async def test_a_client_that_does_not_keep_up_is_dropped_and_the_others_are_not(http: Http, product: Product) -> None:
    tail = event_tail.Tail(product.pool, lambda: "urn:t", kept=20)
    async with tail.listening() as slow, tail.listening() as quick:
        got: list[str] = []
        while not slow.dropped:
            view = await http.submit()
            while view["number"] not in got:
                got += [m.subject for m in await quick.next(event_tail.EVERY * 40)]
        with pytest.raises(event_tail.Dropped):
            await slow.next(event_tail.EVERY)
    await tail.close()


async def test_too_many_streams_are_refused(server: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_tail, "MOST_LISTENERS", 1)
    async with following(server) as stream:
        assert stream.last_id == ""
        async with contextlib.AsyncExitStack():
            answer = await until(lambda: refused_now(server))
        assert code_of(answer) == "too_many_requests"
        assert answer.headers["retry-after"] == "5"


async def refused_now(server: httpx2.AsyncClient) -> httpx2.Response | None:
    async with server.stream("GET", f"{EVENTS}/stream", headers=bearer(INTEGRATOR)) as answer:
        if answer.status_code == 200:
            return None
        await answer.aread()
        return answer


async def test_streams_end_when_the_server_is_told_to_go(product: Product) -> None:
    """By the signal itself: a server waits for its answers before it tells the application anything."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        async with serving(product) as (server, client):
            with pytest.raises(EOFError):
                async with following(client) as stream:
                    waiting = asyncio.create_task(stream.next())
                    await asyncio.sleep(0)
                    await until(lambda: joined(server))
                    os.kill(os.getpid(), signal.SIGTERM)
                    await asyncio.wait_for(waiting, 20)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM], "handed on, after the server had ended"


async def joined(server: uvicorn.Server) -> bool | None:
    app: Any = server.config.loaded_app
    while not hasattr(app, "state"):
        app = app.app
    return len(app.state.desk.tail._listeners) > 0 or None
