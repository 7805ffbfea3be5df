"""What the figures count (口径), as versioned data: the pack's rates.toml."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.policies import Version
from domain.vocabulary import Channel, DecisionKind, Outcome, Satisfied

Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=6, decimal_places=4, allow_inf_nan=False)]
CountedClock = Literal[
    "locate", "accept", "contact", "resolve", "refusal_window", "unit_due", "co_window", "co_due", "decide", "approve",
    "follow_up",
]  # fmt: skip
"""Clocks by which somebody promised something; the others only wait for an hour."""
LoadFigure = Literal["open_tasks", "handled_per_day", "capacity_used"]
"""Figures of load and capacity. They have been there since definition 2; what was kept before does not have them."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weights(_Data):
    """Of the three rates in the composite."""

    response: Share
    resolution: Share
    satisfaction: Share

    @model_validator(mode="after")
    def _make_one(self) -> Self:
        if self.response + self.resolution + self.satisfaction != 1:
            raise ValueError("the three weights do not add up to 1")
        return self


class Definition(_Data):
    """One way to count. `partly` is what the answer "partly solved" is worth; `excluded` are endings that no rate counts;
    in `contact_not_needed` channels the reporter is the handler; `settles` are decisions that settle an item; `loads` are
    the figures of load and capacity that belong to it."""

    version: Version
    weights: Weights
    partly: Share
    satisfied: Annotated[tuple[Satisfied, ...], Field(min_length=1)]
    excluded: tuple[Outcome, ...]
    clocks: Annotated[tuple[CountedClock, ...], Field(min_length=1)]
    contact_not_needed: tuple[Channel, ...]
    settles: Annotated[tuple[DecisionKind, ...], Field(min_length=1)]
    loads: tuple[LoadFigure, ...] = ()


class RateBook(_Data):
    """Every definition that a month can be computed by; `in_force` names the one that counts."""

    in_force: Version
    definitions: Annotated[tuple[Definition, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_is_in_force(self) -> Self:
        versions = [d.version for d in self.definitions]
        if len(set(versions)) < len(versions):
            raise ValueError("two definitions have the same version")
        if self.in_force not in versions:
            raise ValueError(f"in_force names no definition; there are {', '.join(versions)}")
        return self

    def definition(self, version: str | None = None) -> Definition | None:
        """The one in force, or the named one; None where there is none of that name."""
        return next((d for d in self.definitions if d.version == (version or self.in_force)), None)
