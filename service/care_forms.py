"""What callers send about individual needs. Only `person` is personal; it is sealed before anything else happens."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.care import CheckInDays, CheckInResult
from service.forms import Code, Short, Words


class PersonForm(BaseModel):
    """The person who is looked after."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Short
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")] | None = None
    address: Short | None = None
    remarks: Words | None = None


Needs = Annotated[tuple[Code, ...], Field(max_length=30)]


class CareForm(BaseModel):
    """A new entry. `needs` are ids of the service menu; without `check_in_days` the group's rhythm counts, without
    `responsible` it is the grid's duty worker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grid: Code
    group: Code
    person: PersonForm
    needs: Needs = ()
    check_in_days: CheckInDays | None = None
    responsible: Code | None = None


class CareChange(BaseModel):
    """What is left out stays as it is; `person` replaces the whole of what was sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grid: Code | None = None
    group: Code | None = None
    person: PersonForm | None = None
    needs: Needs | None = None
    check_in_days: CheckInDays | None = None
    responsible: Code | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("say what changes")
        return self


class CheckInForm(BaseModel):
    """Somebody visited or called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: CheckInResult
