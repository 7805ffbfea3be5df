"""Uploading: type by content, pictures written anew, everything sealed with a key of its own before it is kept.

    spool ──> type by its first bytes ──> picture written anew, PDF as it is ──> row `arriving` ──> contents ──> `ready`

Whatever is cut off in between leaves a row that is not ready, and the keeper (`service/file_keeper.py`) takes it away.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from domain.actors import Actor
from domain.errors import DomainError
from domain.files import PDF, is_phone_format, kind_of, media_type_of
from service.blobs import blobs_for
from service.desk import Desk
from service.file_views import file_view, thumbnail_of
from service.repeats import Answered, Asked
from service.spool import Spool
from store import files as storing
from store.files import StoredFile
from store.pool import UNAVAILABLE
from store.sealed_stream import new_key, sealed

if TYPE_CHECKING:
    from service.pictures import Picture

MOST_LOOSE = 100
"""Files of one person that are attached to nothing yet."""
_PDF_TAIL = 2048
_decoding = asyncio.Semaphore(1)  # a picture that is being decoded may take 300 MB of memory


@dataclass(frozen=True)
class _Content:
    """What is kept of an upload: the picture as it was written anew, or (`picture` unset) the document as it came."""

    spool: Spool
    media_type: str
    picture: Picture | None = None

    @property
    def size(self) -> int:
        return len(self.picture.content) if self.picture else self.spool.size

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.picture.content).hexdigest() if self.picture else self.spool.sha256

    def chunks(self) -> Iterator[bytes]:
        return iter((self.picture.content,)) if self.picture else self.spool.chunks()


async def upload(
    desk: Desk, actor: Actor, spool: Spool, key: str | None, *, use_location: bool, most: int | None = None
) -> Answered:
    """Keep a file that only its uploader can see until a demand names it; `most` of them at a time, or as many as anybody may.

    Raises DomainError: `unsupported_file`, `file_broken`, `picture_too_large`, `too_many_files`, `idempotency_key_reused`.
    """
    asked = Asked(desk, actor, key, f"upload {spool.sha256} {use_location}")
    before = await asked.repetition()
    if before is not None:
        return before
    most = MOST_LOOSE if most is None else most
    if await storing.loose(desk.pool, actor.id) >= most:
        rule = f"{most} files of yours are attached to nothing yet. Attach them, or wait a day until they are gone."
        raise DomainError("too_many_files", rule, most=most)
    content = await _looked_at(spool, desk.now())
    file, file_key = _described(desk, actor, content, use_location=use_location)
    await storing.begin(desk.pool, file)
    try:
        await asyncio.to_thread(_keep, desk, file.id, file_key, content)
        return await _finished(desk, asked, file)
    except BaseException:
        with suppress(*UNAVAILABLE):  # else the keeper finds it
            await storing.mark_going(desk.pool, file.id)
        raise


async def _looked_at(spool: Spool, now: datetime) -> _Content:
    media_type = media_type_of(spool.head)
    if media_type is None:
        raise _refused(spool)
    if media_type == PDF:
        await asyncio.to_thread(_must_end, spool)
        return _Content(spool, media_type)
    async with _decoding:
        from service.pictures import cleaned  # here: the first picture loads the decoders

        return _Content(spool, media_type, await asyncio.to_thread(lambda: cleaned(spool.whole(), media_type, now)))


def _refused(spool: Spool) -> DomainError:
    if spool.size == 0:
        return DomainError("file_broken", "The file is empty. Choose it again.")
    rule = "Send a JPEG, PNG or WebP picture, or a PDF. What counts is what is in the file, not its name."
    if is_phone_format(spool.head):
        rule = "This is HEIC or AVIF. Have the phone take or share it as JPEG (“most compatible”), and send that."
    return DomainError("unsupported_file", rule, allowed=["image/jpeg", "image/png", "image/webp", "application/pdf"])


def _must_end(spool: Spool) -> None:
    tail = b""
    for chunk in spool.chunks():
        tail = (tail + chunk)[-_PDF_TAIL:]
    if b"%%EOF" not in tail:
        raise DomainError("file_broken", "The PDF has no end: it is cut off. Send the original again.")


def _described(desk: Desk, actor: Actor, content: _Content, *, use_location: bool) -> tuple[StoredFile, bytes]:
    file_id, key, picture = f"f-{uuid4().hex}", new_key(), content.picture
    file = StoredFile(
        id=file_id, uploader=actor.id, kind=kind_of(content.media_type), media_type=content.media_type,
        size=content.size, sha256=content.sha256, created_at=desk.now(), use_location=use_location,
        sealed_key=desk.sealer.seal(key.hex(), file_id),
    )  # fmt: skip
    if picture is None:
        return file, key
    point = json.dumps({"lat": picture.point[0], "lon": picture.point[1]}) if picture.point and use_location else None
    gps = desk.sealer.seal(point, file_id) if point else None
    return replace(file, width=picture.width, height=picture.height, taken_at=picture.taken_at, gps=gps), key


def _keep(desk: Desk, file_id: str, key: bytes, content: _Content) -> None:
    blobs = blobs_for(desk.settings)
    blobs.put(file_id, sealed(key, file_id, content.chunks()))
    if content.picture is not None:
        small = thumbnail_of(file_id)
        blobs.put(small, sealed(key, small, [content.picture.thumbnail]))


async def _finished(desk: Desk, asked: Asked, file: StoredFile) -> Answered:
    body = json.dumps(file_view(file), ensure_ascii=False)
    async with desk.pool.acquire() as connection, connection.transaction():
        if not await storing.finish(connection, file.id):
            raise TimeoutError("the keeper came before the end of it")
        first = await asked.keep(connection, file.id, body)
        if not first:
            await storing.mark_going(connection, file.id)
    return Answered(file.id, body) if first else await asked.must_repeat()
