"""The figures of a month that is over: kept, compared whenever they are computed again, and never changed silently.

keep ──> computation 1
recompute, with a reason ──> computation 2, 3, …   the ones before stay as they were

A computation keeps what it took from elsewhere than the log (`Inputs`): exclusions, capacity, working days, grades. So a
check tells what somebody changed in the tables from what was approved since.
"""

from __future__ import annotations

import json
from typing import Any

from asyncpg.pool import PoolConnectionProxy

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.kpi_definition import Definition
from domain.kpi_words import figures_of
from domain.needs import Need
from domain.rates import Dimension, Key
from service.desk import Desk
from service.rate_answers import number
from service.rate_frames import Inputs, grouping, inputs_of
from service.rates import Days, Scope, Side, definition_of, sides
from service.repeats import Answered, Asked, other_body
from service.views import View, instant, person_view
from store import exclusions as excluding
from store import rate_months as kept
from store.rate_months import Computation, Stored

_OLD: tuple[tuple[Dimension, ...], ...] = (
    (), ("community",), ("grid",), ("unit",), ("category",), ("channel",), ("property_grade",),
)  # fmt: skip
KEPT: tuple[tuple[Dimension, ...], ...] = (*_OLD, ("worker",), ("property_grade", "grid"))
"""The groupings that are kept; categories by their top level. `_OLD` were kept before inputs were."""
MOST_SHOWN = 100


async def keep(desk: Desk, actor: Actor, month: str, version: str | None) -> tuple[View, bool]:
    """Compute a month and keep it, with whether that was new; what is kept already stays.

    Raises DomainError: `not_permitted`, `unknown_definition`, `month_not_over`.
    """
    _must_keep(actor)
    definition, days = definition_of(desk, version), _over(desk, month)
    newest = await _newest(desk, days, definition.version)
    if newest is not None:
        return _view(desk, month, newest), False
    computed, figures = await _compute(desk, actor, days, definition, 1, None)
    if await kept.put(desk.pool, days.first, computed, figures):
        return _view(desk, month, computed), True
    newest = await _newest(desk, days, definition.version)
    assert newest is not None, "somebody else has kept it meanwhile"
    return _view(desk, month, newest), False


async def recompute(
    desk: Desk, actor: Actor, month: str, version: str | None, reason: str, key: str | None
) -> Answered:
    """Compute a kept month once more, beside what is kept, and say what is different now.

    Raises DomainError: `not_permitted`, `unknown_definition`, `month_not_kept`, `changed_meanwhile`,
    `idempotency_key_reused`.
    """
    _must_keep(actor)
    definition, days = definition_of(desk, version), Days.of_month(month)
    asked = Asked(desk, actor, key, f"recompute {month} {definition.version} {reason}")
    earlier = await asked.repetition()
    if earlier is not None:
        return earlier
    before = await _newest(desk, days, definition.version)
    if before is None:
        raise DomainError("month_not_kept", "Nothing is kept of this month by this definition. Keep it first.")
    old = await kept.figures(desk.pool, days.first, definition.version, before.computation)
    computed, new = await _compute(desk, actor, days, definition, before.computation + 1, reason)
    view = _view(desk, month, computed) | {"replaces": before.computation} | _differences(old, new, "before", "now")
    body = json.dumps(view, ensure_ascii=False)

    async def answer(connection: PoolConnectionProxy[Any]) -> None:
        if not await asked.keep(connection, f"{month} {computed.computation}", body):
            raise other_body()  # taken meanwhile by a request about something else

    if not await kept.put(desk.pool, days.first, computed, new, answer):
        earlier = await asked.repetition()  # a twin of this request may have been through by now
        if earlier is None:
            raise DomainError("changed_meanwhile", "Somebody else computed it just now. Read the computations again.")
        return earlier
    return Answered(f"{month} {computed.computation}", body)


async def computations(desk: Desk, actor: Actor, month: str) -> View:
    """Every computation of a month, oldest first, and what was approved or revoked since the newest of each definition.

    Raises DomainError: `not_permitted`, `not_found` where nothing is kept.
    """
    _must_see_all(actor)
    days = Days.of_month(month)
    found = await kept.computations(desk.pool, days.first)
    if not found:
        raise _not_kept()
    newest = {one.definition: one for one in found}
    since = {version: await _since(desk, month, one) for version, one in newest.items()}
    return {
        "month": month,
        "computations": [
            _view(desk, month, one) | ({"exclusions_since": since[one.definition]} if newest[one.definition] is one else {})
            for one in found
        ],
    }  # fmt: skip


async def check(desk: Desk, actor: Actor, month: str, version: str | None) -> View:
    """Compute the month again from the log and what was taken from elsewhere then, and say where the figures differ.

    `exclusions_since` are those that a new computation would count otherwise. Raises DomainError: `not_permitted`,
    `unknown_definition`, `not_found` where nothing is kept.
    """
    _must_see_all(actor)
    days = Days.of_month(month)
    wanted = None if version is None else definition_of(desk, version).version
    newest = {c.definition: c for c in await kept.computations(desk.pool, days.first) if wanted in (None, c.definition)}
    if not newest:
        raise _not_kept()
    checked = [await _checked(desk, days, one) for one in newest.values()]
    return {"month": month, "agrees": all(not one["differences"] for one in checked), "checked": checked}


async def _checked(desk: Desk, days: Days, computed: Computation) -> View:
    definition = definition_of(desk, computed.definition)
    stored = await kept.figures(desk.pool, days.first, definition.version, computed.computation)
    again = await _figures(desk, days, definition, await _inputs(desk, days, computed))
    return {
        "definition": definition.version,
        "computation": computed.computation,
        "figures": len(stored),
        "exclusions_since": await _since(desk, f"{days.first:%Y-%m}", computed),
        **_differences(stored, again, "stored", "computed"),
    }


async def _inputs(desk: Desk, days: Days, computed: Computation) -> Inputs:
    """What a computation was made from; of what was computed before that was kept, as it is today."""
    if computed.inputs:
        return Inputs.model_validate(computed.inputs)
    today = await inputs_of(desk, days.period(desk.district), computed.computed_at)
    return today.model_copy(update={"groupings": _OLD})


async def _since(desk: Desk, month: str, computed: Computation) -> View:
    """Exclusions approved and revoked since: what a new computation would change."""
    if computed.inputs:
        counted = {one.id for one in Inputs.model_validate(computed.inputs).exclusions}
    else:
        counted = {one.id for one in await excluding.approved(desk.pool, month, month, computed.computed_at)}
    now = {one.id for one in await excluding.approved(desk.pool, month, month, desk.now())}
    return {"approved": sorted(now - counted), "revoked": sorted(counted - now)}


def _differences(first: list[Stored], second: list[Stored], *names: str) -> View:
    one, other = ({_id(s): s for s in side} for side in (first, second))
    ids = sorted(id for id in one.keys() | other.keys() if one.get(id) != other.get(id))
    shown = [
        {"grouping": id[0], "key": id[1], "figure": id[2]}
        | {name: _shown(side.get(id)) for name, side in zip(names, (one, other), strict=True)}
        for id in ids[:MOST_SHOWN]
    ]
    return {"differences": len(ids), "shown": shown}


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


async def _newest(desk: Desk, days: Days, version: str) -> Computation | None:
    found = [c for c in await kept.computations(desk.pool, days.first) if c.definition == version]
    return found[-1] if found else None


async def _compute(
    desk: Desk, actor: Actor, days: Days, definition: Definition, computation: int, reason: str | None
) -> tuple[Computation, list[Stored]]:
    at = desk.now()
    today = await inputs_of(desk, days.period(desk.district), at)
    inputs = today.model_copy(update={"groupings": KEPT})
    found = await _figures(desk, days, definition, inputs)
    said: dict[str, Any] = inputs.model_dump(mode="json")
    return Computation(definition.version, computation, at, actor.id, reason, said, len(found)), found


async def _figures(desk: Desk, days: Days, definition: Definition, inputs: Inputs) -> list[Stored]:
    frame, period = inputs.frame(), days.period(desk.district)
    wanted = [grouping(desk, by, frame) for by in inputs.groupings]
    found = await sides(desk, definition, period, wanted, frame, Scope(everything=True))
    if () not in found[0].tally.groups:  # a month without a case is kept as one
        found[0].tally.groups[()] = found[0].sums(())
    return [row for side in found for row in _rows(side, definition)]


def _rows(side: Side, definition: Definition) -> list[Stored]:
    by = ",".join(side.grouping.by)
    kept_figures = [id for id in figures_of(definition) if id != "composite"]
    return [
        Stored(by, _key(key), id, f.numerator, f.denominator, dict(sorted(f.excluded.items())))
        for key, sums in side.tally.groups.items()
        for id, f in ((id, sums[id]) for id in kept_figures)
    ]


def _key(key: Key) -> str:
    return ",".join(part or "" for part in key)


def _view(desk: Desk, month: str, c: Computation) -> View:
    return {
        "month": month, "definition": c.definition, "computation": c.computation, "computed_at": instant(c.computed_at),
        "computed_by": person_view(desk, c.computed_by), "reason": c.reason, "figures": c.figures,
        "exclusions": [one["id"] for one in c.inputs.get("exclusions", ())],
    }  # fmt: skip


def _must_keep(actor: Actor) -> None:
    roles.must(actor, Need.KEEP_MONTHS)


def _must_see_all(actor: Actor) -> None:
    roles.must(actor, Need.SEE_MONTHS)


def _not_kept() -> DomainError:
    return DomainError("not_found", "No figures are kept of this month. Keep them first: POST …/months/{month}.")
