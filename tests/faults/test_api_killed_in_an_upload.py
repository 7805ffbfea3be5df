"""The API is killed while a file comes in, and while it is being kept: nothing half is ever served, and the same upload
with the same key is simply made again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2

from devstack.stack import Stack
from service.file_keeper import FileKeeper
from store.pool import open_pool
from tests.builders import settings_for
from tests.faults.test_api_killed_after_commit import headers, kill_and_wait, until
from tests.pictures import A_PDF, a_jpeg

BIG_PDF = A_PDF[:-6] + b"%" + b" " * 8_000_000 + b"\n%%EOF\n"


async def begin(stack: Stack, heads: dict[str, str], content: bytes, share: float) -> asyncio.StreamWriter:
    """Sends this share of an upload, and no more."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"
    lines = [f"{name}: {value}" for name, value in heads.items()]
    lines += ["Host: test", "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}"]
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(stack.url).port)
    writer.write("\r\n".join(["POST /api/v1/files HTTP/1.1", *lines, "", ""]).encode())
    writer.write(body[: int(len(body) * share)])
    await writer.drain()
    return writer


def contents(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


async def test_killed_while_it_comes_in(stack: Stack, db: asyncpg.Connection) -> None:
    folder, heads = stack.folder.path / "files", headers(stack, "resident-0911", "half")
    before = contents(folder)
    writer = await begin(stack, heads, BIG_PDF, 0.6)
    await asyncio.sleep(0.2)
    await kill_and_wait(stack)
    writer.close()
    assert contents(folder) == before
    assert await db.fetchval("select count(*) from file where uploader = 'resident-0911'") == 0
    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        again = await http.post("/api/v1/files", headers=heads, files={"file": ("a.pdf", BIG_PDF)})
        assert again.status_code == 201, again.text
        assert "Idempotency-Replayed" not in again.headers
        served = await http.get(again.json()["url"], headers=heads)
        assert served.content == BIG_PDF


async def test_killed_while_it_is_kept(stack: Stack, db: asyncpg.Connection) -> None:
    """Again and again, at whichever moment the row is there but not ready; what is ready is whole."""
    folder = stack.folder.path / "files"
    mine = "from file where uploader = 'resident-0912'"

    async def began() -> bool:
        return bool(await db.fetchval(f"select 1 {mine}"))

    heads = headers(stack, "resident-0912", "kept")
    writer = await begin(stack, heads, BIG_PDF, 1.0)
    await until(began)
    await kill_and_wait(stack)
    writer.close()
    states = [r["state"] for r in await db.fetch(f"select state {mine}")]
    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        again = await http.post("/api/v1/files", headers=heads, files={"file": ("a.pdf", BIG_PDF)})
        assert again.status_code == 201, again.text
        assert ("Idempotency-Replayed" in again.headers) is (states == ["ready"])
        assert (await http.get(again.json()["url"], headers=heads)).content == BIG_PDF
        photo = await http.post(
            "/api/v1/files", headers=headers(stack, "resident-0912", "p"), files={"file": ("a", a_jpeg())}
        )
        assert photo.status_code == 201
    await db.execute("update file set created_at = created_at - interval '2 hours' where state = 'arriving'")
    settings = settings_for(stack.database_url, stack.temporal_address, "none", files=str(folder))
    now = await db.fetchval("select now()")
    pool = await open_pool(stack.database_url, size=2)
    try:
        await FileKeeper(settings, pool).forget(now)
    finally:
        await pool.close()
    kept = {r["id"] for r in await db.fetch("select id from file")}
    assert await db.fetchval(f"select count(*) {mine} and state <> 'ready'") == 0
    assert {p.name.removesuffix(".small") for p in contents(folder)} == kept, "nothing half is left"
