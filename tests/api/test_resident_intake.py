"""Reporting without an account, on the real stack: once, with its photos, followed by code and link, and private to its draft."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.api.callers import Http, code_of, http_for
from tests.api.residents import with_code, with_link
from tests.api.walk_ins import DOOR, LAMP, WalkIn
from tests.builders import OPERATOR, SUPERVISOR, Product, new_key, running_product, until
from tests.pictures import a_jpeg

FIRE = "快来人，家里着火了，三楼冒烟"
PHONE = "13912345678"


@pytest_asyncio.fixture(scope="module")
async def product(
    temporal: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    files: Path = tmp_path_factory.mktemp("files")
    async with running_product(temporal, database, files=str(files)) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        yield client


async def reported(who: WalkIn, **body: Any) -> dict[str, Any]:
    answer = await who.report(**body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_report_gets_a_number_a_code_a_link_and_honest_times(http: Http, product: Product) -> None:
    who = WalkIn(http)
    photo = (await who.photo(a_jpeg())).json()["id"]
    told = await reported(who, file_ids=[photo], reporter={"phone": PHONE}, confidential=True)
    assert re.fullmatch(r"\d{8}-\d{6,}", told["number"]) and re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", told["code"])
    assert told["elsewhere"] is None and told["followed"] is None
    promised = {one["promise"]: one["due_at"] for one in told["promises"]}
    assert promised["accept"] < promised["resolve"] and told["next"]["due_at"]
    d = await product.until_row(told["number"], lambda d: d.place is not None)
    assert d.confidential and d.place and d.place.compound == "c-0002" and d.reach == ("phone",)
    assert d.opened_by.startswith("walk-in:") and who.secret not in d.model_dump_json()
    assert await product.pool.fetchval("select channel from demand where number = $1", told["number"]) == "resident"
    by_link = with_link(http, told["link"].partition("#")[2])
    shown = (await by_link.get()).json()
    assert shown["texts"][0]["text"] == LAMP["text"] and shown["texts"][0]["by_you"]
    assert [one["id"] for one in shown["files"]] == [photo]
    assert {"note", "attach", "urge", "withdraw"} <= set(shown["permitted"]) and shown["contact"]["phone"] != PHONE
    assert (await by_link.get(f"/files/{photo}/thumbnail")).status_code == 200
    by_code = await with_code(http, told["number"], told["code"])
    assert (await by_code.get()).json()["number"] == told["number"]


async def test_the_link_leads_here_and_its_token_stands_behind_the_mark_in_the_picture_as_well(http: Http) -> None:
    told = await reported(WalkIn(http))
    base, _, token = told["link"].partition("#")
    assert base == "https://linli.test/f" and len(token) == 43
    assert told["qr"].startswith("<svg") and "script" not in told["qr"] and token not in told["qr"]


async def test_the_same_report_again_is_the_same_demand_with_the_same_code(http: Http, product: Product) -> None:
    who, key = WalkIn(http), new_key()
    before = await product.pool.fetchval("select count(*) from demand")
    first, again = await who.report(key=key), await who.report(key=key)
    assert first.status_code == again.status_code == 201 and again.headers["idempotency-replayed"] == "true"
    assert all(first.json()[name] == again.json()[name] for name in ("number", "code", "link"))
    assert await product.pool.fetchval("select count(*) from demand") == before + 1
    assert code_of(await who.report(key=key, text="别的事情")) == "idempotency_key_reused"
    stranger = WalkIn(http)
    other = await stranger.report(key=key)
    assert other.json()["number"] != first.json()["number"], "a key is the draft's own"


async def test_photos_are_the_drafts_own(http: Http) -> None:
    who, stranger = WalkIn(http), WalkIn(http)
    photo = (await who.photo(a_jpeg())).json()["id"]
    assert code_of(await stranger.report(file_ids=[photo])) == "unknown_file"
    for path in (f"/api/v1/files/{photo}", f"{DOOR}/files/{photo}"):
        assert (await who.client.get(path, headers={"Linli-Draft": who.secret})).status_code == 401
    told = await reported(who, file_ids=[photo])
    assert code_of(await who.report(file_ids=[photo])) == "file_taken" and told["number"]


async def test_a_draft_has_nine_photos_and_a_photo_that_is_sent_again_is_one(http: Http) -> None:
    who, key = WalkIn(http), new_key()
    first, again = await who.photo(a_jpeg(), key=key), await who.photo(a_jpeg(), key=key)
    assert first.json()["id"] == again.json()["id"]
    for _ in range(8):
        assert (await who.photo(a_jpeg(64, 64))).status_code == 201
    assert code_of(await who.photo(a_jpeg(64, 64))) == "too_many_files"


async def test_an_emergency_is_told_before_it_is_sent_and_closed_with_where_to_go_if_it_is_sent(http: Http) -> None:
    who = WalkIn(http)
    looked = (await who.look(text=FIRE)).json()
    assert looked["elsewhere"]["kind"] == "emergency" and "119" in looked["elsewhere"]["zh"]
    told = await reported(who, text=FIRE, category=None)
    assert told["stage"]["code"] == "closed" and "119" in told["elsewhere"]["zh"] and told["code"]


async def test_a_draft_is_offered_categories_and_its_place(http: Http) -> None:
    looked = (await WalkIn(http).look(text="楼下的路灯坏了", location={"compound": "c-0002"})).json()
    assert looked["categories"][0] == {
        "code": "030101", "zh": "路灯不亮", "en": "Street lights out", "group": {"zh": "公共设施", "en": "Public facilities"},
    }  # fmt: skip
    assert looked["place"]["compound"] == "红旗花园" and looked["elsewhere"] is None


async def test_others_are_told_as_counts_and_followed_with_a_number_of_ones_own(http: Http, product: Product) -> None:
    name, where = "欧阳霁月", {"compound": "c-0030", "building": "2"}
    first = await http.submit(
        OPERATOR, text=f"{name}家楼下路灯不亮，晚上摔跤", category="030101", location=where, channel="hotline"
    )

    async def found() -> list[dict[str, Any]] | None:
        looked = await WalkIn(http).look(text="门口路灯坏了不亮", category="030101", location=where)
        assert looked.status_code == 200, looked.text
        assert name not in looked.text and first["number"] not in looked.text
        matters: list[dict[str, Any]] = looked.json()["matters"]
        return matters or None

    (matter,) = await until(found)
    assert matter["reporters"] == 1 and matter["said_zh"] and matter["opened_on"]
    assert set(matter) == {"stage", "category", "opened_on", "said_zh", "said_en", "reporters", "follow"}
    who, key = WalkIn(http), new_key()
    said = {"text": "门口路灯坏了不亮", "location": where, "follow": matter["follow"]}
    told = (await who.report(key=key, **said)).json()
    assert told["followed"] is True and told["number"] != first["number"]
    d = await product.until_row(told["number"], lambda d: d.primary is not None)
    assert d.primary == first["number"] and (await who.report(key=key, **said)).json()["followed"] is True
    await product.until_row(first["number"], lambda d: told["number"] in d.followers)
    (now,) = (await WalkIn(http).look(text="门口路灯坏了不亮", category="030101", location=where)).json()["matters"]
    assert now["reporters"] == 2
    events = (await http.get(f"/api/v1/demands/{told['number']}/events", SUPERVISOR)).json()
    assert [e["actor"] for e in events if e["type"] == "merged"] == [f"reporter:{told['number']}"]


async def test_what_was_not_offered_cannot_be_followed(http: Http) -> None:
    assert code_of(await WalkIn(http).report(follow="A" * 60)) == "unknown_matter"


async def test_a_confidential_matter_is_offered_to_nobody(http: Http, product: Product) -> None:
    where = {"compound": "c-0060"}
    first = await http.submit(
        OPERATOR, text="楼道路灯不亮", category="030101", location=where, channel="hotline", confidential=True
    )

    async def marked() -> bool | None:
        return await product.pool.fetchval("select true from demand_likeness where number = $1", first["number"])

    await until(marked)
    assert (await WalkIn(http).look(text="楼道路灯不亮", category="030101", location=where)).json()["matters"] == []


@pytest.mark.parametrize("name", ["categories", "places", "grids"])
async def test_the_lists_name_no_person_and_are_kept_by_browsers(http: Http, product: Product, name: str) -> None:
    answer = await http.client.get(f"{DOOR}/{name}")
    assert answer.status_code == 200 and "max-age" in answer.headers["cache-control"]
    again = await http.client.get(f"{DOOR}/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content
    people = {one.name for one in product.desk.district.directory.people.values()} - {""}
    assert not [one for one in people if f'"{one}"' in answer.text] and "p-0" not in answer.text
    assert json.loads(answer.text)
