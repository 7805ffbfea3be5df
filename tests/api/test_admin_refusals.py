"""Administration over HTTP: who may change what, what does not fit, and the trail that every change leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.desk import open_desk
from service.pack import PackError
from tests.api.administration import AUDITOR, dry, in_a_moment, published, put, resource_body, unit_body
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import ADMIN, SUPERVISOR, Product


async def test_only_those_who_may_change_something(http: Http, product: Product) -> None:
    before = await product.pool.fetchval("select count(*) from publication")
    unit, resource = await unit_body(http, "u-031"), await resource_body(http, "u-031", capacity=9)
    liaison, stranger = product.liaison_of("u-031").id, product.liaison_of("u-032").id
    everybody = (RESIDENT, SUPERVISOR, AUDITOR, liaison, product.secretary_of("zhangjiapo").id)
    for by in everybody:
        for answer in (
            await put(http, "/units/u-031", unit | {"name": "x"}, by),
            await http.post("/api/v1/units/u-031/retire", {"reason": "r"}, by),
            await put(http, "/stewardships/zhangjiapo-01", {"unit": "u-031", "from": "2030-01-01"}, by),
            await put(http, "/rotation/zhangjiapo/roster", {"period": "month", "starts_on": "2027-01-01", "roster": ["u-031"]}, by),
        ):  # fmt: skip
            assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    for by in (RESIDENT, SUPERVISOR, stranger):
        assert code_of(await http.post("/api/v1/units/u-031/resources", resource, by)) == "not_permitted"
    for change in ({"what": "别的"}, {"categories": ["01"]}, {"id": "u-031-r9"}):
        assert code_of(await http.post("/api/v1/units/u-031/resources", resource | change, liaison)) == "not_permitted"
    for by in (RESIDENT, liaison, product.secretary_of("zhangjiapo").id):
        assert code_of(await http.get("/api/v1/changes", by)) == "not_permitted"
    assert code_of(await http.get("/api/v1/changes", stranger, kind="unit", key="u-031")) == "not_permitted"
    assert (await http.client.put("/api/v1/units/u-031", json=unit)).status_code == 401
    assert await product.pool.fetchval("select count(*) from publication") == before


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"liaison": "p-9999"}, "publication_invalid", "units[u-033].liaison"),
        ({"communities": ["yupinglu"]}, "publication_invalid", "stewardships"),
        ({"kind": "club"}, "validation_failed", "/kind"),
        ({"communities": []}, "validation_failed", "/communities"),
        ({"resources": [{"id": "x", "what": "y", "categories": ["01"], "capacity": 0, "valid_from": "2026-01-01"}]},
         "validation_failed", "/resources/0/capacity"),
        ({"resources": [{"id": "x", "what": "y", "categories": ["01"], "capacity": 1, "valid_from": 20260101}]},
         "validation_failed", "/resources/0/valid_from"),
        ({"color": "red"}, "validation_failed", "/color"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_named(http: Http, change: dict[str, Any], code: str, key: str) -> None:
    body = await unit_body(http, "u-033") | change
    for answer in (await put(http, "/units/u-033", body), await dry(http, "/units/u-033", body)):
        assert (answer.status_code, code_of(answer)) == (422, code), answer.text
        said = answer.json()
        found = (
            [p["key"] for p in said["facts"]["problems"]] if "facts" in said else [e["pointer"] for e in said["errors"]]
        )
        assert any(one.startswith(key) for one in found), found


async def test_an_instant_must_be_to_come_and_things_must_be_there(http: Http) -> None:
    body = await unit_body(http, "u-034", name="x")
    year = datetime.now(UTC).year + 1
    past = await put(http, "/units/u-034?effective_at=2026-01-01T00:00:00Z", body)
    assert (code_of(past), past.json()["facts"]["field"]) == ("validation_failed", "/effective_at")
    local = await put(http, f"/units/u-034?dry_run=true&effective_at={year}-01-01T00:00:00+08:00", body)
    assert local.status_code == 200, local.text
    assert (await put(http, f"/units/u-034?effective_at={year}-01-01T00:00:00", body)).status_code == 422
    assert (await put(http, "/units/u-034?effective_at=2099-01-01T00:00:00Z", body)).status_code == 422
    for path in (
        "/units/u-none",
        "/stewardships/none",
        "/rotation/none/roster",
        "/people/p-9999/leave",
        "/units/%E4%BD%A0",
    ):
        assert (await http.get(f"/api/v1{path}", ADMIN)).status_code == 404
    for path, form in (
        ("/stewardships/none", {"unit": "u-001", "from": "2030-01-01"}), ("/people/p-9999/leave", {"leave": []}),
        ("/rotation/none/roster", {"period": "month", "starts_on": "2027-01-01", "roster": ["u-001"]}),
    ):  # fmt: skip
        assert (await put(http, path, form)).status_code == 404
    for path, body in (("retire", {"reason": "r"}), ("resources", await resource_body(http, "u-034"))):
        assert (await http.post(f"/api/v1/units/u-none/{path}", body, ADMIN)).status_code == 404


async def test_scheduled_rules_are_counted_with(http: Http) -> None:
    rules = http.app.state.desk.district.routing.model_dump(mode="json", exclude_none=True)
    rule = {"id": "bus-stops", "when": {"categories": ["070202"]}, "to": {"unit": "u-bus"}}
    body = {**rules, "version": "later-1", "rules": [rule, *rules["rules"]]}
    at = in_a_moment(30 * 86_400)
    done = await http.post(f"/api/v1/publications/routing?effective_at={at}", body, ADMIN)
    assert done.status_code == 201 and http.app.state.desk.district.routing.version != "later-1", done.text
    one = (await http.get(f"/api/v1/publications/{done.json()['id']}", ADMIN)).json()
    assert (one["state"], one["impact"]["changes"][0]["field"]) == ("scheduled", "version")
    refused = await http.post("/api/v1/units/u-bus/retire", {"reason": "r"}, ADMIN)
    assert code_of(refused) == "publication_invalid", refused.text
    facts = refused.json()["facts"]
    assert facts["problems"][0]["key"] == "rules[bus-stops].to.unit" and facts["at"] == one["effective_at"]
    sooner = await http.post("/api/v1/publications/routing", {**body, "version": "sooner-1"}, ADMIN)
    assert code_of(sooner) == "change_scheduled"
    gone = await http.post(f"/api/v1/publications/{one['id']}/cancel", {"reason": "r"}, ADMIN)
    assert gone.status_code == 200 and gone.json()["cancels"]["kind"] == "routing"
    retired = await http.post("/api/v1/units/u-bus/retire?dry_run=true", {"reason": "r"}, ADMIN)
    assert retired.status_code == 200, retired.text


async def test_the_trail_tells_every_kind_page_by_page(http: Http, product: Product) -> None:
    secretary = product.secretary_of("wenqulu")
    days = [(datetime.now(UTC) + timedelta(days=n)).date().isoformat() for n in (3, 4)]
    change = {"type": "override", "person": secretary.id, "from": days[0], "until": days[1], "reason": "顶班"}
    entered = await http.post("/api/v1/rotation/wenqulu/changes", change, secretary.id)
    assert entered.status_code == 201, entered.text
    for n in range(2):
        await published(await put(http, "/units/u-035", await unit_body(http, "u-035", name=f"第{n}版")))
    own = (await http.get("/api/v1/changes", secretary.id, kind="rotation_change", key="wenqulu")).json()
    assert (own[0]["reason"], own[0]["by"]["id"]) == ("顶班", secretary.id)
    first = await http.get("/api/v1/changes", AUDITOR, kind="unit", key="u-035", limit=1)
    (newest,) = first.json()
    assert (
        newest["changes"] == [{"field": "name", "before": "第0版", "after": "第1版"}] and newest["state"] == "in_force"
    )
    following = await http.client.get(first.links["next"]["url"], headers=bearer(AUDITOR))
    (older,) = following.json()
    assert (older["changes"][0]["after"], older["state"]) == ("第0版", "superseded")
    assert "next" not in following.links
    everything = (await http.get("/api/v1/changes", ADMIN, limit=100)).json()
    assert {"unit", "rotation_change"} <= {one["kind"] for one in everything}
    instants = [one["at"] for one in everything]
    assert instants == sorted(instants, reverse=True)
    assert code_of(await http.get("/api/v1/changes", ADMIN, kind="weather")) == "invalid_filter"


async def test_what_was_changed_is_in_force_after_a_restart(http: Http, product: Product) -> None:
    await published(await put(http, "/units/u-036", await unit_body(http, "u-036", name="重启之后")))
    async with http_for(product.settings) as restarted:
        assert restarted.app.state.desk.district.unit("u-036").name == "重启之后"


async def test_a_process_does_not_start_with_what_does_not_fit_any_more(http: Http, product: Product) -> None:
    """As after an upgrade of the files under a unit that was published."""
    body = await unit_body(http, "u-037") | {"id": "u-037", "liaison": "p-9999"}
    id = await product.pool.fetchval(
        "insert into publication (kind, key, version, body, impact, published_by, published_at, effective_at)"
        " values ('unit', 'u-037', 'x', $1, '{\"queued\": 0}', $2, now(), now()) returning id",
        json.dumps(body), ADMIN,
    )  # fmt: skip
    try:
        with pytest.raises(PackError, match=r"units\[u-037\].liaison"):
            await open_desk(product.settings)
    finally:
        await product.pool.execute("delete from publication where id = $1", id)
