"""The project list over HTTP: opened by people or by a joint meeting's decision, moved on by milestones, audited."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import DomainError
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import SUPERVISOR, Product, new_key

PROJECTS = "/api/v1/projects"
AUDITOR, COMMITTEE_CHAIR, INTEGRATOR, ADMIN, OPERATOR = "p-0007", "p-0001", "p-0009", "p-0008", "p-0004"


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def secretary(product: Product, community: str = "wenqulu") -> str:
    return product.desk.district.secretary(community)


def liaison(product: Product, unit: str) -> str:
    return product.desk.district.unit(unit).liaison


async def opened(http: Http, product: Product, **more: Any) -> dict[str, Any]:
    body = {"community": "wenqulu", "title": "状元街路面整修", "lead_unit": "u-roads", **more}
    answer = await http.post(PROJECTS, body, secretary(product))
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PROJECTS}/{answer.json()['id']}"
    view: dict[str, Any] = answer.json()
    return view


async def act(http: Http, id: str, by: str, type: str, *, key: str | None = None, **more: Any) -> Any:
    return await http.post(f"{PROJECTS}/{id}/actions", {"type": type, **more}, by, key=key)


async def escalated(product: Product, grid: str) -> str:
    number = await product.submit(grid=grid)
    await product.started(number)
    await product.act(number, product.worker_of(grid), "escalate", reason="several_units")
    await product.until_agenda(grid.rpartition("-")[0], number)
    return number


async def test_a_project_from_opening_to_closing(http: Http, product: Product) -> None:
    steps = [{"title": "勘察", "due_on": day(10)}, {"title": "施工", "due_on": day(40)}]
    view = await opened(http, product, milestones=steps, due_on=day(60), meeting="wenqulu")
    id, lead, chair = view["id"], liaison(product, "u-roads"), secretary(product)
    assert (view["progress"], view["state"], view["lead_unit"]["name"]) == (0, "open", "胜利路市政设施维护公司")
    assert [m["title"] for m in view["milestones"]] == ["勘察", "施工"]
    halfway = await act(http, id, lead, "progress", milestone=1, percent=100)
    assert (halfway.status_code, halfway.json()["progress"]) == (200, 50), halfway.text
    assert halfway.json()["milestones"][0]["done_by"]["id"] == lead
    early = await act(http, id, chair, "close")
    assert (early.status_code, code_of(early), early.json()["facts"]["milestones"]) == (409, "project_unfinished", [2])
    assert (await act(http, id, lead, "progress", milestone=2, percent=100)).json()["progress"] == 100
    closed = await act(http, id, chair, "close")
    assert (closed.json()["state"], bool(closed.json()["closed_at"])) == ("done", True)
    late = await act(http, id, lead, "progress", milestone=1, percent=10)
    assert (late.status_code, code_of(late)) == (409, "project_ended")
    log = (await http.get(f"{PROJECTS}/{id}/events", AUDITOR)).json()
    assert [e["type"] for e in log] == ["opened", "progress", "progress", "close"]
    assert [e["seq"] for e in log] == [1, 2, 3, 4] and log[1]["by"]["id"] == lead
    assert log[1]["data"] == {"milestone": 1, "percent": 100}
    page = await http.get(f"{PROJECTS}/{id}/events", AUDITOR, limit=3)
    assert len(page.json()) == 3 and 'rel="next"' in page.headers["link"]


async def test_only_the_right_people_open_and_steer(http: Http, product: Product) -> None:
    body = {"community": "wenqulu", "title": "补路", "lead_unit": "u-roads"}
    outsiders = (RESIDENT, AUDITOR, INTEGRATOR, ADMIN, OPERATOR, liaison(product, "u-roads"),
                 secretary(product, "xuanhualu"), product.desk.district.grid("wenqulu-01").duty_worker)  # fmt: skip
    for by in outsiders:
        answer = await http.post(PROJECTS, body, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), by
    id = (await opened(http, product))["id"]
    for by in outsiders:
        for step in ({"type": "add_milestone", "title": "勘察", "due_on": day(3)}, {"type": "close"},
                     {"type": "drop", "reason": "no_funds"}):  # fmt: skip
            answer = await http.post(f"{PROJECTS}/{id}/actions", step, by)
            assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), (by, step)
    rotation = next(r for r in product.desk.district.rotations if r.community == "wenqulu")
    for by in (SUPERVISOR, COMMITTEE_CHAIR, liaison(product, rotation.roster[0])):
        assert (await http.post(PROJECTS, body, by)).status_code == 201, by
    whole = body | {"community": None}
    for by, status in ((SUPERVISOR, 201), (COMMITTEE_CHAIR, 201), (secretary(product), 403)):
        assert (await http.post(PROJECTS, whole, by)).status_code == status, by
    assert (await http.get(f"{PROJECTS}/{id}")).json()["title"] == "状元街路面整修", "its words are public"
    assert (await http.client.get(f"{PROJECTS}/{id}")).status_code == 401


async def test_what_a_project_names_must_exist_and_belong_there(http: Http, product: Product) -> None:
    body: dict[str, Any] = {"community": "wenqulu", "title": "补路", "lead_unit": "u-roads"}
    elsewhere = await product.submit(grid="xuanhualu-02")
    for more, status, code in (
        ({"community": "nowhere"}, 422, "unknown_community"),
        ({"lead_unit": "no-such"}, 422, "unknown_unit"),
        ({"lead_unit": "u-001"}, 422, "unknown_unit"),
        ({"meeting": "nowhere"}, 404, "unknown_meeting"),
        ({"title": "  "}, 422, "validation_failed"),
        ({"due_on": 20270301}, 422, "validation_failed"),
        ({"due_on": "2027-02-30"}, 422, "validation_failed"),
        ({"milestones": [{"title": "x", "due_on": "9999-01-01"}]}, 422, "validation_failed"),
        ({"numbers": ["20200101-000001"]}, 404, "not_found"),
        ({"numbers": [elsewhere]}, 404, "not_found"),
        ({"stray": 1}, 422, "validation_failed"),
    ):
        answer = await http.post(PROJECTS, body | more, secretary(product))
        assert (answer.status_code, code_of(answer)) == (status, code), (more, answer.text)
    answer = await http.post(PROJECTS, body | {"numbers": [elsewhere]}, SUPERVISOR)
    assert (answer.status_code, code_of(answer)) == (403, "outside_scope")
    for path in ("prj-999999", "prj-1", "prj-0000001%27", "%00"):
        missing = await http.get(f"{PROJECTS}/{path}", SUPERVISOR)
        assert missing.status_code in (400, 404), path


async def test_demands_are_linked_and_named_only_to_those_who_may_see_them(http: Http, product: Product) -> None:
    number = await product.submit(grid="wenqulu-02")
    id = (await opened(http, product))["id"]
    linked = await http.post(f"{PROJECTS}/{id}/demands", {"number": number}, secretary(product))
    assert linked.json()["demands"] == [{"number": number, "by": "hand"}]
    twice = await http.post(f"{PROJECTS}/{id}/demands", {"number": number}, secretary(product))
    assert (twice.status_code, code_of(twice)) == (409, "stage_forbids")
    mine = (await http.get(f"{PROJECTS}/{id}", RESIDENT)).json()
    others = (await http.get(f"{PROJECTS}/{id}", "resident-0077")).json()
    assert (mine["demands"], others["demands"], others["demands_in_all"]) == (linked.json()["demands"], [], 1)
    events = (await http.get(f"{PROJECTS}/{id}/events", "resident-0077")).json()
    assert events[-1]["data"] == {"number": None} and number not in str(events)
    of_demand = await http.get(f"/api/v1/demands/{number}/projects")
    assert [p["id"] for p in of_demand.json()] == [id]
    hidden = await http.get(f"/api/v1/demands/{number}/projects", "resident-0077")
    assert (hidden.status_code, code_of(hidden)) == (404, "not_found")
    untied = await act(http, id, secretary(product), "unlink_demand", number=number)
    assert (untied.json()["demands"], untied.json()["demands_in_all"]) == ([], 0)


async def test_the_chairing_unit_plans_announces_and_holds_its_activities(http: Http, product: Product) -> None:
    id = (await opened(http, product))["id"]
    planned = await act(
        http, id, secretary(product), "plan_activity", kind="clean_up", title="清扫", planned_on=day(20)
    )
    chairing = product.desk.district.chair_unit("wenqulu", datetime.now(UTC).date() + timedelta(days=20))
    activity = planned.json()["activities"][0]
    assert (activity["unit"]["id"], activity["state"]) == (chairing.id, "planned")
    outsider = next(u.liaison for u in product.desk.district.units_of("wenqulu", "self_governance_group"))
    stranger = await act(http, id, outsider, "announce_activity", activity=1)
    assert (stranger.status_code, code_of(stranger)) == (403, "not_permitted")
    too_early = await act(http, id, chairing.liaison, "finish_activity", activity=1)
    assert (too_early.status_code, code_of(too_early)) == (409, "stage_forbids")
    for step, state in (("announce_activity", "announced"), ("finish_activity", "done")):
        answer = await act(http, id, chairing.liaison, step, activity=1)
        assert answer.json()["activities"][0]["state"] == state, answer.text
    wrong = await act(
        http, id, secretary(product), "plan_activity", kind="other", title="x", planned_on=day(2), unit="u-001"
    )
    assert (wrong.status_code, code_of(wrong)) == (422, "unknown_unit")


async def test_the_list_is_filtered_and_paged(http: Http, product: Product) -> None:
    late = [{"title": "勘察", "due_on": "2026-01-05"}]
    body = {"community": "yonggangcun", "lead_unit": "u-056"}
    ids = []
    for n in range(5):
        more = {"title": f"第{n}个", "milestones": late if n == 2 else []}
        ids.append((await http.post(PROJECTS, body | more, SUPERVISOR)).json()["id"])
    await act(http, ids[0], SUPERVISOR, "drop", reason="not_needed")

    async def found(**params: Any) -> list[str]:
        answer = await http.get(PROJECTS, community="yonggangcun", **params)
        return [p["id"] for p in answer.json()]

    assert await found() == ids[::-1]
    assert await found(state="dropped") == ids[:1]
    assert await found(state="open") == ids[:0:-1]
    assert (await found(overdue="true"), len(await found(overdue="false"))) == ([ids[2]], 4)
    assert (await found(unit="u-056"), await found(unit="u-001")) == (ids[::-1], [])
    page = await http.get(PROJECTS, community="yonggangcun", limit=2)
    seen = [p["id"] for p in page.json()]
    while "link" in page.headers:
        page = await http.get(page.headers["link"].partition(">")[0][1:])
        seen += [p["id"] for p in page.json()]
    assert seen == ids[::-1]
    assert (await http.get(PROJECTS, state="half")).status_code == 422


async def test_a_repetition_gets_the_same_answer_and_happens_once(http: Http, product: Product) -> None:
    key, body = new_key(), {"community": "wenqulu", "title": "补路", "lead_unit": "u-roads"}
    by = secretary(product)
    answers = await asyncio.gather(*(http.post(PROJECTS, body, by, key=key) for _ in range(4)))
    assert {a.status_code for a in answers} == {201} and len({a.content for a in answers}) == 1
    other = await http.post(PROJECTS, body | {"title": "修灯"}, by, key=key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    id, step = answers[0].json()["id"], {"title": "勘察", "due_on": day(5)}
    once = new_key()
    twins = await asyncio.gather(*(act(http, id, by, "add_milestone", key=once, **step) for _ in range(4)))
    assert {t.status_code for t in twins} == {200} and len({t.content for t in twins}) == 1
    assert len((await http.get(f"{PROJECTS}/{id}", by)).json()["milestones"]) == 1
    several = await asyncio.gather(*(act(http, id, by, "add_milestone", **step) for _ in range(6)))
    assert {a.status_code for a in several} == {200}
    view = (await http.get(f"{PROJECTS}/{id}", by)).json()
    assert ([m["seq"] for m in view["milestones"]], view["seq"]) == ([1, 2, 3, 4, 5, 6, 7], 8)


async def test_a_decision_opens_a_project_by_itself_or_gives_the_demand_to_one(http: Http, product: Product) -> None:
    first, second, third = [await escalated(product, f"wenqulu-0{n}") for n in (3, 4, 5)]
    named = (await opened(http, product))["id"]
    other = await http.post(PROJECTS, {"community": "xuanhualu", "title": "别处", "lead_unit": "u-roads"}, SUPERVISOR)
    by = product.secretary_of("wenqulu")
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    steps = [{"what": "勘察", "due_at": due.isoformat()}]
    await product.decide("wenqulu", by, first, "project", unit="u-roads", due_at=due.isoformat(), milestones=steps)
    made = (await http.get(f"/api/v1/demands/{first}/projects", by.id)).json()
    assert [(p["lead_unit"]["id"], p["meeting"], p["state"], len(p["milestones"])) for p in made] == [
        ("u-roads", "wenqulu", "open", 1)
    ]
    assert made[0]["title"].startswith("政策与办事咨询（文曲路社区第3网格")
    assert made[0]["demands"] == [{"number": first, "by": "meeting"}]
    stands = await act(http, made[0]["id"], by.id, "unlink_demand", number=first)
    assert (stands.status_code, code_of(stands)) == (409, "stage_forbids")
    for project in ("prj-999999", other.json()["id"]):
        with pytest.raises(DomainError) as error:
            await product.decide("wenqulu", by, second, "project", unit="u-roads", project=project)
        assert error.value.code == "unknown_project", project
    await product.decide("wenqulu", by, second, "project", unit="u-roads", project=named)
    assert (await http.get(f"{PROJECTS}/{named}", by.id)).json()["demands"] == [{"number": second, "by": "meeting"}]
    count = await product.pool.fetchval("select count(*) from project")
    with pytest.raises(DomainError) as error:
        await product.decide("wenqulu", product.supervisor, third, "project", unit="u-roads")
    assert error.value.code == "not_permitted"
    assert await product.pool.fetchval("select count(*) from project") == count, "a refused decision leaves no project"
    assert await product.pool.fetchval(
        "select count(*) from project_event e where not exists (select from project p where p.id = e.project)"
    ) == 0  # fmt: skip


async def test_repeating_a_decision_opens_no_second_project(http: Http, product: Product) -> None:
    number, by, key = await escalated(product, "wenqulu-06"), product.secretary_of("wenqulu"), new_key()
    session = await product.sit("wenqulu")
    form = product.decision(number, "project", unit="u-roads")
    try:
        await product.decide_now("wenqulu", by, form, key=key)
    except DomainError as refused:
        assert refused.code == "late_item", refused
        assert (await http.get(f"/api/v1/demands/{number}/projects", by.id)).json() == []
        await product.hold("wenqulu", session, product.chair_of(session), "consent", number=number)
        await product.decide_now("wenqulu", by, form, key=key)
    made = (await http.get(f"/api/v1/demands/{number}/projects", by.id)).json()
    assert len(made) == 1
    count = await product.pool.fetchval("select count(*) from project")
    await product.decide_now("wenqulu", by, form, key=key)
    assert await product.pool.fetchval("select count(*) from project") == count
    assert (await http.get(f"/api/v1/demands/{number}/projects", by.id)).json() == made
