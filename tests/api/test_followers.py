"""200 people report one broken street lamp: one handling, 200 call-backs, 200 ratings; and one of them meant another lamp."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Any

from tests.api.callers import RESIDENT, Http, code_of
from tests.api.test_files import uploaded
from tests.builders import OPERATOR, SUPERVISOR, Product, new_key, until

LAMP = "030101"
GRID = "wenqulu-01"
REPORTERS = 200
AT_ONCE = 16
SECRETARY = "p-0018"


def reporter(n: int) -> str:
    return f"resident-{20_000 + n}"


async def all_of(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[Any]) -> Any:
        async with gate:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


async def submitted(http: Http, n: int, grid: str = GRID, category: str = LAMP) -> str:
    body = {"text": "路口那盏路灯不亮", "category": category, "location": {"grid": grid}}
    answer = await http.post("/api/v1/demands", body, reporter(n), key=new_key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


async def act(http: Http, number: str, by: str, type: str, **more: Any) -> dict[str, Any]:
    answer = await http.post(f"/api/v1/demands/{number}/actions", {"type": type, **more}, by, key=new_key())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def resolved(product: Product, http: Http, number: str, worker: str) -> None:
    more = {"file_ids": [await uploaded(http, by=worker)]} if (await product.row(number)).terms.evidence else {}
    await act(http, number, worker, "resolve", reply="路灯已修复，感谢反映。", **more)


async def gathered(http: Http, primary: str, others: list[str]) -> None:
    """All of them attached. A machine that is busy elsewhere answers late: the same request again goes on where it stopped."""
    key, body = new_key(), {"demands": [primary, *others], "note": "同一盏路灯"}
    for _ in range(6):
        answer = await http.post(f"/api/v1/demands/{primary}/followers", body, SUPERVISOR, key=key)
        assert answer.status_code == 200, answer.text
        refused = answer.json()["refused"]
        if not refused:
            break
        assert {one["code"] for one in refused} <= {"outcome_unknown", "unavailable", "not_started"}
    assert refused == [] and sorted(answer.json()["attached"]) == sorted(others)


async def counted(product: Product, type: str, numbers: list[str]) -> Counter[str]:
    """How many events of this type each of them has."""
    query = "select number from demand_event where type = $1 and number = any($2::text[])"
    return Counter(row["number"] for row in await product.pool.fetch(query, type, numbers))


async def test_two_hundred_reporters_of_one_lamp(product: Product, http: Http) -> None:
    primary, *others = await all_of([submitted(http, n) for n in range(REPORTERS)])
    handler = str((await product.started(primary)).holder)
    await gathered(http, primary, others)
    await gathered(http, primary, others)
    first = await product.until_row(primary, lambda d: len(d.followers) == REPORTERS - 1)
    assert set(first.followers) == set(others), "repeated, it attaches nobody twice"
    await they_see_what_concerns_them(http, primary, others, handler)

    another_lamp, *followers = others
    before = (await http.get(f"/api/v1/demands/{another_lamp}", SUPERVISOR)).json()
    unmerged = await act(http, another_lamp, OPERATOR, "unmerge")
    assert (unmerged["stage"], unmerged["primary"], unmerged["unit"] is None) == ("unit", None, False)
    assert unmerged["clocks"]["resolve"] == before["clocks"]["resolve"]
    assert unmerged["clocks"]["accept"]["due_at"] is not None and before["clocks"]["accept"]["due_at"] is None
    await product.until_row(primary, lambda d: another_lamp not in d.followers)

    await resolved(product, http, primary, handler)
    assert not await counted(product, "resolved", followers), "they hear of it when somebody else has looked"
    await act(http, primary, SUPERVISOR, "verify", ok=True)

    async def all_asked() -> bool | None:
        query = "select count(*) from demand where stage = 'feedback' and number = any($1::text[])"
        return True if await product.pool.fetchval(query, followers) == len(followers) else None

    await until(all_asked, seconds=120)
    asking = [primary, *followers]
    rated = await all_of(
        [
            act(http, number, reporter(n), "confirm", contacted=True, solved="yes", satisfied="satisfied")
            for n, number in zip([0, *range(2, REPORTERS)], asking, strict=True)
        ]
    )
    assert {one["stage"] for one in rated} == {"closed"}
    once_each = Counter(asking)
    assert await counted(product, "feedback_given", [*asking, another_lamp]) == once_each
    assert await counted(product, "resolved", [*asking, another_lamp]) == once_each
    query = "select count(*) from demand_event where type = 'resolved' and data->>'primary' = $1"
    assert await product.pool.fetchval(query, primary) == REPORTERS - 2, "one handling: the others follow it"
    assert (await product.row(another_lamp)).stage == "unit", "the other lamp is still dark"


async def they_see_what_concerns_them(http: Http, primary: str, others: list[str], handler: str) -> None:
    mine = await http.get(f"/api/v1/demands?holder=me&grid={GRID}&category={LAMP}", handler)
    assert [one["number"] for one in mine.json()] == [primary], "the unit has one lamp to mend"
    own = await http.get("/api/v1/demands", reporter(7))
    assert [one["number"] for one in own.json()] == [others[6]], "whoever reported it finds their own"
    seen = (await http.get(f"/api/v1/demands/{others[6]}", reporter(7))).json()
    assert (seen["handled_with"]["number"], seen["handled_with"]["stage"]) == (primary, "unit")


async def test_pages_of_followers_and_who_sees_them(product: Product, http: Http) -> None:
    numbers = [await submitted(http, 900 + n, grid="wenqulu-02", category="080301") for n in range(4)]
    primary, *others = numbers
    await http.post(f"/api/v1/demands/{primary}/followers", {"demands": others}, SUPERVISOR, key=new_key())
    first = await http.get(f"/api/v1/demands/{primary}/followers?limit=2", SUPERVISOR)
    assert [one["number"] for one in first.json()] == others[:2] and 'rel="next"' in first.headers["link"]
    assert (await http.get(f"/api/v1/demands/{primary}/followers", reporter(1))).status_code == 404
    assert (await http.get(f"/api/v1/demands/{primary}/followers", reporter(900))).json() == []
    listed = await http.get(f"/api/v1/demands?primary={primary}", SUPERVISOR)
    assert sorted(one["number"] for one in listed.json()) == others
    shown = await http.get("/api/v1/demands?grid=wenqulu-02&category=080301&duplicates=shown", SUPERVISOR)
    assert len(shown.json()) == 4


async def test_a_hot_spot_goes_onto_the_agenda_hotter_by_each_reporter(product: Product, http: Http) -> None:
    numbers = [await submitted(http, 950 + n, grid="wenqulu-03", category="080301") for n in range(3)]
    body = {"demands": numbers, "onto_agenda": True}
    done = await http.post(f"/api/v1/demands/{numbers[0]}/followers", body, SECRETARY, key=new_key())
    assert done.json() == {
        "number": numbers[0], "attached": numbers[1:], "refused": [], "agenda": {"meeting": "wenqulu"},
    }  # fmt: skip
    await product.until_agenda("wenqulu", numbers[0])
    agenda = (await http.get("/api/v1/meetings/wenqulu/agenda", SECRETARY)).json()
    assert [one["number"] for one in agenda if one["number"] in numbers] == [numbers[0]]


async def test_what_is_refused_is_named_and_hinders_nothing(product: Product, http: Http) -> None:
    primary, open_one, gone = [await submitted(http, 970 + n, grid="wenqulu-04", category="080301") for n in range(3)]
    await act(http, gone, reporter(972), "withdraw")
    body = {"demands": [open_one, gone, "20200101-000001"]}
    done = (await http.post(f"/api/v1/demands/{primary}/followers", body, SUPERVISOR, key=new_key())).json()
    assert done["attached"] == [open_one]
    assert {one["number"]: one["code"] for one in done["refused"]} == {gone: "closed", "20200101-000001": "not_found"}
    refused = await http.post(f"/api/v1/demands/{primary}/actions", {"type": "merge", "primary": gone}, SUPERVISOR)
    assert code_of(refused) in ("stage_forbids", "merge_circle")
    merged = await http.post(f"/api/v1/demands/{open_one}/actions", {"type": "accept"}, "p-0001")
    assert merged.status_code in (403, 404, 409)
    nobody = await http.post(f"/api/v1/demands/{primary}/followers", {"demands": [open_one]}, RESIDENT, key=new_key())
    assert (nobody.status_code, code_of(nobody)) == (403, "not_permitted")
