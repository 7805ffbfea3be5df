"""What is sent to forward a demand."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.forms import Code


class ForwardForm(BaseModel):
    """To which neighbour of the unit that has the demand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbour: Code
