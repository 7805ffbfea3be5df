"""Files over HTTP: uploaded, attached, seen by those who may, hidden from all others, and harmless whatever was sent."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from PIL import Image
from temporalio.testing import WorkflowEnvironment

from service.file_views import thumbnail_of
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import OPERATOR, SUPERVISOR, Product, new_key, running_product
from tests.pictures import A_PDF, SCRIPT, a_jpeg, a_png, files_in, from_a_phone

GRID = "xuanhualu-01"
STREET_TRADE = "050201"  # asks for evidence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str, folder: Path) -> AsyncIterator[Product]:
    async with running_product(temporal, database, files=str(folder)) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        yield client


async def send(
    http: Http, content: bytes, by: str = RESIDENT, *, name: str = "photo.jpg", key: str | None = None, **fields: str
) -> httpx2.Response:
    headers = bearer(by) | {"Idempotency-Key": key or new_key()}
    return await http.client.post("/api/v1/files", headers=headers, files={"file": (name, content)}, data=fields)


async def uploaded(http: Http, content: bytes | None = None, by: str = RESIDENT, **fields: str) -> str:
    answer = await send(http, a_jpeg() if content is None else content, by, **fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def worker(product: Product) -> str:
    return product.worker_of(GRID).id


async def test_a_picture_is_kept_shown_and_answered_again(http: Http, product: Product, folder: Path) -> None:
    key, photo = new_key(), a_jpeg()
    first = await send(http, photo, key=key)
    assert first.status_code == 201
    view = first.json()
    assert (view["media_type"], view["width"], view["height"], view["number"]) == ("image/jpeg", 640, 480, None)
    again = await send(http, photo, key=key)
    assert again.json() == view and again.headers["idempotency-replayed"] == "true"
    assert code_of(await send(http, a_jpeg(64, 64), key=key)) == "idempotency_key_reused"
    shown = await http.get(view["url"])
    assert shown.headers["content-type"] == "image/jpeg" and len(shown.content) == view["bytes"]
    assert Image.open(io.BytesIO(shown.content)).size == (640, 480)
    small = await http.get(view["thumbnail_url"])
    assert Image.open(io.BytesIO(small.content)).size == (480, 360)
    kept = files_in(folder, f"{view['id']}*")
    assert {p.name for p in kept} == {view["id"], thumbnail_of(view["id"])}
    assert all(b"JFIF" not in p.read_bytes() and p.stat().st_mode & 0o077 == 0 for p in kept)


async def test_headers_make_it_data_and_nothing_else(http: Http) -> None:
    photo = await http.get(f"/api/v1/files/{await uploaded(http)}")
    assert photo.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in photo.headers["content-security-policy"]
    assert "default-src 'none'" in photo.headers["content-security-policy"]
    assert photo.headers["cache-control"].startswith("private")
    assert photo.headers["content-disposition"].startswith("inline")
    document = await http.get(f"/api/v1/files/{await uploaded(http, A_PDF)}")
    assert document.headers["content-type"] == "application/pdf" and document.content == A_PDF
    assert document.headers["content-disposition"].startswith("attachment")
    tagged = bearer(RESIDENT) | {"If-None-Match": photo.headers["etag"]}
    same = await http.client.get(photo.request.url, headers=tagged)
    assert (same.status_code, same.content) == (304, b"")
    assert (await http.client.get(photo.request.url, headers=bearer(RESIDENT) | {"If-None-Match": '"x"'})).content
    assert code_of(await http.get(f"{document.request.url.path}/thumbnail")) == "not_found"


async def test_what_the_camera_wrote_is_gone_and_the_place_is_kept_only_with_consent(
    http: Http, product: Product
) -> None:
    photo = from_a_phone()
    assert b"13800001111" in photo and SCRIPT in photo
    silent = (await send(http, photo)).json()
    agreed = (await send(http, photo, use_location="true")).json()
    assert (silent["has_location"], agreed["has_location"]) == (False, True)
    assert agreed["taken_at"] == "2026-03-01T06:30:05Z"  # a camera without a zone is one of here
    assert (agreed["width"], agreed["height"]) == (480, 640), "turned as the camera was held"
    for path in (agreed["url"], agreed["thumbnail_url"]):
        content = (await http.get(path)).content
        assert SCRIPT not in content and b"13800001111" not in content
        assert not Image.open(io.BytesIO(content)).getexif()
    place = (await http.get(f"{agreed['url']}/details")).json()["location"]
    assert place == {"lat": pytest.approx(29.356, abs=1e-5), "lon": pytest.approx(105.927, abs=1e-5)}
    assert (await http.get(f"{silent['url']}/details")).json()["location"] is None
    points = [row["gps"] for row in await product.pool.fetch("select gps from file where gps is not null")]
    answers = [row["answer"] for row in await product.pool.fetch("select answer from idempotency")]
    assert points and not [p for p in points if b"29.35" in p] and not [a for a in answers if "29.35" in a]


async def test_a_photo_gives_a_demand_its_place(http: Http, product: Product) -> None:
    compound = product.desk.district.compounds_of(GRID)[0]
    photo = await uploaded(http, from_a_phone(compound.lat, compound.lon), use_location="true")
    view = await http.submit(location=None, file_ids=[photo])
    assert view["grid"] == product.desk.district.grid_at(compound.lat, compound.lon).id  # type: ignore[union-attr]
    elsewhere = await uploaded(http, from_a_phone(compound.lat, compound.lon))
    assert (await http.submit(location=None, file_ids=[elsewhere]))["grid"] is None


async def test_a_demand_comes_with_its_photos(http: Http, product: Product) -> None:
    photo, key = await uploaded(http), new_key()
    body = {"text": "井盖破了", "location": {"grid": GRID}, "file_ids": [photo]}
    first = await http.post("/api/v1/demands", body, key=key)
    again = await http.post("/api/v1/demands", body, key=key)
    assert first.status_code == 201 and again.json() == first.json()
    number = first.json()["number"]
    assert "files_attached" in await product.types(number)
    listed = (await http.get(f"/api/v1/demands/{number}/files", worker(product))).json()
    assert [(f["id"], f["attached_with"]) for f in listed] == [(photo, "submit")]
    assert (await http.get(f"/api/v1/files/{photo}", worker(product))).status_code == 200
    refused = await http.post("/api/v1/demands", body)
    assert code_of(refused) == "file_taken", "under another key it is another demand"
    unknown = await http.post("/api/v1/demands", {**body, "file_ids": ["f-" + "0" * 32]})
    assert code_of(unknown) == "unknown_file"


async def test_a_refused_demand_leaves_its_photos_free(http: Http) -> None:
    photo, ref = await uploaded(http), {"system": "12345", "number": new_key()}
    await http.submit(external_refs=[ref])
    body = {"text": "井盖破了", "location": {"grid": GRID}, "file_ids": [photo], "external_refs": [ref]}
    assert code_of(await http.post("/api/v1/demands", body)) == "external_ref_taken"
    assert code_of(await http.post("/api/v1/demands", {**body, "category": "999999"})) == "unknown_category"
    assert (await http.get(f"/api/v1/files/{photo}/details")).json()["number"] is None
    assert (await http.submit(file_ids=[photo]))["number"]


async def test_actions_attach_the_callers_own_files_to_one_demand(http: Http, product: Product) -> None:
    number, other = (await http.submit())["number"], (await http.submit())["number"]
    await product.started(number)
    photo, own = await uploaded(http, by=worker(product)), await uploaded(http)
    stranger = await http.act(number, worker(product), "attach", file_ids=[own])
    assert code_of(stranger) == "unknown_file", "somebody else's loose file is like none at all"
    key = new_key()
    done = await http.act(number, worker(product), "attach", file_ids=[photo], key=key)
    assert done.status_code == 200, done.text
    assert (await http.act(number, worker(product), "attach", file_ids=[photo], key=key)).status_code == 200
    named_again = await http.act(number, worker(product), "note", note="见照片", file_ids=[photo])
    assert named_again.status_code == 200, "it belongs to this demand already"
    assert code_of(await http.act(other, worker(product), "attach", file_ids=[photo])) == "file_taken"
    assert code_of(await http.act(other, OPERATOR, "attach", file_ids=[photo])) == "unknown_file"


async def test_a_refused_action_leaves_the_file_free(http: Http, product: Product) -> None:
    number = (await http.submit())["number"]
    await product.started(number)
    photo = await uploaded(http, by=worker(product))
    refused = await http.act(number, worker(product), "verify", ok=True, file_ids=[photo])
    assert code_of(refused) == "stage_forbids"
    assert (await http.get(f"/api/v1/files/{photo}/details", worker(product))).json()["number"] is None
    assert (await http.act(number, worker(product), "accept", file_ids=[photo])).status_code == 200


async def test_evidence_is_asked_for_where_the_category_says_so(http: Http, product: Product) -> None:
    view = await http.submit(category=STREET_TRADE)
    number, holder = view["number"], view["holder"]["id"]
    assert view["evidence"] is True
    await product.started(number)
    bare = await http.act(number, holder, "resolve", reply="摊位已规范。")
    assert bare.json()["code"] == "evidence_required"
    photo = await uploaded(http, by=holder)
    done = await http.act(number, holder, "resolve", reply="摊位已规范。", file_ids=[photo])
    assert done.status_code == 200 and done.json()["stage"] == "feedback"
    assert (await http.get(f"/api/v1/files/{photo}")).status_code == 200, "the reporter sees what goes with the answer"


async def test_who_sees_what(http: Http, product: Product) -> None:
    number = (await http.submit(confidential=True, file_ids=[await uploaded(http)]))["number"]
    await product.started(number)
    internal = await uploaded(http, by=worker(product))
    await http.act(number, worker(product), "note", note="现场", file_ids=[internal])
    reporters = (await http.get(f"/api/v1/demands/{number}/files")).json()
    assert [f["attached_with"] for f in reporters] == ["submit"], "what is noted inside is not the reporter's"
    assert (await http.get(f"/api/v1/files/{internal}")).status_code == 404
    sent = reporters[0]["url"]
    for stranger in ("resident-0002", product.worker_of("xuanhualu-02").id):
        assert (await http.get(sent, stranger)).status_code == 404
        assert (await http.get(f"{sent}/thumbnail", stranger)).status_code == 404
    auditor = next(p.id for p in product.desk.district.people if all(g.role == "auditor" for g in p.grants))
    assert (await http.get(sent, auditor)).status_code == 403, "no role of an auditor opens any file"
    assert (await http.get(f"/api/v1/demands/{number}/files", auditor)).status_code == 403
    assert (await http.get(sent, SUPERVISOR)).status_code == 200
    unit = product.desk.district.units_of("xuanhualu")[0].id
    assert (await http.act(number, worker(product), "hand_off", unit=unit)).json()["stage"] == "unit"
    liaison = product.liaison_of(unit).id
    assert (await http.get(f"/api/v1/demands/{number}", liaison)).status_code == 200
    assert (await http.get(sent, liaison)).status_code == 404, "confidential: the handling unit does not see it"
    assert (await http.get(f"/api/v1/files/{internal}", liaison)).status_code == 200


async def test_reading_an_original_leaves_a_trace_and_ones_own_does_not(http: Http, product: Product) -> None:
    photo = await uploaded(http)
    number = (await http.submit(file_ids=[photo]))["number"]
    for by in (RESIDENT, SUPERVISOR):
        assert (await http.get(f"/api/v1/files/{photo}", by)).status_code == 200
    rows = await product.pool.fetch("select actor, subject, fields from personal_read where what = 'file'")
    assert [(r["actor"], r["subject"], r["fields"]) for r in rows if photo in r["fields"]] == [
        (SUPERVISOR, number, [photo])
    ]


async def test_loose_files_are_their_uploaders_alone(http: Http) -> None:
    photo = await uploaded(http)
    for path in ("", "/thumbnail", "/details"):
        assert (await http.get(f"/api/v1/files/{photo}{path}", SUPERVISOR)).status_code == 404
    for nothing in ("f-1", "f-" + "A" * 32, "..%2f..%2fetc%2fpasswd", "f-" + "0" * 32):
        assert (await http.get(f"/api/v1/files/{nothing}")).status_code == 404
    assert (await http.client.get(f"/api/v1/files/{photo}")).status_code == 401


async def test_a_transparent_png_stays_png_and_its_small_picture_is_jpeg(http: Http) -> None:
    view: dict[str, Any] = (await send(http, a_png(600, 300, "RGBA"), name="x.jpg")).json()
    assert view["media_type"] == "image/png"
    small = Image.open(io.BytesIO((await http.get(view["thumbnail_url"])).content))
    assert (small.format, small.size) == ("JPEG", (480, 240))
