"""Whether two demands are likely the same matter: same branch of categories, same place, near in time, similar text.

A suggestion for people, never a decision: it comes with its reasons, and nothing is merged by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.geometry import Position, haversine_m
from domain.policies import Version
from domain.similarity import Gist, shared_words, similarity

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Part = Annotated[int, Field(ge=0, le=100, strict=True)]
Code = Literal[
    "same_category", "same_subgroup", "same_group", "same_building", "same_compound", "near", "same_grid", "apart", "words"
]  # fmt: skip


class Weights(BaseModel):
    """In what proportion the four parts make the score; a part of 0 only has to be met."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Part = 2
    place: Part = 3
    time: Part = 1
    text: Annotated[int, Field(ge=1, le=100, strict=True)] = 4


class HotSpotRules(BaseModel):
    """How many similar demands make a hot spot, and how alike two of them must be to belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_size: Annotated[int, Field(ge=2, le=1_000, strict=True)] = 3
    least_text: Share = 0.25


class DuplicateRules(BaseModel):
    """The thresholds of a district. `near_m` is in metres, `days` and `closed_days` in calendar days.

    Demands closed more than `closed_days` ago are not looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    near_m: Annotated[int, Field(ge=10, le=2_000, strict=True)] = 250
    days: Annotated[int, Field(ge=1, le=366, strict=True)] = 30
    closed_days: Annotated[int, Field(ge=0, le=366, strict=True)] = 7
    least_text: Share = 0.12
    least: Share = 0.55
    most: Annotated[int, Field(ge=1, le=50, strict=True)] = 10
    weights: Weights = Weights()
    hot_spots: HotSpotRules = HotSpotRules()


@dataclass(frozen=True, slots=True)
class Case:
    """What is compared of a demand or of a draft. `point` is where it is, or where its compound is."""

    category: str
    at: datetime
    gist: Gist
    grid: str | None = None
    compound: str | None = None
    building: str | None = None
    point: Position | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for it: `metres` of `near`, `apart` in time, the `words` both texts have."""

    code: Code
    metres: int | None = None
    apart: timedelta | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` from 0 to 1; no reasons where it is 0, because a condition is not met."""

    score: float
    reasons: tuple[Reason, ...]


UNLIKE = Likeness(0.0, ())


def branch(category: str) -> str:
    """The top of the category tree that it belongs to: duplicates are looked for within it."""
    return category[:2]


def score(a: Case, b: Case, rules: DuplicateRules) -> Likeness:
    """How likely they are the same matter; the same for (b, a). 0 where category, place, time or text alone rule it out."""
    apart = abs(a.at - b.at)
    about, place = _category(a, b), _place(a, b, rules.near_m)
    if about is None or place is None or apart > timedelta(days=rules.days):
        return UNLIKE
    text = similarity(a.gist, b.gist)
    if not text or text < rules.least_text:
        return UNLIKE
    weights, near_in_time = rules.weights, 1.0 - apart / timedelta(days=rules.days)
    parts = (
        (weights.category, about[1]), (weights.place, place[1]), (weights.time, near_in_time), (weights.text, text)
    )  # fmt: skip
    likeness = sum(weight * share for weight, share in parts) / sum(weight for weight, _ in parts)
    said = Reason("words", words=shared_words(a.gist, b.gist))
    return Likeness(round(likeness, 4), (place[0], about[0], Reason("apart", apart=apart), said))


def _category(a: Case, b: Case) -> tuple[Reason, float] | None:
    if a.category == b.category:
        return Reason("same_category"), 1.0
    if a.category[:4] == b.category[:4]:
        return Reason("same_subgroup"), 0.8
    return (Reason("same_group"), 0.5) if branch(a.category) == branch(b.category) else None


def _place(a: Case, b: Case, near_m: int) -> tuple[Reason, float] | None:
    """A building counts more than its compound, a compound more than the neighbourhood; a mere grid least."""
    if a.compound is not None and a.compound == b.compound:
        if a.building is None or b.building is None:
            return Reason("same_compound"), 0.85
        return (Reason("same_building"), 1.0) if a.building == b.building else (Reason("same_compound"), 0.7)
    if a.point is not None and b.point is not None:
        metres = haversine_m(a.point, b.point)
        return (Reason("near", metres=round(metres)), 1.0 - metres / near_m / 2) if metres <= near_m else None
    return (Reason("same_grid"), 0.5) if a.grid is not None and a.grid == b.grid else None
