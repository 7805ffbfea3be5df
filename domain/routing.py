"""Which unit takes a demand: a decision that is recorded with its rule, its inputs and its alternatives."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Candidate(BaseModel):
    """A unit that could take it: `score` orders candidates of the same reason, higher first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    liaison: str
    reason: str
    score: float = 0.0


class Routing(BaseModel):
    """The candidates in the order in which they are asked; none means the joint meeting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    rule: str
    candidates: tuple[Candidate, ...] = ()
