"""Matters that are not a subdistrict's: who should be called or written to instead.

Closing a real demand by mistake is worse than taking in one too many, so only strict phrases count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.places import Id

Phrase = Annotated[str, Field(min_length=3, max_length=40)]
Advice = Annotated[str, Field(min_length=1, max_length=300)]
ScreeningKind = Literal["emergency", "petition", "court", "discipline"]


class ScreeningRule(BaseModel):
    """Any of `phrases`, Chinese or English, sends the reporter to `go_to`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    kind: ScreeningKind
    phrases: tuple[Phrase, ...] = Field(min_length=1)
    go_to: Advice
    go_to_en: Advice


@dataclass(frozen=True, slots=True)
class Screening:
    """What was found, and where to go."""

    rule: str
    kind: ScreeningKind
    phrase: str
    go_to: str
    go_to_en: str


class Screen:
    """The phrases of all rules, ready to be looked for; the first rule that is hit wins.

    Plain substring search: for some eighty phrases it is several times faster than one big regular expression.
    """

    def __init__(self, rules: Iterable[ScreeningRule]) -> None:
        self._phrases = tuple((phrase.casefold(), rule) for rule in rules for phrase in rule.phrases)

    def find(self, text: str) -> Screening | None:
        text = text.casefold()
        for phrase, rule in self._phrases:
            if phrase in text and _stands_alone(phrase, text):
                return Screening(rule.id, rule.kind, phrase, rule.go_to, rule.go_to_en)
        return None


def _stands_alone(phrase: str, text: str) -> bool:
    """English phrases are whole words; Chinese has no spaces to hold on to."""
    return not phrase.isascii() or re.search(rf"(?<![a-z]){re.escape(phrase)}(?![a-z])", text) is not None
