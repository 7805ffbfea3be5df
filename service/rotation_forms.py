"""What callers send to change the rotation: the change itself, and why."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.rotation_changes import CHANGE, Change, Override, Skip, Substitute, Swap

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Reasoned(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


class SkipForm(_Reasoned, Skip):
    """`unit` is passed over in the period in which the date `period` lies; those after it move up."""


class SwapForm(_Reasoned, Swap):
    """`unit` and `with_unit` exchange the periods in which the dates `period` and `with_period` lie."""


class SubstituteForm(_Reasoned, Substitute):
    """`unit` is away from one day to another, both included; `by_unit` or `by_person` chairs in its place."""


class OverrideForm(_Reasoned, Override):
    """From one day to another, both included, `unit` or `person` chairs, whoever's turn it is."""


ChangeForm = Annotated[SkipForm | SwapForm | SubstituteForm | OverrideForm, Field(discriminator="type")]


def change_of(form: ChangeForm) -> Change:
    return CHANGE.validate_python(form.model_dump(exclude={"reason"}, by_alias=True))
