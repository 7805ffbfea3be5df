"""Open311 conformance, lines 9-11, 18, 19 and 25: sending requests, tokens, and the same request sent again."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from service import intake
from tests.api.callers import Http
from tests.builders import CONSULT, INTEGRATOR, OPERATOR, Product, until
from tests.contract.peers import BASE, ROOF, Peer, faults_of, golden, key_of, rows_of

POINT = {"lat": "29.3667", "long": "105.9100"}


async def counted(product: Product) -> int:
    return int(await product.pool.fetchval("select count(*) from demand"))


async def texts_of(http: Http, number: str) -> str:
    """All that staff read of it."""
    found = (await http.get(f"/api/v1/demands/{number}/texts", OPERATOR)).json()["texts"]
    return "\n".join(one["text"] for one in found)


async def test_line_09_what_is_missing_or_wrong_is_named(peer: Peer, public: Peer, product: Product) -> None:
    before = await counted(product)
    for key in (None, "dev_p-0009_aaaaaaaaaaaaaaaaaaaaaaaaaa", "x" * 500, key_of("resident-0001"), key_of(OPERATOR)):
        public.key = key
        answer = await public.post("/requests.xml", {**ROOF, **POINT})
        assert answer.status_code == 403 and faults_of(answer)[0].startswith("403"), key
    cases: tuple[tuple[dict[str, Any], int, list[str]], ...] = (
        ({"service_code": "999999", **POINT}, 404, ["404002"]),
        (POINT, 400, ["400002"]),
        ({"service_code": CONSULT}, 400, ["400010"]),
        ({"service_code": CONSULT, "address_id": "#NOTPINPOINTED#"}, 400, ["400010"]),
        ({"service_code": CONSULT, "lat": "29.3667"}, 400, ["400014"]),
        ({"service_code": CONSULT, "lat": "91", "long": "105"}, 400, ["400014"]),
        ({"service_code": CONSULT, "lat": "nan", "long": "inf"}, 400, ["400014"]),
        ({"service_code": "020401", **POINT}, 400, ["400011"]),
        ({"service_code": "020401"}, 400, ["400011", "400010"]),
        ({**ROOF, **POINT, "attribute[floor]": "seven"}, 400, ["400012"]),
        ({"service_code": "030301", **POINT, "attribute[inside]": "maybe"}, 400, ["400012"]),
        ({"service_code": "050101", **POINT, "attribute[period]": "day", "attribute[since]": "gestern"}, 400, ["400012"]),
        ({"service_code": CONSULT, **POINT, "media_url": "javascript:alert(1)"}, 400, ["400013"]),
    )  # fmt: skip
    for fields, status, codes in cases:
        for fmt in ("xml", "json"):
            answer = await peer.post(f"/requests.{fmt}", fields)
            assert (answer.status_code, faults_of(answer)) == (status, codes), fields
    missing = await peer.post("/requests.json", {"service_code": "020401", **POINT})
    assert "attribute[floor]" in missing.json()[0]["description"]
    assert await counted(product) == before
    golden(9, peer)


async def test_line_10_several_values_in_both_spellings(peer: Peer, http: Http) -> None:
    for spelling in ("attribute[period]", "attribute[period][]"):
        number = await peer.create(service_code="050101", description=spelling, **{spelling: ["noon", "night"]})
        assert "扰民时段〔period〕：午休、夜间 22 时后" in await texts_of(http, number)
        found = (await peer.get(f"/requests/{number}.json", extensions="true")).json()[0]
        assert found["attributes"] == [
            {"label": "扰民时段", "code": "period", "name": "扰民时段", "value": "午休、夜间 22 时后"}
        ]
        assert found["description"] == spelling
    unknown = await peer.create(**{"attribute[easting]": "1", "attribute[x][]": ["a", "b"]}, description="多余的属性")
    assert "easting" not in await texts_of(http, unknown)
    golden(10, peer)


async def test_line_11_a_long_description_is_refused_and_markup_is_text(peer: Peer) -> None:
    number = await peer.create(description="长" * 4000)
    assert len((await peer.get(f"/requests/{number}.json")).json()[0]["description"]) == 4000
    answer = await peer.post("/requests.json", {"service_code": CONSULT, **POINT, "description": "长" * 4001})
    assert (answer.status_code, faults_of(answer)) == (400, ["400030"])
    markup = "<b>坏了</b> & <script>alert(1)</script> ]]> &lt; <!ENTITY x>"
    number = await peer.create(description=markup)
    xml = await peer.get(f"/requests/{number}.xml")
    assert rows_of(xml)[0]["description"] == markup and b"<script" not in xml.content
    assert (await peer.get(f"/requests/{number}.json")).json()[0]["description"] == markup
    golden(11, peer)


async def test_line_18_a_token_becomes_an_id(peer: Peer, public: Peer, product: Product) -> None:
    answer = await peer.post(
        "/requests.xml", {"service_code": "090201", "address_string": "文化广场", "description": "办场电影"}
    )
    receipt = rows_of(answer)[0]
    token = receipt["token"]
    assert token is not None and "service_request_id" not in receipt
    number = token.rpartition("-")[0]
    await product.started(number)

    async def no_more_to_start() -> bool | None:
        return None if await product.pool.fetchval("select 1 from outbox where number = $1", number) else True

    await until(no_more_to_start)
    # As between the commit and the start of its workflow:
    await product.pool.execute(
        "insert into outbox (kind, number, claimed_until, attempts) values ('start', $1, now() + interval '1 day', 0)", number
    )  # fmt: skip
    assert (await public.get(f"/tokens/{token}.json")).json() == [{"service_request_id": None, "token": token}]
    assert rows_of(await public.get(f"/tokens/{token}.xml")) == [{"service_request_id": None, "token": token}]
    await product.pool.execute("delete from outbox where number = $1", number)
    assert rows_of(await public.get(f"/tokens/{token}.xml")) == [{"service_request_id": number, "token": token}]
    assert (await peer.get(f"/requests/{number}.json")).json()[0]["description"] == "办场电影"
    for wrong in ("none", number, f"{number}-{'0' * 24}", f"20200101-000001-{token[-24:]}"):
        unknown = await public.get(f"/tokens/{wrong}.json")
        assert (unknown.status_code, faults_of(unknown)) == (404, ["404004"]), wrong
    golden(18, peer, public)


async def test_line_19_a_blackbox_gives_neither_id_nor_token(peer: Peer, product: Product) -> None:
    before = await counted(product)
    for fmt in ("json", "xml"):
        answer = await peer.post(
            f"/requests.{fmt}", {"service_code": "110201", **POINT, "description": f"家里的事 {fmt}"}
        )
        receipt = answer.json()[0] if fmt == "json" else rows_of(answer)[0]
        assert set(receipt) == {"service_notice", "account_id"} and receipt["service_notice"]
    assert await counted(product) == before + 2
    golden(19, peer)
    services = {s["service_code"]: s for s in (await peer.get("/services.json")).json()}
    assert (services["110201"]["type"], services["090201"]["type"]) == ("blackbox", "batch")
    assert services["110201"]["keywords"].endswith("private")


@pytest.mark.parametrize("fmt", ["xml", "json"])
async def test_line_25_the_same_request_again_is_the_same_demand(peer: Peer, product: Product, fmt: str) -> None:
    fields = {
        **ROOF,
        **POINT,
        "description": f"屋顶漏水 {fmt}",
        "phone": "13800000000",
        "first_name": "丽",
        "last_name": "王",
    }
    before = await counted(product)
    answers = [await peer.post(f"/requests.{fmt}", fields) for _ in range(3)]
    together = await asyncio.gather(*(peer.post(f"/requests.{fmt}", fields) for _ in range(20)))
    assert {a.status_code for a in (*answers, *together)} == {200}
    assert len({a.content for a in (*answers, *together)}) == 1
    assert await counted(product) == before + 1
    # Another address of the picture is no other report; other words, another point or another person are.
    assert (
        await peer.post(f"/requests.{fmt}", {**fields, "media_url": "https://example.org/2.jpg"})
    ).content == answers[0].content
    for other in (
        {"description": f"别的 {fmt}"},
        {"lat": "29.3668"},
        {"phone": "13900000000"},
        {"attribute[floor]": "8"},
    ):
        assert (await peer.post(f"/requests.{fmt}", {**fields, **other})).content != answers[0].content
    assert await counted(product) == before + 5


async def test_line_25_the_clients_own_number_stands_for_one_demand(peer: Peer, product: Product) -> None:
    fields = {**ROOF, **POINT, "description": "屋顶又漏水", "attribute[fixmystreet_id]": "7001"}
    first = await peer.post("/requests.json", fields)
    before = await counted(product)
    again = await peer.post("/requests.json", {**fields, "description": "屋顶又漏水（已修改）"})
    together = await asyncio.gather(
        *(peer.post("/requests.json", {**fields, "description": f"第 {n % 3} 次"}) for n in range(12))
    )
    ids = {a.json()[0]["service_request_id"] for a in (first, again, *together)}
    assert len(ids) == 1 and await counted(product) == before
    found = await product.pool.fetch("select system, ref from external_ref where number = $1", ids.pop())
    assert [(r["system"], r["ref"]) for r in found] == [(f"open311/{INTEGRATOR}", "7001")]
    peer.said = peer.said[:2]
    golden(25, peer)


async def test_line_25_after_a_day_the_same_words_are_another_demand(peer: Peer, product: Product) -> None:
    fields = {"service_code": CONSULT, **POINT, "description": "又来问一次"}
    first = (await peer.post("/requests.json", fields)).json()[0]["service_request_id"]
    moved = "update idempotency set created_at = created_at - $2::interval, key = case when $3 then md5(key) else key end where number = $1"
    await product.pool.execute(moved, first, timedelta(hours=23), False)
    assert (await peer.post("/requests.json", fields)).json()[0]["service_request_id"] == first
    # A day has passed, and with it the key that the day is part of.
    await product.pool.execute(moved, first, timedelta(hours=2), True)
    assert (await peer.post("/requests.json", fields)).json()[0]["service_request_id"] != first


async def test_a_request_is_an_ordinary_demand(peer: Peer, product: Product, http: Http) -> None:
    number = await peer.create(
        service_code="020401", **{"attribute[floor]": "6"}, title="漏雨", description="客厅漏雨", phone="(138) 0000-1111",
        email="li@example.org", first_name="明", last_name="李", address_string="3 栋 2 单元", media_url=["https://example.org/a.jpg"],
    )  # fmt: skip
    row = await product.pool.fetchrow("select channel, opened_by, category, grid from demand where number = $1", number)
    assert row is not None and (row["channel"], row["opened_by"], row["category"]) == ("open311", INTEGRATOR, "020401")
    assert row["grid"] == product.desk.district.grid_at(29.3667, 105.91).id  # type: ignore[union-attr]
    reporter = json.loads(product.desk.sealer.open(await product.pool.fetchval("select sealed from reporter where number = $1", number), number))  # fmt: skip
    assert (reporter["name"], reporter["phone"], reporter["email"]) == ("李明", "138 0000 1111", "li@example.org")
    text = await texts_of(http, number)
    for part in ("漏雨\n客厅漏雨", "楼层〔floor〕：6", "地址：3 栋 2 单元", "附图：https://example.org/a.jpg"):
        assert part in text
    found = (await peer.get(f"/requests/{number}.json")).json()[0]
    assert found["media_url"] == "https://example.org/a.jpg" and found["description"] == "漏雨\n客厅漏雨"
    assert (await product.started(number)).number == number


async def test_places_by_id_by_words_and_without_a_pin(peer: Peer, product: Product) -> None:
    compound = product.desk.district.compounds[0]
    stages = {}
    for name, fields in {
        "compound": {"address_id": compound.id},
        "grid": {"address_id": compound.grid},
        "words": {"address_string": "红旗小区门口"},
        "unknown": {"address_id": "999", "address_string": "不知道"},
        "no pin": {**POINT, "address_id": "#NOTPINPOINTED#"},
    }.items():
        answer = await peer.post("/requests.json", {"service_code": CONSULT, "description": name, **fields})
        number = answer.json()[0]["service_request_id"]
        row = await product.pool.fetchrow("select stage, grid, compound from demand where number = $1", number)
        assert row is not None
        stages[name] = tuple(row)
    placed = ("grid", compound.grid)
    assert stages["compound"] == (*placed, compound.id) and stages["grid"] == (*placed, None)
    assert {stages[name] for name in ("words", "unknown", "no pin")} == {("intake", None, None)}


async def test_what_is_not_ours_says_where_to_go(peer: Peer) -> None:
    answer = await peer.post("/requests.json", {"service_code": CONSULT, **POINT, "description": "家里着火了"})
    assert "119" in answer.json()[0]["service_notice"]
    number = answer.json()[0]["service_request_id"]
    found = (await peer.get(f"/requests/{number}.json", extensions="true")).json()[0]
    assert found["status"] == "closed"
    assert found["extended_attributes"]["extended_status"] == "NOT_COUNCILS_RESPONSIBILITY"


async def test_bodies_that_are_no_forms(peer: Peer, http: Http, product: Product) -> None:
    async def post(content: bytes, kind: str, **headers: str) -> list[str]:
        url = f"{BASE}/requests.json?api_key={peer.key}"
        answer = await http.client.post(url, content=content, headers={"Content-Type": kind} | headers)
        assert answer.status_code == 400, answer.text
        return faults_of(answer)

    form = "application/x-www-form-urlencoded"
    assert await post(b"{}", "application/json") == ["400032"]
    assert await post(b"<a/>", "text/xml") == ["400032"]
    assert await post(b"description=%ff%fe", form) == ["400033"]
    assert await post(b"description=\xff", form) == ["400033"]
    assert await post(b"&".join(b"a%d=1" % n for n in range(400)), form) == ["400031"]
    assert await post(b"description=" + b"x" * 300_000, form) == ["400031"]
    assert await post(b"a=1", form, **{"Content-Encoding": "gzip"}) == ["400032"]
    assert await post(b"--x\r\nnonsense", "multipart/form-data; boundary=x") == ["400002"]
    assert await post(b"x", "multipart/form-data") == ["400032"]
    before = await counted(product)
    files = {name: (None, value) for name, value in {"service_code": CONSULT, "address_string": "门口", "api_key": peer.key or ""}.items()}  # fmt: skip
    answer = await http.client.post(f"{BASE}/requests.json", files=files)
    assert answer.status_code == 200 and await counted(product) == before + 1


async def test_a_key_may_stand_in_the_form_the_address_or_the_header(peer: Peer, http: Http) -> None:
    body, url = f"service_code={CONSULT}&address_string=x", f"{BASE}/requests.json"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        await http.client.post(url, content=f"{body}&api_key={peer.key}", headers=headers),
        await http.client.post(f"{url}?api_key={peer.key}", content=body, headers=headers),
        await http.client.post(url, content=body, headers=headers | {"Authorization": f"Bearer {peer.key}"}),
    ]
    assert {a.status_code for a in answers} == {200} and len({a.content for a in answers}) == 1


async def test_a_used_idempotency_key_is_as_good_as_a_number(peer: Peer, http: Http) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": intake.fingerprint_of("a key")}
    body = f"service_code={CONSULT}&address_string=x&description=once&api_key={peer.key}"
    answers = [await http.client.post(f"{BASE}/requests.json", content=body, headers=headers) for _ in range(2)]
    assert len({a.content for a in answers}) == 1
    other = {**headers, "Idempotency-Key": "another-key"}
    again = await http.client.post(f"{BASE}/requests.json", content=body, headers=other)
    assert again.status_code == 200 and again.content != answers[0].content


async def test_keys_of_integrators_and_their_scopes(peer: Peer, http: Http) -> None:
    async def made(*scopes: str) -> str:
        answer = await http.post("/api/v1/api-keys", {"name": "FixMyStreet", "scopes": list(scopes)}, INTEGRATOR)
        assert answer.status_code == 201, answer.text
        secret: str = answer.json()["secret"]
        return secret

    peer.key = await made("open311:write")
    number = await peer.create(description="用真的密钥发来的")
    assert (await peer.get(f"/requests/{number}.json")).json()[0]["description"] == "用真的密钥发来的"
    assert (await peer.get("/servicerequestupdates.json")).status_code == 200
    peer.key = await made("demands:read")
    assert (await peer.get(f"/requests/{number}.json")).json()[0]["description"] == "用真的密钥发来的"
    refused = await peer.post("/requests.json", {"service_code": CONSULT, **POINT})
    assert (refused.status_code, faults_of(refused)) == (403, ["403002"])
    peer.key = await made("rates:read")
    assert (await peer.get(f"/requests/{number}.json")).json()[0]["description"] != "用真的密钥发来的"
    assert faults_of(await peer.get("/servicerequestupdates.json")) == ["403002"]
    peer.key = "linli_0000_nothing"
    assert faults_of(await peer.get(f"/requests/{number}.json")) == ["403001"], "a key that is sent must be a good one"
