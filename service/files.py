"""Attaching files to demands, and reading them: who may see the demand, and what kind of matter the file is, decide."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.files import may_see_file
from domain.privacy import ReadingReason
from gateways.blobs import BlobMissing
from service.blobs import blobs_for
from service.desk import Desk
from service.file_views import file_view, thumbnail_of
from service.forms import Location
from service.reading import find
from service.views import View
from service.words import reading
from store import files as storing
from store import personal
from store.files import StoredFile
from store.sealed_stream import opened


@dataclass(frozen=True)
class Served:
    """A file on its way out. `chunks` block: read them in a thread."""

    file: StoredFile
    media_type: str
    size: int
    chunks: Iterator[bytes]


# ---- attaching


async def attach(desk: Desk, actor: Actor, number: str, ids: Sequence[str], *, command: str, key: str) -> list[str]:
    """Attach the caller's files to a demand before the command that names them is judged; returns the ids to take back
    if it is refused. Raises DomainError `unknown_file` or `file_taken`, and nothing is attached then."""
    bound = await storing.bind(desk.pool, number, ids, by=actor.id, command=command, key=key, at=desk.now())
    if bound.unknown:
        rule = "There is no such file, or it is not yours. Upload it first and name the id of the answer."
        raise DomainError("unknown_file", rule, field="/file_ids", files=list(bound.unknown))
    if bound.elsewhere:
        rule = "A file belongs to one demand only. Upload it again for this one."
        raise DomainError("file_taken", rule, field="/file_ids", files=list(bound.elsewhere))
    return list(bound.fresh)


async def take_back(desk: Desk, number: str, fresh: Sequence[str], *, key: str | None = None) -> None:
    """The command was refused: its files are loose again; with `key` also those of an earlier, undecided try."""
    if fresh or key is not None:
        await storing.unbind(desk.pool, number, ids=fresh, key=key)


async def photographed_at(desk: Desk, actor: Actor, ids: Sequence[str]) -> Location | None:
    """The point of the first of these files whose uploader agreed to its use as the place."""
    found = await storing.first_point(desk.pool, ids, by=actor.id)
    return None if found is None else Location.model_validate(_point(desk, *found))


def _point(desk: Desk, file_id: str, sealed: bytes) -> dict[str, float]:
    point: dict[str, float] = json.loads(desk.sealer.open(sealed, file_id))
    return point


# ---- reading


async def files_of(desk: Desk, actor: Actor, number: str) -> list[View]:
    """The files of a demand that the caller may see, oldest first. DomainError `not_found` as in `find`."""
    demand = await find(desk, actor, number)
    return [file_view(file) for file in await storing.of_demand(desk.pool, number) if _visible(demand, actor, file)]


async def details(desk: Desk, actor: Actor, file_id: str) -> View:
    """One file; its uploader also learns the place that it was allowed to give. DomainError `not_found`."""
    file = await _seen(desk, actor, file_id)
    point = _point(desk, file.id, file.gps) if file.gps and file.uploader == actor.id else None
    return {**file_view(file), "location": point}


async def revealed(desk: Desk, actor: Actor, file_id: str) -> StoredFile:
    """The row of a file that the caller may see. DomainError `not_found`, also for what they may not see."""
    return await _seen(desk, actor, file_id)


async def original(desk: Desk, actor: Actor, file: StoredFile) -> Served:
    """The content, and a row in the record of readings unless it is the caller's own. DomainError `not_found`."""
    if actor.id != file.uploader:
        told = reading(desk, actor, "file", ReadingReason.HANDLING, file.id)
        await personal.tell(desk.pool, told, [file.number])
    return Served(file, file.media_type, file.size, await _opened(desk, file, file.id))


async def thumbnail(desk: Desk, file: StoredFile) -> Served:
    """The small picture, always JPEG. DomainError `not_found` for a document."""
    if file.kind != "image":
        raise DomainError("not_found", "A document has no small picture. Show its type instead.")
    content = b"".join(await _opened(desk, file, thumbnail_of(file.id)))
    return Served(file, "image/jpeg", len(content), iter((content,)))


async def _seen(desk: Desk, actor: Actor, file_id: str) -> StoredFile:
    file = await storing.one(desk.pool, file_id)
    if file is not None and file.number is None and file.uploader == actor.id:
        return file
    if file is not None and file.number is not None:
        row = await desk.pool.fetchval("select state from demand where number = $1", file.number)
        if row is not None and _visible(Demand.model_validate_json(row), actor, file):
            return file
    raise _no_file()


def _visible(demand: Demand, actor: Actor, file: StoredFile) -> bool:
    return may_see_file(demand, actor, uploader=file.uploader, attached_with=file.attached_with or "")


async def _opened(desk: Desk, file: StoredFile, name: str) -> Iterator[bytes]:
    """The first piece has been opened when this returns: what is missing or damaged is told before any of it is sent."""
    if file.sealed_key is None:
        raise _no_file()
    key = bytes.fromhex(desk.sealer.open(file.sealed_key, file.id))

    def begin() -> Iterator[bytes]:
        pieces = opened(key, name, blobs_for(desk.settings).get(name))
        return chain((next(pieces),), pieces)

    try:
        return await asyncio.to_thread(begin)
    except BlobMissing:
        raise _no_file() from None


def _no_file() -> DomainError:
    return DomainError("not_found", "There is no file with this id, or it is not in your scope.")
