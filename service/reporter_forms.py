"""What callers send about personal data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from domain.privacy import ReadingReason
from service.forms import Phone

# Wider than what is taken at intake, so that a masked value is refused as such and not for its spelling.
_Given = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReporterChange(_Form):
    """What is left out stays as it is."""

    name: _Given | None = None
    phone: _Given | None = None
    email: _Given | None = None
    building: _Given | None = None
    room: _Given | None = None


class PhoneSearch(_Form):
    phone: Phone
    reason: ReadingReason = ReadingReason.HANDLING


class ExportForm(_Form):
    """`demand`: this one. `reporter`: every demand that the same person opened, or left the same phone number with."""

    scope: Literal["demand", "reporter"] = "demand"


class DeletionForm(_Form):
    """`confirm` must be true: what is erased cannot be brought back."""

    confirm: Literal[True]
