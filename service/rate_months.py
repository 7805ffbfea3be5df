"""The figures of a month that is over: kept once, and compared whenever they are computed again."""

from __future__ import annotations

from domain.actors import Actor
from domain.errors import DomainError
from domain.kpi_definition import Definition
from domain.rates import Dimension, Key, Tally, nothing
from domain.vocabulary import Role
from service.desk import Desk
from service.rate_answers import number
from service.rates import Days, Scope, definition_of, grouping, scope_of, tallies
from service.views import View, instant
from store import rates as kept
from store.rates import Stored

KEPT: tuple[tuple[Dimension, ...], ...] = (
    (), ("community",), ("grid",), ("unit",), ("category",), ("channel",), ("property_grade",),
)  # fmt: skip
"""The groupings that are kept; categories by their top level."""
MOST_SHOWN = 100


async def keep(desk: Desk, actor: Actor, month: str, version: str | None) -> tuple[View, bool]:
    """Compute a month and keep it, with whether that was new; what is kept already stays.

    Raises DomainError: `not_permitted`, `unknown_definition`, `month_not_over`.
    """
    readers = (Role.ADMIN, Role.SUPERVISOR)
    if not any(g.role in readers and g.community is None for g in actor.grants):
        raise DomainError("not_permitted", "Only these roles may do this.", allowed=list(readers))
    definition = definition_of(desk, version)
    days = _over(desk, month)
    at = await kept.computed_at(desk.pool, days.first, definition.version)
    new = False
    if at is None:
        found = await _computed(desk, days, definition)
        new = await kept.put_month(desk.pool, days.first, definition.version, found, desk.now())
        at = await kept.computed_at(desk.pool, days.first, definition.version)
    rows = await kept.month(desk.pool, days.first, definition.version)
    view = {"month": month, "definition": definition.version, "computed_at": instant(at), "figures": len(rows)}
    return view, new


async def check(desk: Desk, actor: Actor, month: str, version: str | None) -> View:
    """Compute the month again by the definitions that it is kept by, and say where the figures differ.

    Raises DomainError: `not_permitted`, `unknown_definition`, `not_found` where nothing is kept.
    """
    if not scope_of(actor).everything:
        allowed = [Role.SUPERVISOR, Role.AUDITOR, Role.ADMIN]
        raise DomainError("not_permitted", "Only these roles may do this.", allowed=allowed)
    days = Days.of_month(month)
    versions = await kept.definitions_of(desk.pool, days.first)
    if version is not None:
        versions = [v for v in versions if v == definition_of(desk, version).version]
    if not versions:
        raise DomainError("not_found", "No figures are kept of this month. Keep them first: POST …/months/{month}.")
    checked = [await _checked(desk, days, definition_of(desk, v)) for v in versions]
    return {"month": month, "agrees": all(not one["differences"] for one in checked), "checked": checked}


async def _checked(desk: Desk, days: Days, definition: Definition) -> View:
    stored = {_id(s): s for s in await kept.month(desk.pool, days.first, definition.version)}
    computed = {_id(s): s for s in await _computed(desk, days, definition)}
    ids = sorted(id for id in stored.keys() | computed.keys() if stored.get(id) != computed.get(id))
    return {
        "definition": definition.version,
        "figures": len(stored),
        "differences": len(ids),
        "shown": [
            {
                "grouping": id[0], "key": id[1], "figure": id[2],
                "stored": _shown(stored.get(id)), "computed": _shown(computed.get(id)),
            }
            for id in ids[:MOST_SHOWN]
        ],
    }  # fmt: skip


def _id(stored: Stored) -> tuple[str, str, str]:
    return stored.grouping, stored.key, stored.figure


def _shown(stored: Stored | None) -> View | None:
    if stored is None:
        return None
    sides = {"numerator": number(stored.numerator), "denominator": stored.denominator}
    return {**sides, "excluded": stored.excluded}


def _over(desk: Desk, month: str) -> Days:
    days = Days.of_month(month)
    if days.period(desk.district).end > desk.now():
        raise DomainError("month_not_over", "Its figures may still change. Keep them once the month is over.")
    return days


async def _computed(desk: Desk, days: Days, definition: Definition) -> list[Stored]:
    groupings = [grouping(desk, by) for by in KEPT]
    found = await tallies(desk, definition, days.period(desk.district), groupings, Scope(everything=True))
    found[0].groups.setdefault((), nothing(definition))  # a month without a case is kept as one
    return [row for by, tally in zip(KEPT, found, strict=True) for row in _rows(by, tally)]


def _rows(by: tuple[Dimension, ...], tally: Tally) -> list[Stored]:
    return [
        Stored(",".join(by), _key(key), id, f.numerator, f.denominator, dict(sorted(f.excluded.items())))
        for key, sums in tally.groups.items()
        for id, f in sums.items()
    ]


def _key(key: Key) -> str:
    return ",".join(part or "" for part in key)
