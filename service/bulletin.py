"""The monthly bulletin 月报: every figure of a month by every grouping, with its definition beside it, as sheets of cells.

How a cell looks in a file is for `bulletin_files.py` to say; here is what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from domain.actors import Actor
from domain.exclusions import BASES, Exclusion, ExclusionState
from domain.kpi_definition import Definition
from domain.kpi_words import AS_OF_EN, AS_OF_ZH, COUNTS, excluded_words, figures_of, words_of
from domain.rates import Dimension, Sums
from service.desk import Desk
from service.exclusions import scoped
from service.rate_answers import keys_of, name_of, number, value_of
from service.rate_frames import grouping, inputs_of
from service.rates import Asked, Days, Side, definition_of, instant_of, scope_of, sides
from service.views import instant
from store import exclusions as excluding
from store import rate_months as kept
from store.exclusions import Wanted

Look = Literal["share", "count", "pace"]


class Figured(NamedTuple):
    """A number and how it is shown; None is a figure without a case: an empty cell, never 0."""

    value: int | float | None
    look: Look


Cell = str | Figured


class Column(NamedTuple):
    zh: str
    en: str
    width: int


@dataclass(frozen=True)
class Sheet:
    """`keys` is how many columns at the left say what a row is about; they stand on every printed page."""

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    keys: int = 1


@dataclass(frozen=True)
class Bulletin:
    """`sides` are the groupings of the month in the order of `GROUPED`, the whole of it first; `before` the month before."""

    month: str
    district: str
    definition: Definition
    as_of: datetime
    at: datetime
    kept: str
    sides: list[Side]
    before: Side
    excluded: list[Exclusion]


GROUPED: tuple[tuple[str, str, str, tuple[Dimension, ...], int], ...] = (
    ("按社区", "各社区", "By community", ("community",), 1),
    ("等级内网格", "各物业等级内的网格", "By grid within property grade", ("property_grade", "grid"), 1),
    ("按单位", "各单位", "By unit", ("unit",), 1),
    ("按网格员", "各网格员", "By grid worker", ("worker",), 1),
    ("按类别", "各类别", "By category", ("category",), 2),
    ("按渠道", "各渠道", "By channel", ("channel",), 1),
    ("逐日", "每日", "Per day", ("day",), 1),
)
_KEY_WORDS: dict[str, tuple[str, str]] = {
    "community": ("社区", "Community"), "property_grade": ("物业等级", "Property grade"), "grid": ("网格", "Grid"),
    "unit": ("单位", "Unit"), "worker": ("网格员", "Grid worker"), "category": ("类别", "Category"),
    "channel": ("渠道", "Channel"), "day": ("日期", "Day"),
}  # fmt: skip
_REASONS_ZH = {
    "out_of_scope": "不属受理范围", "duplicate": "重复", "withdrawn": "撤回", "unconfirmed": "未确认", "unreachable": "联系不上",
}  # fmt: skip
_MOST_EXCLUSIONS = 10_000


async def bulletin(desk: Desk, actor: Actor, month: str, version: str | None, at: datetime | None) -> Bulletin:
    """Of a month, also of one that is not over, as of `at` (None: now), within what the caller may see.

    Raises DomainError: `not_permitted`, `unknown_definition`, `invalid_filter`.
    """
    scope, definition, days = scope_of(actor), definition_of(desk, version), Days.of_month(month)
    instant_asked = instant_of(desk, Asked(days, at=at))
    period = days.period(desk.district, instant_asked)
    frame = (await inputs_of(desk, period, instant_asked)).frame()
    wanted = [grouping(desk, (), frame), *(grouping(desk, by, frame, level) for *_, by, level in GROUPED)]
    found = await sides(desk, definition, period, wanted, frame, scope)
    earlier = days.month_before.period(desk.district, instant_asked)
    frame_before = (await inputs_of(desk, earlier, instant_asked)).frame()
    (before,) = await sides(
        desk, definition, earlier, [grouping(desk, (), frame_before)], frame_before, scope
    )  # fmt: skip
    listed = await excluding.page(desk.pool, scoped(actor, Wanted(month=month)), before=None, limit=_MOST_EXCLUSIONS)
    return Bulletin(
        month, desk.district.name, definition, period.end, instant_asked, await _kept(desk, days, definition), found, before,
        listed,
    )  # fmt: skip


async def _kept(desk: Desk, days: Days, definition: Definition) -> str:
    found = [c for c in await kept.computations(desk.pool, days.first) if c.definition == definition.version]
    if not found:
        return "未存档 not kept"
    newest = found[-1]
    return f"第 {newest.computation} 次存档 computation {newest.computation}, {instant(newest.computed_at)}"


def sheets(desk: Desk, b: Bulletin) -> Iterator[Sheet]:
    yield _summary(b)
    for (name, zh, en, by, _), side in zip(GROUPED, b.sides[1:], strict=True):
        yield _grouped(desk, b, side, Sheet(name, zh, en, _key_columns(by), [], keys=2 * len(by)))
    yield _exclusions(desk, b)
    yield _definitions(b)


# ---- the whole month


def _summary(b: Bulletin) -> Sheet:
    columns = (
        Column("指标", "Figure", 30), Column("本月", "This month", 10), Column("分子", "Numerator", 10),
        Column("分母", "Denominator", 10), Column("上月", "Month before", 10), Column("增减", "Change", 10),
        Column("剔除", "Excluded", 26), Column("分子口径", "What is counted", 40),
        Column("分母口径", "Out of what", 40), Column("计入", "Counted in", 20),
    )  # fmt: skip
    sums, before = b.sides[0].sums(()), b.before.sums(())
    rows = [_line(id, sums, before, b.definition) for id in figures_of(b.definition)]
    return Sheet("摘要", f"{b.month} 月报", f"Monthly bulletin {b.month}", columns, rows)


def _line(id: str, sums: Sums, before: Sums, definition: Definition) -> tuple[Cell, ...]:
    w, look = words_of(id, definition), look_of(id)
    now, then = value_of(id, sums, definition), value_of(id, before, definition)
    change = None if now is None or then is None else now - then
    sides: tuple[Cell, ...] = ("", "")
    if id != "composite":
        sides = (Figured(number(sums[id].numerator), "count"), Figured(sums[id].denominator, "count"))
    excluded = "" if id == "composite" else _excluded(sums[id].excluded)
    said = (
        f"{w.numerator_zh}\n{w.numerator_en}",
        f"{w.denominator_zh}\n{w.denominator_en}",
        f"{w.month_zh}\n{w.month_en}",
    )
    return (f"{w.zh}\n{w.en}", shown(id, now), *sides, shown(id, then), Figured(number(change), look), excluded, *said)


def _excluded(found: dict[str, int]) -> str:
    return "\n".join(f"{_reason(reason)} {reason}: {n}" for reason, n in sorted(found.items()))


def _reason(reason: str) -> str:
    named = {str(basis): words.zh for basis, words in BASES.items()} | _REASONS_ZH
    return named.get(reason, "")


def look_of(id: str) -> Look:
    return "count" if id in COUNTS else "pace" if id == "handled_per_day" else "share"


def shown(id: str, value: Decimal | None) -> Figured:
    return Figured(number(value), look_of(id))


# ---- by a grouping


def _key_columns(by: tuple[Dimension, ...]) -> tuple[Column, ...]:
    return tuple(
        column for d in by for column in (Column(_KEY_WORDS[d][0], _KEY_WORDS[d][1], 14), Column("名称", "Name", 18))
    )


def _grouped(desk: Desk, b: Bulletin, side: Side, sheet: Sheet) -> Sheet:
    figures = figures_of(b.definition)
    columns = [*sheet.columns]
    for id in figures:
        w = words_of(id, b.definition)
        columns.append(Column(w.zh, w.en, 11))
        if _has_size(id):
            columns.append(Column("基数", "n", 7))
    for key in keys_of(side):
        if len(key) < len(side.grouping.by):
            continue  # not one case in the month
        sums = side.sums(key)
        named = zip(side.grouping.by, key, strict=True)
        row: list[Cell] = [word for d, part in named for word in (part or "–", name_of(desk, d, part) or "")]
        for id in figures:
            row.append(shown(id, value_of(id, sums, b.definition)))
            if _has_size(id):
                row.append(Figured(sums[id].denominator, "count"))
        sheet.rows.append(tuple(row))
    return Sheet(sheet.name, sheet.zh, sheet.en, tuple(columns), sheet.rows, sheet.keys)


def _has_size(id: str) -> bool:
    """A share is worth as much as it has cases."""
    return id not in COUNTS and id != "composite"


# ---- what was left out, and what everything means


def _exclusions(desk: Desk, b: Bulletin) -> Sheet:
    columns = (
        Column("编号", "Id", 13), Column("诉求", "Demand", 18), Column("指标", "Figures", 34),
        Column("依据", "Basis", 26), Column("佐证", "Document", 18), Column("状态", "State", 10),
        Column("申请人", "Asked by", 14), Column("审批人", "Decided by", 14), Column("审批时间", "Decided at", 20),
        Column("撤销人", "Revoked by", 14), Column("计入剔除", "Counts", 8),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for x in sorted(b.excluded, key=lambda x: x.id):
        basis = BASES[x.basis]
        counts = "是 yes" if x.state is ExclusionState.APPROVED else "否 no"
        rows.append(
            (
                x.id, x.number, ", ".join(x.figures), f"{basis.zh}\n{basis.en}", x.document or "", x.state,
                _person(desk, x.asked_by), _person(desk, x.decided_by), instant(x.decided_at) or "",
                _person(desk, x.revoked_by), counts,
            )
        )  # fmt: skip
    return Sheet("剔除", "剔除事项", "Exclusions", columns, rows, keys=2)


def _person(desk: Desk, id: str | None) -> str:
    return "" if id is None else name_of(desk, "worker", id) or id


def _definitions(b: Bulletin) -> Sheet:
    columns = (
        Column("指标", "Figure", 30), Column("编码", "Id", 22), Column("分子", "Numerator", 46),
        Column("分母", "Denominator", 46), Column("计入", "Counted in", 26),
    )  # fmt: skip
    zh, en = excluded_words(b.definition)
    rows: list[tuple[Cell, ...]] = [
        ("口径版本\nDefinition", b.definition.version, f"{AS_OF_ZH}\n{AS_OF_EN}", f"{zh}\n{en}", ""),
    ]
    for id in figures_of(b.definition):
        w = words_of(id, b.definition)
        pairs = ((w.numerator_zh, w.numerator_en), (w.denominator_zh, w.denominator_en), (w.month_zh, w.month_en))
        rows.append((f"{w.zh}\n{w.en}", id, *("\n".join(pair) for pair in pairs)))
    return Sheet("口径", "指标口径", "Definitions", columns, rows)
