"""Suggesting duplicates: of a demand, or of a draft before it is submitted; each suggestion with its reasons.

Staff see which demands, within their scope. Residents see that there are some nearby, what about, since when and how far
they are, and of nobody else's demand its number or a word. So that nobody can find out by trying what others wrote,
their drafts are compared only by the words of the category list, which are public.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain import roles
from domain.actors import Actor
from domain.cells import cells_within
from domain.demand import Demand
from domain.duplicates import Case, DuplicateRules, Likeness, Reason, branch, score
from domain.geometry import Position
from domain.lifecycle import may_see
from domain.needs import Need
from domain.privacy import Field, Sight, sight
from domain.similarity import building_named, gist, narrowed
from domain.vocabulary import Stage
from service import likeness as comparing
from service.desk import Desk
from service.duplicate_words import reason_view, sentence
from service.forms import DraftForm, Location
from service.intake import category_of
from service.places import local_date, locate
from service.reading import find
from service.views import View, instant
from store import likeness
from store.likeness import Found, Wanted

NEAREST = 40
"""Candidates that are taken by fingerprint; of those that the caller may see, the best are unsealed and compared."""

BEST = 12


@dataclass(frozen=True)
class Suggestion:
    found: Found
    demand: Demand
    likeness: Likeness


async def of_demand(desk: Desk, actor: Actor, number: str) -> View:
    """What may be the same matter as this demand. Raises DomainError `not_found` as in `find`."""
    await find(desk, actor, number)
    (source,) = await likeness.sources(desk.pool, [number])
    return await _suggest(desk, actor, desk.likenesses.case(source), number)


async def of_draft(desk: Desk, actor: Actor, form: DraftForm) -> View:
    """The same for something that is not submitted yet; nothing of it is kept.

    Raises DomainError: `unknown_category`, `unknown_place`.
    """
    return await _suggest(desk, actor, case_of(desk, form), None)


def case_of(desk: Desk, form: DraftForm) -> Case:
    """Raises DomainError: `unknown_category`, `unknown_place`."""
    now = desk.now()
    category, _ = category_of(desk.district, form.text, form.category)
    place = locate(desk, form.location, now)
    compound = place.compound if place else None
    return Case(
        category=category.code, at=now, gist=gist(form.text, desk.district.telling), grid=place.grid if place else None,
        compound=compound, building=_building(form.location), point=_point(desk, form.location, compound),
    )  # fmt: skip


def is_resident(actor: Actor) -> bool:
    return not roles.holds(actor, Need.SEE_INSIDE)


def compared(actor: Actor, desk: Desk, case: Case) -> Case:
    """The case with as much of its text as may be compared for this caller."""
    if not roles.holds(actor, Need.COMPARE_TEXTS):
        return replace(case, gist=narrowed(case.gist, desk.district.telling))
    return case


def _shown_words(desk: Desk, actor: Actor, demand: Demand, case: Case) -> Case:
    """Common words are shown as a reason: of a text that the caller may not read whole, only those of the category list."""
    whole = sight(demand, actor, Field.PUBLIC_TEXT) is Sight.FULL
    return case if whole else replace(case, gist=narrowed(case.gist, desk.district.telling))


async def _suggest(desk: Desk, actor: Actor, case: Case, number: str | None) -> View:
    best = await likely(desk, actor, case, number)
    show = hint if is_resident(actor) else _shown
    return {
        "number": number,
        "rules": desk.district.duplicates.version,
        "count": len(best),
        "suggestions": [show(desk, actor, case.at, one) for one in best],
    }


async def likely(desk: Desk, actor: Actor, case: Case, number: str | None) -> list[Suggestion]:
    """Those of which this caller may hear, likeliest first."""
    rules, case = desk.district.duplicates, compared(actor, desk, case)
    found = [] if not case.gist.weights else await _near(desk, case, number, rules)
    best: list[Suggestion] = []
    for one, demand in _comparable(actor, found):
        alike = score(case, _shown_words(desk, actor, demand, compared(actor, desk, desk.likenesses.case(one))), rules)
        if alike.score >= rules.least and alike.reasons:
            best.append(Suggestion(one, demand, alike))
    return sorted(best, key=lambda s: (-s.likeness.score, s.found.number))[: rules.most]


async def _near(desk: Desk, case: Case, number: str | None, rules: DuplicateRules) -> list[Found]:
    window = timedelta(days=rules.days)
    wanted = Wanted(
        number=number, branch=branch(case.category), grid=case.grid,
        cells=() if case.point is None else cells_within(case.point, rules.near_m),
        since=case.at - window, until=case.at + window, closed_since=desk.now() - timedelta(days=rules.closed_days),
        made_with=desk.likenesses.prints.made_with, signature=desk.likenesses.prints.of(case.gist.weights),
    )  # fmt: skip
    return await likeness.near(desk.pool, wanted, limit=NEAREST)


def _comparable(actor: Actor, found: list[Found]) -> Iterator[tuple[Found, Demand]]:
    """The nearest that this caller may hear of: staff what is in their scope, residents what is open and not confidential."""
    resident, left = is_resident(actor), BEST
    for one in found:
        demand = Demand.model_validate_json(one.state)
        others = resident and demand.stage is not Stage.CLOSED and not demand.confidential
        if others or may_see(demand, actor):
            yield one, demand
            left -= 1
        if not left:
            return


def _building(location: Location | None) -> str | None:
    return None if location is None or location.building is None else building_named(location.building)


def _point(desk: Desk, location: Location | None, compound: str | None) -> Position | None:
    if location is not None and location.lat is not None and location.lon is not None:
        return location.lon, location.lat
    return comparing.point_of_compound(desk.district, compound)


# ---- showing


def _shown(desk: Desk, actor: Actor, at: datetime, one: Suggestion) -> View:
    found, reasons = one.found, one.likeness.reasons
    earlier = found.opened_at <= at
    return {
        "number": found.number,
        "score": one.likeness.score,
        "stage": found.stage,
        "outcome": found.outcome,
        "category": _category(desk, found.category),
        "community": found.community,
        "grid": found.grid,
        "compound": found.compound,
        "opened_at": instant(found.opened_at),
        "reasons": [reason_view(reason, earlier=earlier) for reason in reasons],
        "said_zh": sentence(reasons, earlier=earlier, english=False),
        "said_en": sentence(reasons, earlier=earlier, english=True),
    }


def hint(desk: Desk, actor: Actor, at: datetime, one: Suggestion) -> View:
    """What a resident may know: no number but of an own demand, the day and not the hour, the compound and no door."""
    found = one.found
    rough = (Reason("same_compound") if r.code == "same_building" else r for r in one.likeness.reasons)
    reasons = tuple(reason for reason in rough if reason.code not in ("words", "apart", "near"))
    return {
        "number": found.number if may_see(one.demand, actor) else None,
        "stage": found.stage,
        "category": _category(desk, found.category),
        "opened_on": local_date(found.opened_at, desk.district).isoformat(),
        "said_zh": sentence(reasons, earlier=True, english=False),
        "said_en": sentence(reasons, earlier=True, english=True),
    }


def _category(desk: Desk, code: str) -> View:
    known = desk.district.directory.categories.get(code)
    return {"code": code, "name": known.name if known else None, "name_en": known.name_en if known else None}
