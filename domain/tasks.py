"""Unit tasks besides the lead's (协办): a co-unit's part, with its own window to refuse and its own due."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.vocabulary import ClockName

ClockKey = Annotated[ClockName | str, Field(union_mode="left_to_right")]
"""A clock of a demand: one of its own by name, or a co-unit's as "co_window:<unit>" and "co_due:<unit>"."""

CO_WINDOW, CO_DUE = "co_window", "co_due"
_BUDGET_OF = {CO_WINDOW: ClockName.REFUSAL_WINDOW, CO_DUE: ClockName.UNIT_DUE}


class CoUnit(BaseModel):
    """A unit asked to help the lead; the lead cannot resolve while a `required` part is open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    liaison: str
    required: bool = True


class CoTask(CoUnit):
    """`offered` until the unit accepts or its window passes in silence (`bound`); then done, refused or released."""

    state: Literal["offered", "bound", "done", "refused", "released"] = "offered"

    @property
    def open(self) -> bool:
        return self.state in ("offered", "bound")


def co_clocks(unit: str) -> tuple[str, str]:
    return f"{CO_WINDOW}:{unit}", f"{CO_DUE}:{unit}"


def unit_of(key: ClockKey) -> str | None:
    """The co-unit whose clock this is; None for the demand's own clocks."""
    return str(key).partition(":")[2] or None


def budget_name(key: ClockKey) -> ClockName:
    """The name under which the promise has this clock's budget."""
    base = str(key).partition(":")[0]
    return _BUDGET_OF.get(base) or ClockName(base)
