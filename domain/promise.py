"""What was promised at intake, frozen into the demand: later changes of the pack do not touch it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.vocabulary import ClockName
from domain.worktime import Budget


class Promise(BaseModel):
    """Targets, limits and versions of one demand.

    `calendar` is the version of the calendar whose windows the workflow carries; `committee` is the meeting above
    the communities' ones; `verify` asks for a look by somebody
    other than the handler; `redo_limit` and `refusal_limit` are counts after which the joint meeting takes over;
    `call_backs` is how often the reporter is asked before a demand is closed as unconfirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: str
    sla_class: str
    calendar: str
    committee: str
    verify: bool
    budgets: dict[ClockName, Budget]
    redo_limit: int = 2
    refusal_limit: int = 3
    call_backs: int = 3
    extension_limit: int = 3
