"""Groups in order of a figure: only within the class of their place, which is its property grade."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby

from domain.errors import DomainError
from domain.kpi_definition import Definition
from domain.kpi_words import BETTER_LOW, rates_of
from domain.rates import Key, composite
from service.rates import Asked, Side

RANKED = frozenset({"community", "grid", "unit", "worker"})


def check_rank(asked: Asked, definition: Definition) -> None:
    """Raises DomainError: `invalid_filter` for what is no rate, `rank_needs_property_grade` where grades are mixed."""
    known = [*rates_of(definition), "composite"]
    if asked.rank is None:
        return
    if asked.rank not in known:
        raise DomainError("invalid_filter", "`rank` names a rate of facts.known, or the composite.", known=known)
    if asked.by[:1] != ("property_grade",) or len(asked.by) < 2 or not RANKED.issuperset(asked.by[1:]):
        rule = "Places are ranked within their property grade alone: `by=property_grade,` and what is to be ranked."
        raise DomainError("rank_needs_property_grade", rule, by=list(asked.by), ranked=sorted(RANKED))


def ranked(asked: Asked, definition: Definition, side: Side) -> list[tuple[Key, int | None]] | None:
    """Each key with its place in its grade, best first; equals share one. None: no ranking was asked for.

    Without a value, or where the place has no property grade, there is no place either. Raises as `check_rank`.
    """
    if asked.rank is None:
        return None
    check_rank(asked, definition)
    id, sign = asked.rank, 1 if asked.rank in BETTER_LOW else -1

    def value(key: Key) -> Decimal | None:
        sums = side.sums(key)
        return composite(sums, definition) if id == "composite" else sums[id].value

    def order(key: Key) -> tuple[object, ...]:
        worth = value(key)
        last = key[0] is None or worth is None
        return key[0] is None, key[0] or "", last, Decimal(0) if worth is None or last else sign * worth, str(key)

    found: list[tuple[Key, int | None]] = []
    for grade, keys in groupby(sorted(side.tally.groups, key=order), key=lambda key: key[0]):
        best: Decimal | None = None
        place = 0
        for n, key in enumerate(keys, 1):
            worth = value(key)
            if grade is None or worth is None:
                found.append((key, None))
                continue
            if worth != best:
                best, place = worth, n
            found.append((key, place))
    return found
