"""How long personal data is kept after a demand has been closed for good, by category; and how long its reporter gets in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.policies import Version
from domain.units import CategoryCode

Days = Annotated[int, Field(ge=1, le=36_500, strict=True)]


class Retention(BaseModel):
    """Another span for some categories (codes or prefixes)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[CategoryCode, ...] = Field(min_length=1)
    days: Days


class LinkRules(BaseModel):
    """How long a reporter without an account gets in: by a link or the code so many days after closing, and with the code
    for so many minutes at a time. A link to the questions ends by itself when the demand can not be reopened any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_after_closing: Annotated[int, Field(ge=1, le=3_650, strict=True)] = 90
    session_minutes: Annotated[int, Field(ge=5, le=1_440, strict=True)] = 30


class RetentionRules(BaseModel):
    """`days` after closing a sealed demand is anonymised; of `rules` the longest prefix that fits counts.

    Without `days`, and without a rule that fits, a demand keeps what it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    days: Days | None = None
    rules: tuple[Retention, ...] = ()
    links: LinkRules = LinkRules()

    def days_for(self, category: str) -> int | None:
        fitting = [
            (len(code), rule.days) for rule in self.rules for code in rule.categories if category.startswith(code)
        ]
        return max(fitting)[1] if fitting else self.days

    @property
    def shortest(self) -> int | None:
        """Nothing closed more recently needs to be looked at."""
        return min(
            (days for days in (self.days, *(rule.days for rule in self.rules)) if days is not None), default=None
        )

    def is_over(self, category: str, closed_at: datetime, now: datetime) -> bool:
        days = self.days_for(category)
        return days is not None and closed_at + timedelta(days=days) <= now
