"""What a demand is about: a tree of any depth whose leaves carry the promise.

01 环境卫生 ─ 0101 垃圾 ─ 010101 垃圾未清运      two digits a level; a parent is the code without its last two
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.places import Name
from domain.units import CategoryCode

HandlingLevel = Literal["grid", "unit", "subdistrict"]
SlaClass = Literal["emergency", "livelihood", "ordinary", "complex"]
Verification = Literal["none", "other_person"]
Keyword = Annotated[str, Field(min_length=2, max_length=20)]

LONGEST_TEXT = 4_000
"""Characters of a demand's text that are looked at; longer ones say what they are about at the start."""


class CategoryGroup(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: CategoryCode
    name: Name
    name_en: Name


class Category(CategoryGroup):
    """A leaf: the only thing a demand can be filed under.

    A `handling_level` above `grid` is never dumped on a grid worker; `verification = other_person` asks that somebody
    other than the handler looks at the result; `evidence` asks whoever resolves it for a photograph (or another file) of
    the result; `property_matter` belongs to whoever manages the compound.
    """

    handling_level: HandlingLevel
    sla_class: SlaClass
    verification: Verification
    property_matter: Annotated[bool, Field(strict=True)] = False
    evidence: Annotated[bool, Field(strict=True)] = False
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A leaf that the text speaks of; `score` is the number of characters that say so."""

    code: str
    score: int
    keywords: tuple[str, ...]


def suggest(categories: Sequence[Category], text: str, limit: int) -> tuple[Suggestion, ...]:
    """The leaves whose keywords the text contains, best first; equal scores in the order of the tree.

    Longer words say more than short ones, and a word inside another found word says nothing new.
    """
    text = text[:LONGEST_TEXT].casefold()
    found: list[Suggestion] = []
    for category in categories:
        hits = [word for word in category.keywords if word in text]
        if hits:
            telling = tuple(word for word in hits if not any(word != other and word in other for other in hits))
            found.append(Suggestion(category.code, sum(map(len, telling)), telling))
    return tuple(sorted(found, key=lambda s: -s.score)[:limit])
