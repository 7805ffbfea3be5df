"""Hot spots: what many report at one place across days, for those who set the agenda of a joint meeting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from domain import roles
from domain.actors import Actor
from domain.cells import offsets_within
from domain.demand import Demand
from domain.duplicates import Case, score
from domain.hot_spots import heat, joined, most_of
from domain.lifecycle import may_see
from domain.needs import Need
from domain.similarity import common_words
from domain.vocabulary import Stage
from service.desk import Desk
from service.places import local_date
from service.views import View, instant
from store import likeness
from store.fingerprint import most_apart
from store.likeness import Found

MOST_MARKS = 5_000
"""Demands of a community that are compared, the newest."""

MOST_PAIRS = 10_000
MOST_COMPARED = 600
"""Texts that are unsealed for one answer: of the groups that the fingerprints make, the largest first."""

MOST_OF_GROUP = 200
SHOWN_NUMBERS = 50
LEAST_COSINE = 0.25


async def listed(desk: Desk, actor: Actor, community: str | None, *, days: int, limit: int) -> list[View]:
    """The hottest first. Without a community those of every community that the caller looks after.

    Raises DomainError: `unknown_community`, `not_permitted`, `outside_scope`.
    """
    places = _places(desk, actor, community)
    found = [spot for place in places for spot in await _of_community(desk, actor, place, days)]
    return sorted(found, key=lambda spot: (-spot["heat"], -spot["size"], spot["demands"]))[:limit]


def _places(desk: Desk, actor: Actor, community: str | None) -> tuple[str, ...]:
    roles.must_hold(actor, Need.SEE_HOT_SPOTS)
    asked = [c.id for c in desk.district.communities] if community is None else [desk.district.community(community).id]
    within = tuple(one for one in asked if roles.may(actor, Need.SEE_HOT_SPOTS, community=one))
    if not within:
        raise roles.refusal(actor, Need.SEE_HOT_SPOTS)
    return within


async def _of_community(desk: Desk, actor: Actor, community: str, days: int) -> list[View]:
    rules = desk.district.duplicates
    pairs = await likeness.pairs(
        desk.pool, community, since=desk.now() - timedelta(days=days), offsets=_offsets(desk, community),
        apart=most_apart(LEAST_COSINE), marks=MOST_MARKS, limit=MOST_PAIRS,
    )  # fmt: skip
    least = rules.hot_spots.least_size
    chosen = _chosen(group for group in joined(pairs) if len(group) >= least)
    demands = await likeness.with_state(desk.pool, sorted(chosen))
    cases = await asyncio.to_thread(lambda: {one.number: desk.likenesses.case(one) for one in demands})
    alike = await asyncio.to_thread(_alike, desk, cases, pairs, days)
    by_number = {one.number: one for one in demands}
    groups = [[by_number[number] for number in group] for group in joined(alike) if len(group) >= least]
    return [_spot(desk, actor, community, group, cases) for group in groups]


def _offsets(desk: Desk, community: str) -> tuple[int, ...]:
    anywhere = next((c.lat for c in desk.district.compounds if c.community == community), 0.0)
    return offsets_within(anywhere, desk.district.duplicates.near_m)


def _chosen(groups: Iterable[tuple[str, ...]]) -> set[str]:
    """As many demands as may be compared, the newest of each group."""
    chosen: set[str] = set()
    for group in groups:
        if len(chosen) >= MOST_COMPARED:
            break
        chosen.update(sorted(group)[-MOST_OF_GROUP:])
    return chosen


def _alike(desk: Desk, cases: dict[str, Case], pairs: Sequence[tuple[str, str]], days: int) -> list[tuple[str, str]]:
    """The pairs that hold when the texts themselves are compared; how long they lie apart does not matter here."""
    rules = desk.district.duplicates
    wide = rules.model_copy(update={"days": max(days, rules.days), "least_text": rules.hot_spots.least_text})
    return [
        (one, other)
        for one, other in pairs
        if one in cases and other in cases and score(cases[one], cases[other], wide).reasons
    ]


def _spot(desk: Desk, actor: Actor, community: str, group: list[Found], cases: dict[str, Case]) -> View:
    states = {one.number: Demand.model_validate_json(one.state) for one in group}
    category = most_of(Counter(one.category for one in group))
    seen = [one for one in group if may_see(states[one.number], actor)]
    open_ones = [one for one in group if one.stage != Stage.CLOSED]
    on_days = {local_date(one.opened_at, desk.district) for one in group}
    reporters, breached = _reporters(desk, group), sum(one.breached for one in open_ones)
    known = desk.district.directory.categories.get(category)
    return {
        "community": community,
        "grid": _usual(one.grid for one in group),
        "compound": _usual(one.compound for one in group),
        "category": {
            "code": category,
            "name": known.name if known else None,
            "name_en": known.name_en if known else None,
        },
        "words": list(common_words([cases[one.number].gist for one in group])),
        "size": len(group),
        "open": len(open_ones),
        "reporters": reporters,
        "breached": breached,
        "days": len(on_days),
        "heat": heat(reporters, breached, len(on_days)),
        "first_at": instant(min(one.opened_at for one in group)),
        "last_at": instant(max(one.opened_at for one in group)),
        "on_agenda": [one.number for one in seen if one.stage == Stage.MEETING],
        "demands": [one.number for one in seen[-SHOWN_NUMBERS:]],
    }


def _usual(places: Iterable[str | None]) -> str | None:
    """Where most of them are, if more than half say the same."""
    counts = Counter(places)
    place, most = counts.most_common(1)[0]
    return place if 2 * most > counts.total() else None


def _reporters(desk: Desk, group: list[Found]) -> int:
    """Residents once each; what staff took in for somebody counts for one each time."""
    staff = desk.district.directory.people
    own = {one.opened_by for one in group if one.opened_by not in staff}
    return len(own) + sum(one.opened_by in staff for one in group)
