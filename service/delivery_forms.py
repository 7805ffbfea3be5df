"""What comes with a request about deliveries."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.delivery import Reason
from domain.notice_rules import Via
from service.forms import Instant


class ReplayForm(BaseModel):
    """Dead deliveries planned from `from` until before `until`, through one channel or any, dead for one reason or any."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begins: Annotated[Instant, Field(alias="from")]
    ends: Annotated[Instant, Field(alias="until")]
    channel: Via | None = None
    reason: Reason | None = None
