"""Demands and their history as tables for office programs: streamed, within the caller's scope, nothing in a cell acts.

What is personal is left out, unless it is asked for with a reason by somebody who may open it; each demand's opening is
kept before its row is sent.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.needs import Need
from domain.outside_log import outside_actor, outside_data
from domain.privacy import Field, ReadingReason, Sight, sight
from domain.spreadsheets import defused
from service.desk import Desk
from service.reading import scoped
from service.views import instant
from service.words import reading
from store import exports as storing
from store import personal
from store.queries import Filter

Heads = Literal["code", "zh"]
MOST_AT_ONCE = 2
TAKES_AT_MOST = timedelta(minutes=15)
BOM = "\ufeff"

DEMAND_COLUMNS = {
    "number": "诉求编号", "opened_at": "受理时间", "closed_at": "结案时间", "stage": "阶段", "outcome": "结案方式",
    "channel": "来源", "category": "类别编码", "category_name": "类别", "community": "社区", "grid": "网格",
    "compound": "小区", "unit": "承办单位", "unit_name": "承办单位名称", "holder": "承办人", "meeting": "联席会议",
    "due_at": "办结时限", "breached": "是否超时", "references": "外部编号",
}  # fmt: skip
PERSONAL_COLUMNS = {
    "text": "诉求内容", "name": "姓名", "phone": "电话", "building": "楼栋", "room": "房号",
}  # fmt: skip
HISTORY_COLUMNS = {
    "number": "诉求编号", "seq": "序号", "type": "事件", "at": "时间", "actor": "经办", "performed_at": "实际办理时间",
    "data": "内容", "hash": "校验值",
}  # fmt: skip
_OPENED = {
    "text": Field.PUBLIC_TEXT, "name": Field.NAME, "phone": Field.PHONE, "building": Field.BUILDING, "room": Field.ROOM,
}  # fmt: skip

Line = list[Any]
Batches = AsyncGenerator[list[Line], None]
_under_way = 0


@dataclass(frozen=True)
class Asked:
    """What is exported: which demands, under which headings, and (with `reason`) with what is personal."""

    wanted: Filter
    heads: Heads = "code"
    reason: ReadingReason | None = None


class Export:
    """Lines in batches. `aclose` it: it holds a snapshot of the database as long as it is open."""

    def __init__(self, desk: Desk, actor: Actor, asked: Asked, columns: dict[str, str]) -> None:
        self._desk, self._actor, self._asked = desk, actor, asked
        self._zone = ZoneInfo(desk.district.timezone)
        self._categories = {one.code: one.name for one in desk.district.categories}
        self._units = {one.id: one.name for one in desk.district.units}
        self._until = desk.now() + TAKES_AT_MOST
        self._whole_log = roles.holds(actor, Need.SEE_WHOLE_LOG)
        self.heads = list(columns.values() if asked.heads == "zh" else columns)

    def at(self, moment: datetime | None) -> str:
        """In an office's table local time, for programs UTC."""
        if moment is None:
            return ""
        if self._asked.heads == "zh":
            return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")
        return instant(moment) or ""

    async def demands(self) -> Batches:
        query = storing.demands(scoped(self._actor, self._asked.wanted))
        blank: Line = [None] * len(PERSONAL_COLUMNS) if self._asked.reason else []
        async with aclosing(self._batches(query)) as batches:
            async for rows in batches:
                more = await self._personal(rows) if self._asked.reason else {}
                yield [self._demand(row) + more.get(row.number, blank) for row in rows]

    async def history(self) -> Batches:
        query = storing.history(scoped(self._actor, self._asked.wanted))
        async with aclosing(self._batches(query)) as batches:
            async for rows in batches:
                yield [
                    [r.number, r.seq, r.type, self.at(r.at), by, self.at(r.performed_at), _as_json(data), r.hash]
                    for r in rows
                    for by, data in [self._said(r)]
                ]

    def _said(self, row: Row[Any]) -> tuple[str | None, Any]:
        """Who did what, as far as it is for the caller; outside the office nobody learns here where something lies."""
        if self._whole_log:
            return row.actor, row.data
        return outside_actor(row.actor, frozenset()), outside_data(row.type, row.data, confidential=True)

    async def _batches(self, query: Any) -> AsyncGenerator[Sequence[Row[Any]], None]:
        async with AsyncExitStack() as stack:
            stack.callback(_begun())
            found = await stack.enter_async_context(storing.batches(self._desk.engine, query))
            async for rows in found:
                if self._desk.now() > self._until:
                    raise TimeoutError("the reader of an export is too slow")
                yield rows

    def _demand(self, row: Row[Any]) -> Line:
        category, unit = self._categories.get(row.category, ""), self._units.get(row.unit, "")
        return [
            row.number, self.at(row.opened_at), self.at(row.closed_at), row.stage, row.outcome, row.channel, row.category,
            category, row.community, row.grid, row.compound, row.unit, unit, row.holder, row.meeting, self.at(row.due_at),
            int(row.breached), row.refs,
        ]  # fmt: skip

    async def _personal(self, rows: Sequence[Row[Any]]) -> dict[str, Line]:
        """What the caller may open of each, in the order of `PERSONAL_COLUMNS`; that it is opened is kept first."""
        assert self._asked.reason is not None
        demands = {row.number: Demand.model_validate(row.state) for row in rows}
        opens = {
            number: [name for name, field in _OPENED.items() if sight(demand, self._actor, field) is Sight.FULL]
            for number, demand in demands.items()
        }
        numbers = [number for number, names in opens.items() if names]
        told = reading(self._desk, self._actor, "export", self._asked.reason, *PERSONAL_COLUMNS)
        await personal.tell(self._desk.pool, told, numbers)
        sealed = await storing.personal_parts(self._desk.pool, numbers)
        return {number: self._opened(number, sealed[number], opens[number]) for number in numbers}

    def _opened(self, number: str, sealed: tuple[bytes | None, bytes | None], names: list[str]) -> Line:
        words, person = (None if one is None else self._desk.sealer.open(one, number) for one in sealed)
        said = {**json.loads(person or "{}"), "text": words}
        return [said.get(name) if name in names else None for name in PERSONAL_COLUMNS]


def _begun() -> Callable[[], None]:
    """Counts an export that begins, and returns what counts its end. Raises DomainError `too_many_requests`."""
    global _under_way
    if _under_way >= MOST_AT_ONCE:
        rule = "Other exports are under way. Try again when they are done."
        raise DomainError("too_many_requests", rule, retry_after_seconds=10)
    _under_way += 1

    def ended() -> None:
        global _under_way
        _under_way -= 1

    return ended


def export_of(desk: Desk, actor: Actor, asked: Asked, columns: dict[str, str]) -> Export:
    """Raises DomainError `not_permitted`: exports are for staff and integrators, what is personal for the office."""
    roles.must(actor, Need.EXPORT_DEMANDS)
    if asked.reason is not None:
        roles.must(actor, Need.EXPORT_PERSONAL)
        columns = columns | PERSONAL_COLUMNS
    return Export(desk, actor, asked, columns)


async def as_csv(heads: Sequence[str], batches: Batches) -> AsyncGenerator[bytes, None]:
    """RFC 4180 in UTF-8, with the mark by which office programs know it."""
    async with aclosing(batches):
        yield (BOM + _lines([list(heads)])).encode()
        async for lines in batches:
            yield _lines(lines).encode()


def _lines(lines: Sequence[Line]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_cell(cell) for cell in line] for line in lines)
    return out.getvalue()


def _cell(cell: object) -> object:
    return defused(cell) if isinstance(cell, str) else cell


def _as_json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
