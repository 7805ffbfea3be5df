"""The imports that wait, row by row: in the process of the API, which has everything at hand that takes a demand in.

A few rows at a time are judged, then what became of them is kept, in one commit. Whoever is killed in between has its rows
judged again: each has a key of its own, and is not taken in twice.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog

from domain.actors import Actor
from domain.errors import DomainError
from gateways.blobs import BlobMissing
from service import intake
from service.blobs import blobs_for
from service.desk import UNAVAILABLE, Desk
from service.importing.bodies import Maker
from service.importing.checking import category_codes, form_of, problem_of, refused
from service.importing.columns import parse_map
from service.importing.encodings import Unreadable
from service.importing.refusals import Refusal
from service.importing.rows import CsvFile, Row
from store import imports as storing
from store import intake as taken_in
from store.imports import Judged, StoredImport
from store.sealed_stream import Damaged, opened

LEASE = timedelta(seconds=60)
LOOKS_EVERY_SECONDS = 5.0
ROWS_AT_ONCE = 40
SENT_AT_ONCE = 8

_LATER = frozenset({"unavailable", "too_many_requests", "outcome_unknown"})

log = structlog.get_logger()


async def run(desk: Desk) -> None:
    """Until cancelled."""
    while True:
        desk.import_waits.clear()
        try:
            found = await storing.claim(desk.pool, desk.now(), lease=LEASE)
            if found is not None:
                await _carry_out(desk, found)
                continue
        except UNAVAILABLE as down:
            log.warning("imports wait", reason=type(down).__name__)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKS_EVERY_SECONDS):
                await desk.import_waits.wait()


@dataclass
class _Work:
    """One import under way. `resumed`: rows of the first batch may have been taken in by this import before."""

    desk: Desk
    what: StoredImport
    file: CsvFile
    maker: Maker
    actor: Actor
    resumed: bool
    seen: set[str] = field(default_factory=set)


async def _carry_out(desk: Desk, what: StoredImport) -> None:
    try:
        work = await _opened(desk, what)
        rows = islice(work.file.rows(), work.what.rows_done, None)
        while batch := await asyncio.to_thread(_next, rows):
            if not await _step(work, batch):
                return
        await storing.end(desk.pool, what.id, "done", desk.now())
        log.info("import done", import_id=what.id, dry_run=what.dry_run)
    except asyncio.CancelledError:
        with suppress(*UNAVAILABLE):
            await storing.give_back(desk.pool, what.id, desk.now())
        raise
    except UNAVAILABLE:
        raise
    except (Unreadable, BlobMissing, Damaged) as broken:
        log.warning("import failed", import_id=what.id, reason=type(broken).__name__)
        rule = str(broken) if isinstance(broken, Unreadable) else "The uploaded file is damaged. Upload it again."
        await storing.end(desk.pool, what.id, "failed", desk.now(), problem=rule)
    except Exception as bug:
        log.error("import failed", import_id=what.id, reason=type(bug).__name__, exc_info=bug)
        await storing.end(desk.pool, what.id, "failed", desk.now(), problem="internal")


async def _opened(desk: Desk, what: StoredImport) -> _Work:
    resumed = what.claimed_until > what.created_at
    if resumed and what.dry_run and what.rows_done:
        await storing.start_again(desk.pool, what.id)
        what = StoredImport(**{**what.__dict__, "rows_done": 0})
    content = await asyncio.to_thread(_content, desk, what)
    file = CsvFile(io.BytesIO(content), Path("file"), parse_map(what.columns), numbered=what.format == "xlsx")
    maker = Maker(what.system, what.channel, category_codes(desk.district), None)
    return _Work(desk, what, file, maker, Actor.model_validate_json(what.actor), resumed)


def _content(desk: Desk, what: StoredImport) -> bytes:
    if what.sealed_key is None:
        raise BlobMissing(what.id)
    key = bytes.fromhex(desk.sealer.open(what.sealed_key, what.id))
    return b"".join(opened(key, what.id, blobs_for(desk.settings).get(what.id)))


def _next(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, ROWS_AT_ONCE))


async def _step(work: _Work, batch: list[Row]) -> bool:
    gate = asyncio.Semaphore(SENT_AT_ONCE)
    judge = _tried if work.what.dry_run else _taken

    async def one(row: Row) -> Refusal | str:
        async with gate:
            return await judge(work, row)

    found = await asyncio.gather(*(one(row) for row in batch), return_exceptions=True)
    for broken in found:
        if isinstance(broken, BaseException):
            raise broken  # its row is judged again, and those that were taken in are not taken in twice
    refusals = [(r.row, r.line, r.code, r.field, r.what_to_do) for r in found if isinstance(r, Refusal)]
    judged = Judged(len(batch), found.count("taken"), found.count("there"), refusals)
    if not await storing.move_on(work.desk.pool, work.what, judged, until=work.desk.now() + LEASE):
        return False
    work.what = StoredImport(**{**work.what.__dict__, "rows_done": work.what.rows_done + len(batch)})
    work.resumed = False
    return True


async def _taken(work: _Work, row: Row) -> Refusal | str:
    made = form_of(row, work.file, work.maker)
    if isinstance(made, Refusal):
        return made
    form, key = made
    try:
        done = await intake.submit(work.desk, work.actor, form, key)
    except DomainError as error:
        if error.code in _LATER:
            raise ConnectionError(error.code) from None
        return "there" if error.code == "external_ref_taken" else refused(row, work.file, error)
    if not done.repeated or (work.resumed and done.number not in work.seen and _of_this_import(work.what, done.body)):
        work.seen.add(done.number)
        return "taken"
    return "there"


def _of_this_import(what: StoredImport, answer: str) -> bool:
    """Whether a demand that was there already was taken in since this import was asked for: by it, before it was killed."""
    return datetime.fromisoformat(json.loads(answer)["opened_at"]) >= what.created_at


async def _tried(work: _Work, row: Row) -> Refusal | str:
    """What would become of it; nothing is taken in."""
    problem, key = problem_of(row, work.file, work.maker, work.desk.district)
    if problem is not None:
        return problem
    number = row.values.get("id", "").strip()
    refs = ((work.what.system, number),) if number else ()
    there = key in work.seen
    work.seen.add(key)
    stored_key = intake.key_of(work.actor, key)
    if there or await taken_in.answered(work.desk.pool, work.actor.id, stored_key) is not None:
        return "there"
    return "there" if refs and await taken_in.holder_of_ref(work.desk.pool, refs) else "taken"
