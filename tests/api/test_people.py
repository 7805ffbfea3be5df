"""People and their roles at run time: what was added and what the pack says come out as one district everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from domain.actors import Grant
from domain.errors import DomainError
from domain.vocabulary import Role
from service.people import People
from service.publish_district import Standing
from tests.api.administration import dry, put, unit_body
from tests.api.callers import Http, bearer, code_of
from tests.api.signing_in import browser, new_user
from tests.builders import ADMIN, OPERATOR, SUPERVISOR, Product

UNIT = "u-001"


def people(product: Product) -> People:
    return People(product.pool, product.desk.watch)


async def added(product: Product, *grants: Grant, name: str = "新人") -> str:
    grants = grants or (Grant(role=Role.OPERATOR, community="xuanhualu"),)
    return await people(product).add(Standing(name=name, grants=grants), by="system", now=product.desk.now())


async def person_body(http: Http, id: str, **change: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await http.get(f"/api/v1/people/{id}", ADMIN)).json()["in_force"] | change
    return body


async def test_somebody_who_was_added_is_of_the_district_everywhere(product: Product, http: Http) -> None:
    id = await added(product, Grant(role=Role.GRID_WORKER, community="xuanhualu", grid="xuanhualu-01"))
    user = await new_user(product, id)
    async with browser(http) as one:  # sign-in
        await http.app.state.desk.watch.look()  # as it does every five seconds
        view = await one.in_as(user)
        assert view["person"] == {"id": id, "name": "新人"} and view["roles"][0]["role"] == "grid_worker"
        assert (await one.client.get("/api/v1/demands?limit=1")).status_code == 200
    seen = await http.get(f"/api/v1/people/{id}", ADMIN)  # administration
    assert seen.json()["in_force"]["name"] == "新人"
    away = await put(http, f"/people/{id}/leave", {"leave": [{"from": "2027-08-01", "until": "2027-08-02"}]})
    assert away.status_code == 200, away.text
    number = (await http.submit())["number"]  # routing: they may be given a demand
    taken = await http.act(number, SUPERVISOR, "reassign", person=id)
    assert taken.status_code == 200 and taken.json()["holder"] == {"id": id, "name": "新人"}, taken.text
    trail = (await http.get("/api/v1/changes", ADMIN, kind="person", key=id)).json()
    assert trail[0]["by"]["id"] == "system" and trail[0]["changes"][0]["after"]["name"] == "新人"


async def test_a_unit_may_have_somebody_added_as_its_liaison_and_they_get_its_rights(
    product: Product, http: Http
) -> None:
    id = await added(product)
    await http.app.state.desk.watch.look()
    former = (await unit_body(http, UNIT))["liaison"]
    answer = await put(http, f"/units/{UNIT}", await unit_body(http, UNIT, liaison=id))
    assert answer.status_code == 200, answer.text
    me = (await http.get("/api/v1/session", id)).json()
    assert {"role": "unit_liaison", "community": None, "grid": None, "unit": UNIT} in me["roles"]
    # What follows from being the liaison is not among what was published of the person, and goes with the unit.
    renamed = await put(http, f"/people/{id}", (await own_body(product, id)) | {"name": "改名"})
    assert renamed.status_code == 200, renamed.text
    back = await put(http, f"/units/{UNIT}", await unit_body(http, UNIT, liaison=former))
    assert back.status_code == 200, back.text
    me = (await http.get("/api/v1/session", id)).json()
    assert me["person"]["name"] == "改名" and [one["role"] for one in me["roles"]] == ["operator"]


async def own_body(product: Product, id: str) -> dict[str, Any]:
    standing = await product.desk.watch.take_over()
    return dict(standing.line("person", id)[-1].body)


async def test_a_role_that_is_given_counts_at_once_and_one_taken_away_no_longer(product: Product, http: Http) -> None:
    id, now = await added(product), product.desk.now()
    await http.app.state.desk.watch.look()
    assert code_of(await http.get("/api/v1/changes", id)) == "not_permitted"
    auditor = Grant(role=Role.AUDITOR)
    await people(product).grant(id, auditor, by="system", now=now)
    await http.app.state.desk.watch.look()
    assert (await http.get("/api/v1/changes", id)).status_code == 200
    with pytest.raises(DomainError, match="already_published"):
        await people(product).grant(id, auditor, by="system", now=now)
    await people(product).take_away(id, auditor, by="system", now=now)
    await http.app.state.desk.watch.look()
    assert code_of(await http.get("/api/v1/changes", id)) == "not_permitted"
    with pytest.raises(DomainError, match="not_found"):
        await people(product).take_away(id, auditor, by="system", now=now)


async def test_a_person_of_the_pack_keeps_everything_else(product: Product, http: Http) -> None:
    worker = product.desk.district.grid("xuanhualu-05").duty_worker
    before = product.desk.district.person(worker)
    assert before.leave, "the test needs somebody who is away some day"
    await people(product).grant(worker, Grant(role=Role.AUDITOR), by="system", now=product.desk.now())
    await product.desk.watch.look()
    after = product.desk.district.person(worker)
    assert (after.name, after.leave, after.titles) == (before.name, before.leave, before.titles)
    assert after.grants == (*before.grants, Grant(role=Role.AUDITOR))
    assert [p.id for p in product.desk.district.people][:5] == ["p-0001", "p-0002", "p-0003", "p-0004", "p-0005"]


@pytest.mark.parametrize(
    ("grants", "says"),
    [
        ((Grant(role=Role.GRID_WORKER),), "is missing"),
        ((Grant(role=Role.OPERATOR, community="nowhere"),), "nowhere"),
        ((Grant(role=Role.UNIT_LIAISON, unit="u-nope"),), "u-nope"),
        ((Grant(role=Role.SYSTEM),), "not a person's role"),
    ],
)
async def test_a_district_that_would_not_hold_is_refused(
    product: Product, grants: tuple[Grant, ...], says: str
) -> None:
    with pytest.raises(DomainError) as refused:
        await added(product, *grants)
    assert refused.value.code == "publication_invalid" and says in str(refused.value.facts)


async def test_the_last_administrator_stays_one(product: Product) -> None:
    now = product.desk.now()
    await people(product).grant(ADMIN, Grant(role=Role.AUDITOR), by="system", now=now)
    with pytest.raises(DomainError) as refused:
        await people(product).take_away(ADMIN, Grant(role=Role.ADMIN), by="system", now=now)
    assert "nobody is admin" in str(refused.value.facts)


async def test_two_who_add_at_once_get_two_people(product: Product) -> None:
    import asyncio

    for _ in range(5):
        ids = await asyncio.gather(*(added(product, name=f"新人{n}") for n in range(3)))
        assert len(set(ids)) == 3
        await product.desk.watch.look()
        assert {product.desk.district.person(id).name for id in ids} == {"新人0", "新人1", "新人2"}


async def test_over_http_with_a_dry_run_and_without_overwriting_unseen(http: Http) -> None:
    path, body = "/people/p-5001", {"name": "王小明", "grants": [{"role": "auditor"}], "titles": ["审计员"]}
    tried = await dry(http, path, body)
    assert tried.status_code == 200 and tried.json()["created"] is True
    assert code_of(await http.get("/api/v1/people/p-5001", ADMIN)) == "not_found"
    made = await put(http, path, body, tag=None)
    assert made.status_code == 201, made.text
    unseen = await put(http, path, body | {"name": "王大明"}, tag=None)
    assert code_of(unseen) == "if_match_required"
    changed = await put(http, path, body | {"name": "王大明"}, tag=made.headers["etag"])
    assert changed.status_code == 200, changed.text
    assert code_of(await put(http, path, body, tag=made.headers["etag"])) == "changed_meanwhile"
    assert (await http.get("/api/v1/session", "p-5001")).json()["titles"] == ["审计员"]


async def test_only_an_administrator_changes_people_and_few_may_look(http: Http) -> None:
    body = await person_body(http, OPERATOR, titles=["x"])
    for who in (SUPERVISOR, OPERATOR, "resident-0001"):
        assert code_of(await put(http, f"/people/{OPERATOR}", body, who)) == "not_permitted"
    assert (await http.get(f"/api/v1/people/{OPERATOR}", OPERATOR)).status_code == 200
    assert (await http.get(f"/api/v1/people/{SUPERVISOR}", OPERATOR)).status_code == 403
    answer = await http.client.get("/api/v1/people/p-8888", headers=bearer(ADMIN))
    assert code_of(answer) == "not_found"
