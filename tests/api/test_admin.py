"""Administration over HTTP with a real worker: what is changed is used by the next routing, and what runs goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from domain.rotation_order import Periods
from service import publish_watch
from service.admin_hand_over import HandOvers
from service.places import local_date
from service.publish_watch import open_watch
from tests.api.administration import AUDITOR, dry, in_a_moment, lead_of, published, put, resource_body, unit_body, when
from tests.api.callers import RESIDENT, Http, code_of, http_for
from tests.builders import ADMIN, SUPERVISOR, Product, new_key, until

BUS, BUS_STOP = "u-bus", "070202"
"""A unit that alone has a resource for this category, in every community."""
WORKS = "030102"


@pytest.fixture(autouse=True)
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes look for publications at once; in the product it takes some seconds."""
    monkeypatch.setattr(publish_watch, "EVERY", timedelta(milliseconds=50))


@pytest_asyncio.fixture(scope="module")
async def other(product: Product) -> AsyncIterator[Http]:
    """A second process on the same database."""
    async with http_for(product.settings) as client:
        yield client


# ---- what is changed is used


async def test_a_capacity_that_its_liaison_raises_is_used_by_the_next_routing(http: Http, other: Http) -> None:
    path, one = f"/api/v1/units/{BUS}/resources", await resource_body(http, BUS, capacity=1)
    lowered = await published(await http.post(path, one, ADMIN))
    assert lowered["changes"] == [{"field": "resources[u-bus-r1].capacity", "before": 3, "after": 1}]
    assert lowered["capacity"] == {"before": 3, "after": 1}
    assert await lead_of(http, category=BUS_STOP) == BUS
    full = await http.submit(category=BUS_STOP)
    assert (full["unit"], full["stage"]) == (None, "meeting")
    liaison = http.app.state.desk.district.unit(BUS).liaison
    tried = await http.post(f"{path}?dry_run=true", one | {"capacity": 2}, liaison)
    assert (await published(tried))["open_tasks"]["leads"] == 1
    assert http.app.state.desk.district.unit(BUS).resources[0].capacity == 1
    await published(await http.post(path, one | {"capacity": 2}, liaison))
    assert await lead_of(http, category=BUS_STOP) == BUS
    await until(lambda: when(other.app.state.desk.district.unit(BUS).resources[0].capacity == 2))


async def test_a_stewardship_that_ends_leaves_the_running_task_where_it_is(http: Http, product: Product) -> None:
    grid = {"grid": "xuanhualu-01"}
    running = await http.submit(category=WORKS, location=grid)
    assert running["unit"]["id"] == "u-012"
    before = (await http.get("/api/v1/stewardships/xuanhualu-01", ADMIN)).json()
    today = local_date(datetime.now(UTC), product.desk.district)
    body = {"unit": "u-007", "from": today.isoformat()}
    tried = await published(await dry(http, "/stewardships/xuanhualu-01", body))
    assert (tried["led_by_stewards"], tried["steward_today"]["after"]["id"]) == (1, "u-007")
    tag = f'"{before["version"]}"'
    done = await published(await put(http, "/stewardships/xuanhualu-01", body, tag=tag))
    assert [change["field"] for change in done["changes"]] == ["turns[2026-01-01].until", f"turns[{today}]"]
    turns = (await http.get("/api/v1/stewardships/xuanhualu-01", ADMIN)).json()["in_force"]["turns"]
    yesterday = (today - timedelta(days=1)).isoformat()
    assert turns == [{"unit": "u-012", "from": "2026-01-01", "until": yesterday},
                     {"unit": "u-007", "from": today.isoformat(), "until": None}]  # fmt: skip
    following = await http.submit(category=WORKS, location=grid)
    assert following["unit"]["id"] != "u-012"
    inputs = (await http.get(f"/api/v1/demands/{following['number']}/routing", SUPERVISOR)).json()["decisions"][0][
        "inputs"
    ]
    assert inputs["steward"]["id"] == "u-007"
    assert (await product.started(running["number"])).unit == "u-012"
    accepted = await http.act(running["number"], product.liaison_of("u-012").id, "accept")
    assert accepted.status_code == 200, accepted.text


async def test_a_scheduled_change_comes_into_force_by_itself_in_every_process(http: Http, other: Http) -> None:
    name = http.app.state.desk.district.unit("u-023").name
    at = in_a_moment(1.2)
    answer = await put(http, f"/units/u-023?effective_at={at}", await unit_body(http, "u-023", name="改名小学"))
    done = await published(answer)
    seen = (await http.get("/api/v1/units/u-023", ADMIN)).json()
    assert seen["in_force"]["name"] == name
    assert [s["body"]["name"] for s in seen["scheduled"]] == ["改名小学"]
    assert (await http.get("/api/v1/units/u-023", RESIDENT)).json()["scheduled"] == []
    entry = (await http.get(f"/api/v1/publications/{done['id']}", ADMIN)).json()
    assert (entry["state"], entry["in_force"]) == ("scheduled", False)
    sooner = await put(http, "/units/u-023", await unit_body(http, "u-023", name="另名"))
    assert (sooner.status_code, code_of(sooner)) == (409, "change_scheduled")
    assert sooner.json()["facts"]["publication"] == done["id"]
    for process in (http, other):
        await until(lambda p=process: when(p.app.state.desk.district.unit("u-023").name == "改名小学"))  # type: ignore[misc]
    assert (await http.get(f"/api/v1/publications/{done['id']}", ADMIN)).json()["state"] == "in_force"
    late = await http.post(f"/api/v1/publications/{done['id']}/cancel", {"reason": "来不及了"}, ADMIN)
    assert (late.status_code, code_of(late)) == (409, "not_scheduled")


async def test_what_takes_effect_does_so_to_the_instant_also_between_two_looks(http: Http, product: Product) -> None:
    """As in the worker, which looks every 15 seconds and hands the chair over in between."""
    watch = open_watch(product.settings, product.pool)
    at = in_a_moment(0.8)
    await published(await put(http, f"/units/u-022?effective_at={at}", await unit_body(http, "u-022", name="准点")))
    await watch.take_over()
    assert watch.district().unit("u-022").name != "准点"
    await until(lambda: when(datetime.now(UTC) >= datetime.fromisoformat(at)))
    assert watch.district().unit("u-022").name == "准点" != watch.in_force.district.unit("u-022").name


async def test_what_is_scheduled_can_be_cancelled_before(http: Http) -> None:
    far = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    done = await published(
        await put(http, f"/units/u-024?effective_at={far}", await unit_body(http, "u-024", name="新名"))
    )
    built_on = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    later = await put(http, f"/units/u-024?effective_at={built_on}", await unit_body(http, "u-024", name="再新"))
    assert later.status_code == 200
    path = f"/api/v1/publications/{done['id']}/cancel"
    first = await http.post(path, {"reason": "r"}, ADMIN)
    assert (code_of(first), first.json()["facts"]["publication"]) == ("change_scheduled", later.json()["id"])
    for by in (RESIDENT, SUPERVISOR):
        assert code_of(await http.post(path, {"reason": "r"}, by)) == "not_permitted"
    for one in (later.json()["id"], done["id"]):
        cancelled = await http.post(f"/api/v1/publications/{one}/cancel", {"reason": "登记有误"}, ADMIN)
        assert cancelled.status_code == 200, cancelled.text
    again = await http.post(path, {"reason": "r"}, ADMIN)
    assert (code_of(again), again.json()["facts"]["state"]) == ("not_scheduled", "cancelled")
    assert (await http.get("/api/v1/units/u-024", ADMIN)).json()["scheduled"] == []
    trail = (await http.get("/api/v1/changes", ADMIN, kind="cancellation")).json()
    assert (trail[0]["key"], trail[0]["reason"], trail[0]["by"]["id"]) == (str(done["id"]), "登记有误", ADMIN)
    assert code_of(await http.post("/api/v1/publications/999999/cancel", {"reason": "r"}, ADMIN)) == "not_found"


async def test_of_two_editors_the_second_reads_again(http: Http) -> None:
    read = await http.get("/api/v1/units/u-025", ADMIN)
    tag, body = read.headers["etag"], await unit_body(http, "u-025")
    unseen = await put(http, "/units/u-025", body | {"name": "甲"}, tag=None)
    assert (unseen.status_code, code_of(unseen)) == (428, "if_match_required")
    first = await put(http, "/units/u-025", body | {"name": "甲"}, tag=tag)
    assert first.status_code == 200 and first.headers["etag"] != tag
    second = await put(http, "/units/u-025", body | {"name": "乙"}, tag=tag)
    assert (second.status_code, code_of(second)) == (412, "changed_meanwhile")
    facts = second.json()["facts"]
    assert facts["changed_by"]["id"] == ADMIN and f'"{facts["version"]}"' == first.headers["etag"]
    assert (await http.get("/api/v1/units/u-025", ADMIN)).headers["etag"] == first.headers["etag"]
    assert (
        await put(http, "/units/u-025", body | {"name": "乙"}, tag=f'"other", {first.headers["etag"]}')
    ).status_code == 200
    weak = await put(http, "/units/u-025", body | {"name": "丙"}, tag=f"W/{first.headers['etag']}")
    assert weak.status_code == 412


async def test_editors_of_different_units_do_not_hinder_each_other(http: Http, other: Http) -> None:
    units = ["u-026", "u-027", "u-028", "u-029"]
    bodies = [await unit_body(http, unit, name=f"同时{unit}") for unit in units]
    processes = (http, other, http, other)
    answers = await asyncio.gather(
        *(put(p, f"/units/{u}", b) for p, u, b in zip(processes, units, bodies, strict=True))
    )
    assert [a.status_code for a in answers] == [200] * 4, [a.text for a in answers]


async def test_the_same_key_changes_once(http: Http, product: Product) -> None:
    body, key = await unit_body(http, "u-030", name="一次"), new_key()
    tag = (await http.get("/api/v1/units/u-030", ADMIN)).headers["etag"]
    first, second = [await put(http, "/units/u-030", body, tag=tag, key=key) for _ in "ab"]
    assert first.status_code == second.status_code == 200 and first.content == second.content
    assert second.headers["idempotency-replayed"] == "true" and second.headers["etag"] == first.headers["etag"]
    different = await put(http, "/units/u-030", body | {"name": "两次"}, key=key)
    assert code_of(different) == "idempotency_key_reused"
    assert code_of(await put(http, "/units/u-030", body)) == "already_published"
    found = await product.pool.fetchval("select count(*) from publication where kind = 'unit' and key = 'u-030'")
    assert found == 1


# ---- new and retired units


async def test_a_new_unit_is_asked_and_its_liaison_may_answer(http: Http, product: Product) -> None:
    liaison = product.worker_of("xuanhualu-05").id
    body = {
        "name": "新来的单位", "kind": "member_unit", "communities": ["xuanhualu"], "liaison": liaison,
        "resources": [{"id": "u-new-r1", "what": "绿化队", "categories": ["020202"], "capacity": 2,
                       "valid_from": "2026-01-01", "valid_until": None}],
    }  # fmt: skip
    made = await put(http, "/units/u-new", body, tag=None)
    assert (made.status_code, made.json()["created"]) == (201, True), made.text
    demand = await http.submit(category="020202", location={"grid": "xuanhualu-05"})
    assert demand["unit"] == {"id": "u-new", "name": "新来的单位"}
    accepted = await http.act(demand["number"], liaison, "accept")
    assert accepted.status_code == 200, accepted.text
    own = await http.get("/api/v1/changes", liaison, kind="unit", key="u-new")
    assert [one["version"] for one in own.json()] == [made.json()["version"]]


async def test_a_unit_with_open_tasks_is_not_retired_by_the_way(http: Http, product: Product) -> None:
    running = await http.submit(category="040401")
    assert running["unit"]["id"] == "u-telecom"
    path = "/api/v1/units/u-telecom/retire"
    tried = await published(await http.post(f"{path}?dry_run=true", {"reason": "撤并"}, ADMIN))
    assert tried["then"] == "undecided" and tried["open_tasks"]["numbers"] == [running["number"]]
    refused = await http.post(path, {"reason": "撤并"}, ADMIN)
    assert (refused.status_code, code_of(refused)) == (409, "unit_has_tasks")
    assert refused.json()["facts"]["leads"] == 1
    done = await published(await http.post(path, {"reason": "撤并", "keep_running": True}, ADMIN))
    assert done["then"] == "stay" and done["changes"][0]["field"] == "retired"
    following = await http.submit(category="040401")
    assert following["unit"] is None
    named = await http.act(
        (await http.submit())["number"], product.worker_of("xuanhualu-01").id, "hand_off", unit="u-telecom"
    )
    assert code_of(named) == "unknown_unit"
    finished = await http.act(running["number"], product.liaison_of("u-telecom").id, "accept")
    assert (
        finished.status_code == 200 and finished.json()["unit"]["name"] == product.desk.district.unit("u-telecom").name
    )
    for answer in (
        await http.post(path, {"reason": "撤并"}, ADMIN),
        await http.post("/api/v1/units/u-telecom/resources", await resource_body(http, "u-telecom", capacity=4), ADMIN),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "unit_retired")
    back = await put(http, "/units/u-telecom", await unit_body(http, "u-telecom"))
    assert back.status_code == 200 and not back.json()["created"]
    assert await lead_of(http, category="040401") == "u-telecom"


_PARTS = {("u-green", False), ("u-sanitation", True)}


async def test_a_unit_hands_its_open_tasks_over(http: Http, product: Product) -> None:
    led = await http.submit(category="010301")
    helped = await http.submit(category="030101")
    assert (led["unit"]["id"], helped["unit"]["id"]) == ("u-green", "u-roads")
    await product.started(led["number"])
    parts = [{"unit": "u-green", "required": True}]
    asked = await http.act(helped["number"], SUPERVISOR, "add_co_units", co_units=parts)
    assert asked.status_code == 200, asked.text
    body = {"reason": "并入环卫", "hand_over_to": "u-sanitation"}
    done = await published(await http.post("/api/v1/units/u-green/retire", body, ADMIN))
    assert done["then"] == "handed_over"
    progress = (await http.get(f"/api/v1/publications/{done['id']}", ADMIN)).json()["progress"]
    assert progress["left"] == 2
    hand_overs = HandOvers(open_watch(product.settings, product.pool), product.pool)
    assert await hand_overs.once(product.environment.client) == 2
    after = await product.until_row(led["number"], lambda d: d.unit == "u-sanitation")
    assert after.holder == product.liaison_of("u-sanitation").id
    assert await hand_overs.once(product.environment.client) == 0
    assert (await http.get(f"/api/v1/publications/{done['id']}", ADMIN)).json()["progress"]["left"] == 0
    await product.until_row(helped["number"], lambda d: {(t.unit, t.open) for t in d.co_tasks} == _PARTS)
    swapped = [e for e in await product.entries(led["number"]) if e.type == "lead_swapped"]
    assert [e.actor for e in swapped] == [ADMIN]


# ---- rosters and leave


async def test_a_roster_begins_with_a_period(http: Http, product: Product) -> None:
    d = product.desk.district
    rotation, today = d.directory.rotations["yupinglu"], local_date(datetime.now(UTC), d)
    periods = Periods.of(rotation)
    first = periods.first_day(periods.number(today) + 1)
    order = list(reversed(rotation.roster))
    path, body = "/rotation/yupinglu/roster", {"period": "quarter", "starts_on": first.isoformat(), "roster": order}
    tried = await published(await dry(http, path, body))
    assert tried["moves"][0]["unit"]["id"] == order[0] and tried["moves"][0]["from"] == first.isoformat()
    running = await dry(http, path, body | {"starts_on": periods.first_day(periods.number(today)).isoformat()})
    assert (code_of(running), running.json()["facts"]["next_period"]) == ("turn_over", first.isoformat())
    odd = await dry(http, path, body | {"starts_on": (first + timedelta(days=1)).isoformat()})
    assert code_of(odd) == "validation_failed"
    stranger = await dry(http, path, body | {"roster": [*order, "u-001"]})
    assert code_of(stranger) == "publication_invalid"
    assert stranger.json()["facts"]["problems"][0]["key"] == "rotations[yupinglu].roster"
    done = await published(await put(http, path, body))
    begins = datetime.fromisoformat(done["effective_at"]).astimezone(UTC)
    assert begins == datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(hours=8)
    seen = (await http.get("/api/v1/rotation/yupinglu/roster", ADMIN)).json()
    assert seen["in_force"]["roster"] == list(rotation.roster) and seen["scheduled"][0]["body"]["roster"] == order
    year = (await http.get("/api/v1/rotation/yupinglu", ADMIN, year=first.year)).json()["turns"]
    assert [t["unit"]["id"] for t in year if t["from"] >= first.isoformat()] == order[: len(year)][
        : _quarters(first.month)
    ]
    now = (await http.get("/api/v1/rotation/yupinglu", ADMIN)).json()
    assert now["next"]["unit"]["id"] == order[0] and now["roster"][0]["id"] == rotation.roster[0]
    skip = {"type": "skip", "unit": order[1], "period": (first + timedelta(days=95)).isoformat(), "reason": "改选"}
    entered = await http.post("/api/v1/rotation/yupinglu/changes", skip, product.secretary_of("yupinglu").id)
    assert entered.status_code == 201 and entered.json()["moves"][0]["unit"]["id"] == order[2], entered.text
    # A unit of the roster to come cannot leave after it begins, nor can one of today's leave before.
    leaving = {"reason": "r", "keep_running": True}
    for at in (in_a_moment(60), f"{first + timedelta(days=5)}T00:00:00Z"):
        refused = await http.post(f"/api/v1/units/{order[0]}/retire?effective_at={at}", leaving, ADMIN)
        assert code_of(refused) == "publication_invalid", refused.text
    assert (await http.post(f"/api/v1/publications/{done['id']}/cancel", {"reason": "r"}, ADMIN)).status_code == 200


def _quarters(first_month: int) -> int:
    """Turns of a quarter that begin in a year, from this month on."""
    return (12 - first_month) // 3 + 1


async def test_leave_is_entered_by_the_secretary_and_the_substitute_takes_over(http: Http, product: Product) -> None:
    d = product.desk.district
    worker, substitute = d.grid("xuanhualu-06").duty_worker, d.grid("xuanhualu-06").substitute
    today = local_date(datetime.now(UTC), d)
    body = {"leave": [{"from": today.isoformat(), "until": (today + timedelta(days=2)).isoformat()}]}
    path = f"/people/{worker}/leave"
    for by, code in (
        (RESIDENT, "not_permitted"), (worker, "not_permitted"), (product.secretary_of("yupinglu").id, "outside_scope"),
    ):  # fmt: skip
        assert code_of(await put(http, path, body, by)) == code
    secretary = product.secretary_of("xuanhualu").id
    tried = await published(await dry(http, path, body, secretary))
    assert tried["stands_in"] == [{"grid": "xuanhualu-06", "on": today.isoformat(), "person": substitute}]
    await published(await put(http, path, body, secretary))
    assert (await http.submit(location={"grid": "xuanhualu-06"}))["holder"]["id"] == substitute
    assert (await http.get(f"/api/v1{path}", worker)).json()["in_force"] == body
    assert code_of(await http.get(f"/api/v1{path}", substitute)) == "not_permitted"
    endless = await put(http, path, {"leave": [{"from": today.isoformat()}]})
    assert code_of(endless) == "publication_invalid"
    (problem,) = endless.json()["facts"]["problems"]
    assert problem["key"] == f"people[{worker}].leave[0].until" and problem["remedy"]
    trail = await http.get("/api/v1/changes", ADMIN, kind="person_leave", key=worker)
    assert trail.json()[0]["changes"] and trail.json()[0]["by"]["id"] == secretary
    hidden = await http.get("/api/v1/changes", AUDITOR, kind="person_leave", key=worker)
    assert hidden.json()[0]["changes"] is None
    id = trail.json()[0]["publication"]
    for by, shown in ((ADMIN, body), (AUDITOR, {})):
        assert (await http.get(f"/api/v1/publications/{id}", by)).json()["body"] == shown
