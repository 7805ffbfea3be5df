"""Asking for an import: the file is looked at as a whole, sealed and kept, and rows are taken in from then on."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from service.blobs import blobs_for
from service.desk import Desk
from service.importing.columns import parse_map
from service.importing.encodings import Unreadable
from service.importing.following import import_view
from service.importing.forms import ImportForm
from service.importing.rows import CsvFile
from service.importing.workbook import as_csv, is_workbook
from service.repeats import Answered, Asked
from service.spool import Spool
from store import imports as storing
from store.imports import StoredImport
from store.pool import UNAVAILABLE
from store.sealed_stream import new_key, sealed

MOST_WAITING = 5
"""Imports of one person that are not over."""
_reading = asyncio.Semaphore(1)  # a file that is looked at is in memory as a whole


@dataclass(frozen=True)
class _Looked:
    """The rows as CSV, and what they were: `csv` or `xlsx`."""

    content: bytes
    format: str


async def ask(desk: Desk, actor: Actor, spool: Spool, form: ImportForm, key: str | None) -> Answered:
    """Raises DomainError: `not_permitted`, `import_unreadable`, `too_many_imports`, `idempotency_key_reused`."""
    roles.must_hold(actor, Need.IMPORT_DEMANDS)
    asked = Asked(desk, actor, key, f"import {spool.sha256} {form.model_dump_json()}")
    before = await asked.repetition()
    if before is not None:
        return before
    if await storing.unfinished(desk.pool, actor.id) >= MOST_WAITING:
        raise DomainError("too_many_imports", f"{MOST_WAITING} of your imports are not over yet.", most=MOST_WAITING)
    async with _reading:
        looked = await _looked_at(spool, form)
        return await _kept(desk, actor, asked, looked, form)


async def _looked_at(spool: Spool, form: ImportForm) -> _Looked:
    try:
        content = await asyncio.to_thread(spool.whole)
        looked = _Looked(content, "csv")
        if is_workbook(spool.head):
            looked = _Looked(await as_csv(content), "xlsx")
        await asyncio.to_thread(_must_have_columns, looked, form)
    except Unreadable as problem:
        raise DomainError("import_unreadable", str(problem)) from None
    return looked


def _must_have_columns(looked: _Looked, form: ImportForm) -> None:
    CsvFile(io.BytesIO(looked.content), Path("The file"), parse_map(form.map), numbered=looked.format == "xlsx")


async def _kept(desk: Desk, actor: Actor, asked: Asked, looked: _Looked, form: ImportForm) -> Answered:
    import_id, key, now = f"i-{uuid4().hex}", new_key(), desk.now()
    who = Actor(id=actor.id, grants=actor.grants).model_dump_json()
    one = StoredImport(
        id=import_id, actor=who, created_by=actor.id, created_at=now, system=form.system, channel=str(form.channel),
        columns=form.map, dry_run=form.dry_run == "true", format=looked.format, size=len(looked.content),
        sealed_key=desk.sealer.seal(key.hex(), import_id), state="waiting", claimed_until=now,
    )  # fmt: skip
    body = json.dumps(import_view(one), ensure_ascii=False)
    await storing.begin(desk.pool, one)
    await asyncio.to_thread(blobs_for(desk.settings).put, import_id, sealed(key, import_id, [looked.content]))
    async with desk.pool.acquire() as connection, connection.transaction():
        first = await asked.keep(connection, import_id, body)
        if first and not await storing.ready(connection, import_id):
            raise TimeoutError("the keeper came before the end of it")
    if not first:  # its row stays `arriving`, and goes with its file
        return await asked.must_repeat()
    desk.import_waits.set()
    return Answered(import_id, body)


async def cancel(desk: Desk, actor: Actor, import_id: str) -> None:
    """What is in stays in. Raises DomainError `not_found`, `import_over`."""
    found = await storing.one(desk.pool, import_id)
    if found is None or not roles.may(actor, Need.IMPORT_DEMANDS, owner=found.created_by):
        raise DomainError("not_found", "There is no import with this id, or it is not yours.")
    if not await storing.end(desk.pool, import_id, "cancelled", desk.now()):
        raise DomainError("import_over", "The import is over. What it has taken in stays.")
    with suppress(*UNAVAILABLE):  # else the keeper takes it away
        await asyncio.to_thread(blobs_for(desk.settings).delete, import_id)
