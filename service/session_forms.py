"""What callers send about the sessions of a joint meeting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.session import WhistleKind
from service.forms import Code, Instant

Codes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=100)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExtraForm(_Form):
    """An extra session, at once or at `starts_at`; what is asked after `cutoff_at` (else the start) is late."""

    kind: Literal["extra"]
    starts_at: Instant | None = None
    cutoff_at: Instant | None = None


class WhistleForm(_Form):
    """吹哨: the named units are to be there by `deadline_at`, about these demands."""

    kind: Literal["whistle"]
    about: WhistleKind
    units: Annotated[tuple[Code, ...], Field(min_length=1, max_length=40)]
    numbers: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    deadline_at: Instant


ConveneForm = Annotated[ExtraForm | WhistleForm, Field(discriminator="kind")]


class OpenForm(_Form):
    """`chair` names somebody to chair this once instead of whose turn it is; for who keeps the minutes."""

    type: Literal["open"]
    chair: Code | None = None


class AttendForm(_Form):
    """`attend` any session, `arrive` at a whistle: units say so themselves, or who keeps the list does."""

    type: Literal["attend", "arrive"]
    units: Codes


class ConsentForm(_Form):
    type: Literal["consent"]
    number: Code


class CloseForm(_Form):
    type: Literal["close"]


SessionForm = Annotated[OpenForm | AttendForm | ConsentForm | CloseForm, Field(discriminator="type")]
