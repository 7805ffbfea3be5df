"""What callers send about exclusions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.exclusions import Basis, Document, Month, Reason
from service.forms import Code


class ExclusionForm(BaseModel):
    """Leave the demand out of these rates for the local month `month` ("2027-03"). `document` is the number of the paper
    that proves the basis; `reason` is read by everybody who reads the figures: nothing personal belongs there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    month: Month
    figures: Annotated[tuple[Code, ...], Field(min_length=1, max_length=40)]
    basis: Basis
    document: Document | None = None
    reason: Reason | None = None
