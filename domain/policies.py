"""What a district has settled for itself: budgets of time, routing rules, the rotation of the chair, meetings."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.cadence import Cadence
from domain.call_backs import CallBackPlan, CallBackStep, Hours
from domain.categories import SlaClass
from domain.ladder import Ladder
from domain.places import Id, Name, PropertyGrade
from domain.units import CategoryCode, UnitKind
from domain.worktime import Budget

Version = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9._-]+$")]
Count = Annotated[int, Field(ge=1, le=1_000, strict=True)]


class Targets(BaseModel):
    """The four clocks of a demand; `unit_due` replaces the district's where a class cannot wait that long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accept: Budget
    contact: Budget
    resolve: Budget
    follow_up: Budget
    unit_due: Budget | None = None


class Classes(BaseModel):
    """突发 · 水电气暖 · 一般 · 疑难."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    emergency: Targets
    livelihood: Targets
    ordinary: Targets
    complex: Targets


class CallBack(BaseModel):
    """How the reporter is asked before a demand is closed without an answer: by the `steps` within `hours`, and the end
    comes `interval` after the last one. Without steps, `attempts` times the link, `interval` apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: Annotated[int, Field(ge=1, le=20, strict=True)] = 3
    interval: Budget
    steps: Annotated[tuple[CallBackStep, ...], Field(max_length=12)] = ()
    hours: Hours = Hours()

    @property
    def plan(self) -> CallBackPlan | None:
        return CallBackPlan(steps=self.steps, ends=self.interval, hours=self.hours) if self.steps else None


class Sla(BaseModel):
    """Every budget and limit; `redo_limit` and `refusal_limit` are counts after which the joint meeting takes over.

    `final_reply_approve` is how long a final reply waits for approval; without it, it needs none. `pause_limit` is how
    long a demand may wait for something before its clocks run on by themselves; of `ladders` the first that takes a
    demand counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    classes: Classes
    unit_due: Budget
    refusal_window: Budget
    reopen_window: Budget
    meeting_decide: Budget
    locate: Budget
    pause_limit: Budget
    call_back: CallBack
    final_reply_approve: Budget | None = None
    redo_limit: Count
    refusal_limit: Count
    ladders: tuple[Ladder, ...] = ()

    @field_validator("ladders")
    @classmethod
    def _one_default(cls, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
        ids = [ladder.id for ladder in ladders]
        if len(set(ids)) < len(ids):
            raise ValueError("two ladders have the same id")
        if any(ladder.when is None for ladder in ladders[:-1]):
            raise ValueError("a ladder without `when` takes every demand: it must be the last one")
        if ladders and ladders[-1].when is not None:
            raise ValueError("the last ladder has no `when`: it is for all that the others do not take")
        return ladders

    def targets(self, sla_class: SlaClass) -> Targets:
        targets: Targets = getattr(self.classes, sla_class)
        return targets

    def unit_due_for(self, sla_class: SlaClass) -> Budget:
        return self.targets(sla_class).unit_due or self.unit_due


class When(BaseModel):
    """All that is given must hold; `categories` are codes or prefixes, any of which will do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[CategoryCode, ...] = Field(min_length=1)
    community: Id | None = None
    property_grade: PropertyGrade | None = None
    has_property_unit: Annotated[bool, Field(strict=True)] | None = None

    def holds(
        self, *, category: str, community: str, property_grade: str | None, has_property_unit: bool | None
    ) -> bool:
        """`property_grade` and `has_property_unit` are None where the compound is not known."""
        return (
            category.startswith(self.categories)
            and self.community in (None, community)
            and self.property_grade in (None, property_grade)
            and self.has_property_unit in (None, has_property_unit)
        )


class ToUnit(BaseModel):
    """Either one unit by id, or the community's unit of a kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Id | None = None
    kind: UnitKind | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.unit is None) == (self.kind is None):
            raise ValueError("a rule names either `unit` or `kind`, not both and not neither")
        return self


class ToStage(BaseModel):
    """Where a demand goes that nobody covers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Literal["meeting"]


class RoutingRule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    when: When
    to: ToUnit


class RoutingRules(BaseModel):
    """Ordered, first match wins; the default is always said aloud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    rules: tuple[RoutingRule, ...]
    default: ToStage


class Rotation(BaseModel):
    """轮值主席: the units of `roster` chair one period each, in turn, from the month of `starts_on`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    community: Id
    period: Literal["month", "quarter"]
    starts_on: Annotated[date, Field(strict=True)]
    roster: tuple[Id, ...] = Field(min_length=1)

    def unit_on(self, on: date) -> str:
        """The chairing unit; before the rotation begins, the one that begins it."""
        months = (on.year - self.starts_on.year) * 12 + on.month - self.starts_on.month
        turn = max(months, 0) // (3 if self.period == "quarter" else 1)
        return self.roster[turn % len(self.roster)]


class MeetingSettings(BaseModel):
    """How one body meets; `id` is a community's or, for the committee above them, the district's.

    The chair is the rotation's unit, a named `director`, or the community's secretary. `cadence` says in words what
    `schedule` says to the machine; without a schedule it sits only when somebody convenes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    name_en: Name
    cadence: Name
    schedule: Cadence | None = None
    agenda_cutoff_days: Annotated[int, Field(ge=0, le=60, strict=True)]
    quorum: Count
    chair_source: Literal["rotation", "director", "secretary"]
    director: Id | None = None
