"""Open311 conformance, lines 1-8 and 26-29: formats, ids, times, jurisdictions, texts, errors."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from service.open311_offer import make_offer
from service.pack import load_pack
from tests.api.callers import Http, http_for
from tests.builders import INTEGRATOR, Product
from tests.contract.peers import BASE, ROOF, Peer, faults_of, golden, rows_of

RESOURCES = ("/discovery", "/services", "/services/020401", "/requests", "/requests/{id}", "/tokens/{token}", "/servicerequestupdates")  # fmt: skip


def plain(element: ElementTree.Element) -> object:
    """An XML answer by the rules that make JSON of it, all leaves as text."""
    arrays = {"services", "attributes", "values", "service_requests", "service_request_updates", "endpoints", "formats", "errors"}  # fmt: skip
    if element.tag in arrays:
        return [plain(child) for child in element]
    if len(element):
        return {child.tag: plain(child) for child in element}
    return element.text


def as_text(value: object) -> object:
    if isinstance(value, dict):
        return {k: as_text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_text(v) for v in value]
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else None if value is None else str(value)  # fmt: skip


async def test_line_01_every_resource_in_both_formats_with_the_same_data(
    peer: Peer, public: Peer, product: Product
) -> None:
    number = await peer.create()
    batch = (await peer.post("/requests.json", {"service_code": "090201", "address_string": "文化广场"})).json()[0]
    await product.started(batch["token"].rpartition("-")[0])
    for template in RESOURCES:
        path = template.format(id=number, token=batch["token"])
        xml, json = await peer.get(f"{path}.xml"), await peer.get(f"{path}.json")
        assert (xml.status_code, json.status_code) == (200, 200), path
        assert plain(ElementTree.fromstring(xml.content)) == as_text(json.json()), path
        for suffix in ("", ".yaml", ".JSON", ".xml.gz"):
            answer = await public.get(f"{path}{suffix}")
            assert (answer.status_code, faults_of(answer)) == (404, ["404000"]), suffix
    golden(1, peer)


async def test_line_02_xml_declares_itself_and_its_encoding(public: Peer) -> None:
    for path in ("/discovery.xml", "/services/020401.xml", "/requests.xml", "/requests/none.xml", "/nothing.xml"):
        answer = await public.get(path)
        assert answer.headers["content-type"] == "text/xml; charset=utf-8", path
        assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<'), path
        assert b"xmlns" not in answer.content
    assert (await public.get("/discovery.json")).headers["content-type"] == "application/json; charset=utf-8"
    golden(2, public)


async def test_line_03_arrays_for_one_and_for_none_and_an_object_for_a_definition(peer: Peer) -> None:
    number = await peer.create(description="只有一条")
    assert len((await peer.get("/requests.json", service_request_id=number)).json()) == 1
    assert (await peer.get("/requests.json", service_request_id="none")).json() == []
    assert rows_of(await peer.get("/requests.xml", service_request_id="none")) == []
    one = (await peer.get(f"/requests/{number}.json")).json()
    assert isinstance(one, list) and len(one) == 1
    definition = (await peer.get("/services/030301.json")).json()
    assert isinstance(definition, dict) and [a["code"] for a in definition["attributes"]] == [
        "advice",
        "inside",
        "lift",
    ]
    assert (await peer.get("/services/120101.json")).json() == {"service_code": "120101", "attributes": []}
    golden(3, peer)


async def test_line_04_what_is_empty_is_null_or_an_empty_element(peer: Peer) -> None:
    number = await peer.create(description="没有图片")
    json = (await peer.get(f"/requests/{number}.json")).json()[0]
    xml = rows_of(await peer.get(f"/requests/{number}.xml"))[0]
    empty = {key for key, value in json.items() if value is None}
    assert {"zipcode", "media_url", "service_notice"} <= empty
    assert {key for key, value in xml.items() if value is None} == empty and set(xml) == set(json)
    assert "" not in json.values()
    hints = (await peer.get("/services/020401.json")).json()["attributes"]
    assert all(hint["datatype_description"] != "" for hint in hints)
    golden(4, peer)


async def test_line_05_ids_are_strings_and_keep_their_zeros(peer: Peer) -> None:
    codes = [s["service_code"] for s in (await peer.get("/services.json")).json()]
    assert all(isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_-]+", code) for code in codes)
    assert "010101" in codes
    number = await peer.create(service_code="010101")
    found = (await peer.get(f"/requests/{number}.json")).json()[0]
    assert (found["service_code"], found["service_request_id"]) == ("010101", number)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", number)
    assert isinstance(found["address_id"], str)
    golden(5, peer)


async def test_line_06_times_have_an_offset_and_no_fractions(peer: Peer) -> None:
    number = await peer.create(description="时间格式")
    found = (await peer.get(f"/requests/{number}.json")).json()[0]
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", found[name]), name
    for wrong in ("2026-09-01", "2026-09-01T00:00:00", "2026-09-01T00:00:00.5+08:00", "2026-13-01T00:00:00Z", "now"):
        answer = await peer.get("/requests.json", start_date=wrong)
        assert (answer.status_code, faults_of(answer)) == (400, ["400020"]), wrong
    unescaped = await peer.client.get(f"{BASE}/requests.json?end_date=2026-09-01T00:00:00+08:00")
    assert unescaped.status_code == 200  # the plus arrives as a blank
    golden(6, peer)


async def test_line_07_an_empty_parameter_is_an_absent_one(peer: Peer, public: Peer) -> None:
    number = await peer.create(description="空参数")
    names = (
        "status",
        "start_date",
        "end_date",
        "service_code",
        "service_request_id",
        "jurisdiction_id",
        "page",
        "bbox",
    )
    empty = await public.get("/requests.json", **dict.fromkeys(names, ""))
    assert empty.status_code == 200 and number in [r["service_request_id"] for r in empty.json()]
    assert "x-result-count" not in empty.headers
    fields = {"service_code": "020401", "address_string": "七楼", "attribute[floor]": "", "lat": "", "long": ""}
    answer = await peer.post("/requests.json", fields)
    assert faults_of(answer) == ["400011"]
    assert (await peer.get("/services.json", jurisdiction_id="", lat="", long="")).status_code == 200
    golden(7, peer)


@pytest.fixture
def other_pack(tmp_path: Path, project_root: Path) -> Path:
    return Path(shutil.copytree(project_root / "config" / "shengli-road", tmp_path / "shengli-road"))


def change(pack: Path, old: str, new: str) -> None:
    file = pack / "open311.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


async def test_line_08_jurisdictions(peer: Peer, product: Product, other_pack: Path) -> None:
    for path in ("/services.json", "/requests.json", "/services/020401.json", "/discovery.json"):
        assert (await peer.get(path, jurisdiction_id="shengli-road")).status_code == 200, path
        wrong = await peer.get(path, jurisdiction_id="elsewhere")
        assert (wrong.status_code, faults_of(wrong)) == (404, ["404001"]), path
    elsewhere = await peer.post("/requests.json", {**ROOF, "address_string": "七楼", "jurisdiction_id": "elsewhere"})
    assert (elsewhere.status_code, faults_of(elsewhere)) == (404, ["404001"])
    here, there = await peer.create(), await peer.create(lat="29.3520", long="105.8950", description="别的社区")
    change(other_pack, '["shengli-road"]', '["xuanhualu", "yupinglu"]')
    async with http_for(product.settings.model_copy(update={"pack": other_pack})) as two:
        several = Peer(two.client, INTEGRATOR)
        missing = await several.get("/requests.json")
        assert (missing.status_code, faults_of(missing)) == (400, ["400001"])
        assert faults_of(await several.post("/requests.json", {**ROOF, "address_string": "七楼"})) == ["400001"]
        assert (await several.get("/discovery.json")).status_code == 200
        narrowed = (await several.get("/requests.json", jurisdiction_id="xuanhualu")).json()
        numbers = {r["service_request_id"] for r in narrowed}
        assert here in numbers and there not in numbers
        assert faults_of(await several.get("/services.json", jurisdiction_id="shengli-road")) == ["404001"]
    golden(8, peer)


async def test_line_26_chinese_and_four_byte_characters_come_back_as_they_were(peer: Peer) -> None:
    story = "楼道灯坏了🔦𠮷家门口，\n第二行"
    number = await peer.create(description=story, address_string="𡋾𡋾巷 3 号")
    json = (await peer.get(f"/requests/{number}.json")).json()[0]
    xml = rows_of(await peer.get(f"/requests/{number}.xml"))[0]
    assert json["description"] == xml["description"] == story
    assert json["address"] == xml["address"] and str(json["address"]).startswith("𡋾𡋾巷 3 号, ")
    golden(26, peer)


async def test_line_27_what_xml_cannot_hold_is_left_out_of_both_formats(
    peer: Peer, http: Http, product: Product
) -> None:
    number = await peer.create(description="响\x08\x0b声\x1b很大\ufffe\r\n第二行\x00")
    stored = (await http.get(f"/api/v1/demands/{number}/texts", INTEGRATOR)).json()["texts"][0]["text"]
    assert stored == "响声很大\n第二行"
    # By another door such characters may come in: they are left out on the way out.
    other = await product.submit(product.person(INTEGRATOR), text="电视\x0b太吵\x1b", category="050102")
    for fmt in ("xml", "json"):
        answer = await peer.get(f"/requests/{other}.{fmt}")
        assert answer.status_code == 200 and "电视太吵" in answer.text
    assert rows_of(await peer.get(f"/requests/{number}.xml"))[0]["description"] == "响声很大\n第二行"
    golden(27, peer)


async def test_line_28_the_changeset_changes_when_a_service_does(
    public: Peer, product: Product, other_pack: Path
) -> None:
    async def changeset(pack: Path | None) -> str:
        settings = product.settings if pack is None else product.settings.model_copy(update={"pack": pack})
        async with http_for(settings) as http:
            found = (await Peer(http.client, None).get("/discovery.json")).json()
        assert found["endpoints"][0]["changeset"] == found["changeset"]
        return str(found["changeset"])

    before = await changeset(None)
    assert await changeset(other_pack) == before, "the same services, the same changeset, on every machine"
    change(other_pack, "垃圾种类", "垃圾的种类")
    second = await changeset(other_pack)
    categories = other_pack / "categories.toml"
    categories.write_text(
        categories.read_text(encoding="utf-8").replace("垃圾未清运", "垃圾没有清运"), encoding="utf-8"
    )
    third = make_offer(load_pack(other_pack), other_pack).changeset
    assert len({before, second, third}) == 3
    await public.get("/discovery.xml")
    golden(28, public)


async def test_line_29_unknown_addresses_and_methods_are_refused_in_the_same_form(public: Peer, http: Http) -> None:
    for path in ("", "/", "/nothing.json", "/nothing.xml", "/requests/1/2.json", "/tokens/x.json", "/services/999.xml"):
        answer = await public.get(path)
        assert answer.status_code == 404 and faults_of(answer)[0].startswith("404"), path
        assert ("json" in answer.headers["content-type"]) is path.endswith(".json")
    negotiated = await public.get("/nothing", headers={"Accept": "application/json"})
    assert "json" in negotiated.headers["content-type"]
    for method, path, allowed in (("PUT", "requests.json", "GET, POST"), ("DELETE", "requests/1.json", "GET")):
        answer = await http.client.request(method, f"{BASE}/{path}")
        assert (answer.status_code, faults_of(answer), answer.headers["allow"]) == (405, ["405001"], allowed)
    english = await public.get("/requests/none.json", headers={"Accept-Language": "en"})
    assert english.json()[0]["description"] == "There is no such service_request_id"
    golden(29, public)
