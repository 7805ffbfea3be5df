"""Following an import: how far it is, and a report of the rows that were not taken."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from service.desk import Desk
from service.importing.refusals import HEADS, Refusal, line_of
from service.views import View, instant
from store import imports as storing
from store.imports import StoredImport

_AT_ONCE = 1_000
_BOM = "\ufeff"


def import_view(one: StoredImport) -> View:
    """`rows_done` counts what has been judged; of a trial, `taken` is what would be taken in."""
    url = f"/api/v1/imports/{one.id}"
    return {
        "id": one.id,
        "state": "running" if one.state == "waiting" and one.rows_done else one.state,
        "dry_run": one.dry_run,
        "system": one.system,
        "channel": one.channel,
        "format": one.format,
        "created_at": instant(one.created_at),
        "created_by": one.created_by,
        "finished_at": instant(one.finished_at),
        "rows_done": one.rows_done,
        "rows_in_all": one.rows_in_all,
        "taken": one.taken,
        "there": one.there,
        "refused": one.refused,
        "problem": one.problem,
        "url": url,
        "report_url": f"{url}/report.csv",
    }


async def read(desk: Desk, actor: Actor, import_id: str) -> View:
    """DomainError `not_found`, also for somebody else's."""
    return import_view(await _seen(desk, actor, import_id))


async def listed(desk: Desk, actor: Actor, *, before: tuple[datetime, str] | None, limit: int) -> list[View]:
    """The caller's own, newest first; supervisors and administrators see everybody's. DomainError `not_permitted`."""
    roles.must(actor, Need.FOLLOW_IMPORTS, owner=actor.id)
    person = None if roles.reach(actor, Need.FOLLOW_IMPORTS).everywhere else actor.id
    return [import_view(one) for one in await storing.page(desk.pool, person, before=before, limit=limit)]


async def report(desk: Desk, actor: Actor, import_id: str, how: Literal["csv", "json"]) -> AsyncIterator[bytes]:
    """The rows that were not taken, in order: row, line, code, field, what to do. DomainError `not_found`."""
    await _seen(desk, actor, import_id)
    return _as_csv(desk, import_id) if how == "csv" else _as_json(desk, import_id)


async def _as_csv(desk: Desk, import_id: str) -> AsyncIterator[bytes]:
    yield (_BOM + _csv_line(HEADS)).encode()
    async for one in _refusals(desk, import_id):
        yield _csv_line(line_of(one)).encode()


async def _as_json(desk: Desk, import_id: str) -> AsyncIterator[bytes]:
    before = b"["
    async for one in _refusals(desk, import_id):
        yield before + json.dumps(one.__dict__, ensure_ascii=False).encode()
        before = b",\n"
    yield b"[]" if before == b"[" else b"]"


async def _refusals(desk: Desk, import_id: str) -> AsyncIterator[Refusal]:
    after = 0
    while found := await storing.refusals(desk.pool, import_id, after=after, limit=_AT_ONCE):
        for one in found:
            yield Refusal(*one)
        after = found[-1][0]


def _csv_line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


async def _seen(desk: Desk, actor: Actor, import_id: str) -> StoredImport:
    found = await storing.one(desk.pool, import_id)
    if found is None or not roles.may(actor, Need.FOLLOW_IMPORTS, owner=found.created_by):
        raise DomainError("not_found", "There is no import with this id, or it is not yours.")
    return found
