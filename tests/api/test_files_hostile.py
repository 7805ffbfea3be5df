"""What is sent to hurt: wrong types, bombs, polyglots, cut-off bodies, too much, and the process killed in the middle."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from service.file_keeper import FileKeeper
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import Product, running_product
from tests.pictures import A_PAGE, A_PDF, AN_SVG, SCRIPT, a_bomb, a_jpeg, a_png, files_in

LIMIT = 400_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str, folder: Path) -> AsyncIterator[Product]:
    async with running_product(temporal, database, serve=False, files=str(folder), max_file_bytes=LIMIT) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        yield client


async def send(http: Http, content: bytes, name: str = "photo.jpg", by: str = RESIDENT) -> httpx2.Response:
    return await http.client.post("/api/v1/files", headers=bearer(by), files={"file": (name, content, "image/jpeg")})


def body(*parts: tuple[str, bytes], boundary: str = "x", ends: bool = True) -> tuple[bytes, dict[str, str]]:
    out = b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
    headers = bearer(RESIDENT) | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return out + (f"--{boundary}--\r\n".encode() if ends else b""), headers


FILE = 'Content-Disposition: form-data; name="file"; filename="a.jpg"'


def a_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.html", A_PAGE)
    return out.getvalue()


NOT_TAKEN = {
    "a page called .jpg": A_PAGE, "svg with a script": AN_SVG, "a gif": b"GIF89a" + bytes(40), "a zip": a_zip(),
    "a program": b"\x7fELF" + bytes(60), "a pdf behind a gif": b"GIF89a" + A_PDF, "heic": bytes(4) + b"ftypheic" + bytes(40),
    "a page behind spaces": b"   \n" + A_PAGE, "php": b"<?php system($_GET[0]); ?>", "xml": b'<?xml version="1.0"?><a/>',
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_TAKEN)
async def test_the_type_is_what_is_in_it(http: Http, what: str) -> None:
    answer = await send(http, NOT_TAKEN[what])
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_file")
    assert ("HEIC" in answer.json()["rule"]) is (what == "heic")


BROKEN = {
    "nothing": b"", "only a signature": b"\xff\xd8\xff", "a jpeg cut off": a_jpeg()[:3000], "a png cut off": a_png()[:-30],
    "a jpeg with rubbish in it": a_jpeg()[:200] + os.urandom(4000), "a webp of nothing": b"RIFF\x00\x00\x00\x00WEBP" + bytes(20),
    "a pdf without an end": A_PDF[:-8], "a png with a lying head": a_png()[:16] + bytes(8) + a_png()[24:],
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
async def test_what_cannot_be_read_is_refused(http: Http, what: str) -> None:
    answer = await send(http, BROKEN[what])
    assert (answer.status_code, code_of(answer)) == (422, "file_broken"), answer.text


async def test_bombs_do_not_go_off(http: Http) -> None:
    bomb = a_bomb()
    assert len(bomb) < LIMIT, "it has to come in to be a bomb"
    for content in (bomb, webp_of(16_000, 16_000), jpeg_of(30_000, 30_000)):
        answer = await send(http, content)
        assert (answer.status_code, code_of(answer)) == (422, "picture_too_large")


def webp_of(width: int, height: int) -> bytes:
    """Its head says so; its decoder would take memory for all of it before it looks further."""
    head = b"VP8X" + (10).to_bytes(4, "little") + bytes(4) + (width - 1).to_bytes(3, "little")
    return b"RIFF" + (100).to_bytes(4, "little") + b"WEBP" + head + (height - 1).to_bytes(3, "little") + bytes(80)


def jpeg_of(width: int, height: int) -> bytes:
    raw = bytearray(a_jpeg())
    at = raw.index(b"\xff\xc0") + 5
    raw[at : at + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(raw)


async def test_a_polyglot_loses_its_other_half(http: Http) -> None:
    for content in (a_jpeg() + A_PAGE, a_jpeg() + a_zip(), a_jpeg(comment=SCRIPT), a_png() + A_PDF):
        answer = await send(http, content, name="x.html")
        assert answer.status_code == 201, answer.text
        served = await http.get(answer.json()["url"])
        assert SCRIPT not in served.content and b"PK\x03\x04" not in served.content and b"%PDF" not in served.content
        assert not zipfile.is_zipfile(io.BytesIO(served.content))
        assert served.headers["content-type"].startswith("image/")


@pytest.mark.parametrize(
    "name", ["../../../../tmp/pwned.jpg", "/etc/cron.d/x", "..\\..\\x", "CON", "a" * 900, "a\x00b", "夜.jpg"]
)
async def test_a_name_is_not_even_read(http: Http, folder: Path, name: str) -> None:
    answer = await send(http, a_jpeg(32, 32), name=name)
    assert answer.status_code == 201, answer.text
    assert name not in answer.text
    assert all(place.name.startswith("f-") for place in files_in(folder))
    assert not files_in(folder.parent, "*pwned*")


async def test_too_much_is_refused_while_it_comes(http: Http) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        head, _ = body((FILE, b""), ends=False)
        yield head[:-2] + b"\xff\xd8\xff"
        while sent < 100 * LIMIT:
            sent += 65_536
            yield b"\x00" * 65_536

    _, headers = body()
    answer = await http.client.post("/api/v1/files", headers=headers, content=endless())
    assert (answer.status_code, code_of(answer)) == (413, "file_too_large")
    assert answer.json()["facts"] == {"max_bytes": LIMIT}
    assert sent <= LIMIT + 2 * 65_536, "it was read on"
    declared = await http.client.post("/api/v1/files", headers=headers | {"Content-Length": "9" * 12}, content=b"")
    assert declared.status_code == 413


async def test_the_limit_itself_is_let_in(http: Http) -> None:
    pdf = A_PDF[:-6] + b" " * (LIMIT - len(A_PDF)) + A_PDF[-6:]
    assert (await send(http, pdf)).status_code == 201
    assert code_of(await send(http, pdf + b"\n")) == "file_too_large"


PHOTO = a_jpeg(32, 32)
WRONG = {
    "two files": body((FILE, PHOTO), (FILE, PHOTO)),
    "no file": body(('Content-Disposition: form-data; name="use_location"', b"true")),
    "another part": body((FILE, PHOTO), ('Content-Disposition: form-data; name="number"', b"1")),
    "no name": body(("Content-Type: image/jpeg", PHOTO)),
    "cut off": body((FILE, PHOTO), ends=False),
    "cut off in the head": (b"--x\r\nContent-Dis", body()[1]),
    "nothing at all": (b"", body()[1]),
    "only the end": body(),
    "another boundary": (body((FILE, PHOTO), boundary="y")[0], body()[1]),
    "a long field": body((FILE, PHOTO), ('Content-Disposition: form-data; name="use_location"', b"t" * 9_000)),
    "neither true nor false": body((FILE, PHOTO), ('Content-Disposition: form-data; name="use_location"', b"1")),
    "a long head": body((FILE + "\r\nX: " + "y" * 5_000, PHOTO)),
    "many heads": body((FILE + "\r\nX: y" * 100, PHOTO)),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_body_that_does_not_keep_to_the_form(http: Http, what: str) -> None:
    content, headers = WRONG[what]
    answer = await http.client.post("/api/v1/files", headers=headers, content=content)
    assert (answer.status_code, code_of(answer)) == (400, "multipart_invalid"), answer.text


@pytest.mark.parametrize(
    "type",
    [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=" + "x" * 90,
        "",
    ],
)
async def test_only_forms_with_a_boundary_are_read(http: Http, type: str) -> None:
    answer = await http.client.post("/api/v1/files", headers=bearer(RESIDENT) | {"Content-Type": type}, content=b"{}")
    assert (answer.status_code, code_of(answer)) == (415, "multipart_required")


async def test_a_packed_body_is_refused(http: Http) -> None:
    content, headers = body((FILE, PHOTO))
    answer = await http.client.post("/api/v1/files", headers=headers | {"Content-Encoding": "gzip"}, content=content)
    assert code_of(answer) == "multipart_required"


async def test_the_form_is_the_same_however_it_is_cut(http: Http) -> None:
    content, headers = body((FILE, PHOTO), ('Content-Disposition: form-data; name="use_location"', b"false"))

    async def drops() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 7):
            yield content[at : at + 7]

    answer = await http.client.post("/api/v1/files", headers=headers, content=drops())
    assert answer.status_code == 201, answer.text
    whole = await http.client.post("/api/v1/files", headers=headers, content=content)
    assert whole.json()["bytes"] == answer.json()["bytes"]


async def test_nobody_fills_the_disk_with_loose_files(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.uploads.MOST_LOOSE", 2)
    answers = [await send(http, PHOTO, by="resident-0077") for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 409]
    assert code_of(answers[2]) == "too_many_files"


async def test_many_at_once_from_one_caller_wait(http: Http) -> None:
    answers = await asyncio.gather(*(send(http, PHOTO, by="resident-0078") for _ in range(12)))
    assert {a.status_code for a in answers} <= {201, 429}
    assert sum(a.status_code == 201 for a in answers) >= 6
    assert (await send(http, PHOTO, by="resident-0078")).status_code == 201, "nothing stays counted"


async def test_a_sender_that_hangs_up_leaves_nothing(http: Http, product: Product, folder: Path) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield body((FILE, PHOTO), ends=False)[0]
        raise ConnectionResetError

    before = files_in(folder)
    count = await product.pool.fetchval("select count(*) from file")
    assert (await http.client.post("/api/v1/files", headers=body()[1], content=breaks())).status_code >= 400
    assert files_in(folder) == before
    assert await product.pool.fetchval("select count(*) from file") == count


async def test_a_full_disk_is_no_upload(http: Http, product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = await send(http, PHOTO, by="resident-0079")
    assert (answer.status_code, code_of(answer)) == (503, "unavailable")
    assert await product.pool.fetchval("select state from file where uploader = 'resident-0079'") == "going"


async def test_a_damaged_content_is_not_served(http: Http, folder: Path) -> None:
    view = (await send(http, PHOTO)).json()
    place = files_in(folder, view["id"])[0]
    place.write_bytes(bytes([place.read_bytes()[0] ^ 1]) + place.read_bytes()[1:])
    answer = await http.get(view["url"])
    assert answer.status_code == 500 and PHOTO[:20] not in answer.content
    place.unlink()
    assert (await http.get(view["url"])).status_code == 404


async def test_the_keeper_forgets_what_was_never_attached_or_never_finished(
    product: Product, http: Http, folder: Path
) -> None:
    keeper, now = FileKeeper(product.settings, product.pool), product.desk.now()
    used, loose = [(await send(http, PHOTO, by="resident-0080")).json()["id"] for _ in range(2)]
    await http.submit("resident-0080", file_ids=[used])
    await product.pool.execute(
        "insert into file (id, uploader, kind, media_type, size, sha256, created_at, use_location, state)"
        " values ($1, 'resident-0080', 'image', 'image/jpeg', 1, '', $2, false, 'arriving')",
        "f-" + "e" * 30 + "7f", now,
    )  # fmt: skip
    half = folder / "7f" / ("f-" + "e" * 30 + "7f.unfinished")
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    kept = "select array_agg(id order by id) from file where uploader = 'resident-0080'"
    await keeper.forget(now)
    assert len(await product.pool.fetchval(kept)) == 3, "it is too early"
    await keeper.forget(now + timedelta(hours=2))
    assert await product.pool.fetchval(kept) == sorted([used, loose]) and not half.exists()
    await keeper.forget(now + timedelta(days=1, minutes=1))
    assert await product.pool.fetchval(kept) == [used]
    assert not files_in(folder, f"{loose}*") and len(files_in(folder, f"{used}*")) == 2
    assert await keeper.forget(now + timedelta(days=3)) == 0


async def test_nothing_is_written_as_it_is(product: Product, http: Http, folder: Path) -> None:
    assert (await send(http, A_PDF + b"\n% marked 13800001111\n%%EOF")).status_code == 201
    for place in (folder, Path(tempfile.gettempdir())):
        for found in place.glob("*/*" if place is folder else "*"):
            if found.is_file() and found.stat().st_size < 10_000_000:
                assert b"marked 13800001111" not in found.read_bytes()
