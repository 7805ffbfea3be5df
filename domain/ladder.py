"""The ladder (催办): what happens before a promise breaks, when it breaks, and after. Data of the district pack.

Frozen into each demand's promise; `domain/clocks.py` says when each step falls, `domain/rungs.py` what it does.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.tasks import CO_DUE, ClockKey
from domain.vocabulary import ClockName
from domain.worktime import Budget

Told = Literal["holder", "supervisor", "secretary", "dispatcher", "operator"]
Deed = Literal["remind", "breach", "notice", "agenda", "far_breach"]

PROMISED = (
    ClockName.LOCATE, ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.UNIT_DUE, ClockName.DECIDE,
    ClockName.APPROVE, ClockName.FOLLOW_UP,
)  # fmt: skip
"""The clocks that somebody owes to somebody; the others only wait for an hour."""


def is_promised(key: ClockKey) -> bool:
    """Whether somebody owes this clock to somebody; a co-unit owes its part, not the hour until which it may refuse."""
    return key in PROMISED or key.startswith(CO_DUE)


class Step(BaseModel):
    """One step, at a percentage of the clock's time or a budget after the due instant.

    `remind` tells people; `breach` is the due instant itself; `notice` is the formal notice (催办通知书); `agenda` puts
    the demand on the next joint meeting's agenda; `far_breach` marks it a second time. `tell` are the people who hear of
    it; `clocks` are the clocks it belongs to, none meaning every promised one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: Deed
    percent: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    after: Budget | None = None
    tell: tuple[Told, ...] = ("holder",)
    clocks: tuple[ClockName, ...] = ()

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if (self.percent is None) == (self.after is None):
            raise ValueError("a step stands at a `percent` of the clock or `after` its due instant, one of the two")
        if (self.do == "breach") != (self.percent == 100):
            raise ValueError("the due instant is `breach` at 100 percent, and nothing else stands there")
        before = self.percent is not None and self.percent < 100
        if before != (self.do == "remind"):
            raise ValueError("before the due instant a step is `remind`; after it `notice`, `agenda` or `far_breach`")
        return self

    @field_validator("clocks")
    @classmethod
    def _promised(cls, value: tuple[ClockName, ...]) -> tuple[ClockName, ...]:
        if others := set(value) - set(PROMISED):
            raise ValueError(f"nobody promises {', '.join(sorted(others))}: a step belongs to {', '.join(PROMISED)}")
        return value

    @property
    def key(self) -> str:
        """How a clock remembers that the step has fallen: "80%", "+5working_days"."""
        return f"{self.percent}%" if self.after is None else f"+{self.after.amount:g}{self.after.unit}"


BREACH = Step(do="breach", percent=100)
"""The step that every promised clock has, also where no ladder names it."""


def is_before_due(key: str) -> bool:
    """Whether the step with this key stands before the due instant."""
    return key.endswith("%") and int(key[:-1]) < 100


class LadderWhen(BaseModel):
    """All that is given must hold; `categories` are codes or prefixes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[Annotated[str, Field(pattern=r"^[0-9]{2,12}$")], ...] = ()
    levels: tuple[Literal["grid", "unit", "subdistrict"], ...] = ()
    classes: tuple[Literal["emergency", "livelihood", "ordinary", "complex"], ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.categories or self.levels or self.classes):
            raise ValueError("an empty `when` takes every demand: leave it out, and put that ladder last")
        return self

    def holds(self, *, category: str, level: str, sla_class: str) -> bool:
        return (
            (not self.categories or category.startswith(self.categories))
            and (not self.levels or level in self.levels)
            and (not self.classes or sla_class in self.classes)
        )


class Ladder(BaseModel):
    """Steps for some demands; without `when` for all that no ladder before it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    when: LadderWhen | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        placed = [(step.key, clock) for step in self.steps for clock in step.clocks or PROMISED]
        if len(set(placed)) < len(placed):
            raise ValueError("two steps stand at the same place for the same clock")
        return self


def ladder_for(ladders: tuple[Ladder, ...], *, category: str, level: str, sla_class: str) -> tuple[Step, ...]:
    """The steps of the first ladder that takes such a demand; none where the district has no ladders."""
    for ladder in ladders:
        if ladder.when is None or ladder.when.holds(category=category, level=level, sla_class=sla_class):
            return ladder.steps
    return ()
