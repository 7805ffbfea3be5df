"""What was promised at intake, frozen into the demand: later changes of the pack do not touch it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.call_backs import CallBackPlan
from domain.ladder import Step
from domain.tasks import ClockKey, budget_name
from domain.vocabulary import ClockName
from domain.worktime import Budget


class ServiceOffer(BaseModel):
    """A line of the service menu as it was promised: what, and at which price (`price_fen` None: estimated on the spot)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    price: str
    price_fen: int | None = None


class Promise(BaseModel):
    """Targets, limits and versions of one demand.

    `calendar` is the version of the calendar whose windows the workflow carries; `committee` is the meeting above
    the communities' ones; `verify` asks for a look by somebody
    other than the handler; `redo_limit` and `refusal_limit` are counts after which the joint meeting takes over;
    `call_backs` is how often the reporter is asked before a demand is closed as unconfirmed; `ladder` is what happens
    around each due instant, empty meaning only that the breach is marked; `service` is what was asked for from the menu;
    `call_back_plan` says how the reporter is asked, in place of `call_backs`; `evidence` asks for a file with `resolve`.
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
    ladder: Annotated[tuple[Step, ...], Field(exclude_if=lambda steps: not steps)] = ()
    service: Annotated[ServiceOffer | None, Field(exclude_if=lambda offer: offer is None)] = None
    call_back_plan: Annotated[CallBackPlan | None, Field(exclude_if=lambda plan: plan is None)] = None
    evidence: Annotated[bool, Field(exclude_if=lambda asked: not asked)] = False

    def budget_of(self, key: ClockKey) -> Budget | None:
        """What was promised for this clock; a co-unit has the lead's budgets. None for one that only waits."""
        return self.budgets.get(budget_name(key))

    @property
    def of_0_1(self) -> bool:
        """Made by release 0.1, which bounded no pause. The log of such a demand goes on saying what it said then, so
        that every replay of its history makes the hashes that are stored."""
        return ClockName.PAUSE not in self.budgets
