"""Exclusions 剔除: a demand left out of named rates for a month, on a ground that somebody else than who asked approved.

    asked ──approve──> approved ──revoke──> revoked
      ├────refuse────> refused
      └───withdraw───> withdrawn         by who asked

The demand and its log stay as they are. Only what is approved counts, from the approval until it is revoked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.vocabulary import Role


class Basis(StrEnum):
    """The grounds there are; nothing else leaves a demand out."""

    FORCE_MAJEURE = "force_majeure"
    OUTSIDE_DISTRICT = "outside_district"
    LEGAL_PROCEDURE = "legal_procedure"
    MALICIOUS_REPETITION = "malicious_repetition"
    ACCESS_REFUSED = "access_refused"
    WRONG_CONTACT = "wrong_contact"
    SYSTEM_FAILURE = "system_failure"


class BasisWords(NamedTuple):
    zh: str
    en: str


BASES: dict[Basis, BasisWords] = {
    Basis.FORCE_MAJEURE: BasisWords("不可抗力", "force majeure"),
    Basis.OUTSIDE_DISTRICT: BasisWords("非本街道事项", "not the district's matter"),
    Basis.LEGAL_PROCEDURE: BasisWords("已进入法定途径", "in a legal procedure"),
    Basis.MALICIOUS_REPETITION: BasisWords("恶意重复诉求", "malicious repetition"),
    Basis.ACCESS_REFUSED: BasisWords("诉求人拒绝入户或配合", "resident refused access"),
    Basis.WRONG_CONTACT: BasisWords("联系方式有误", "wrong contact details"),
    Basis.SYSTEM_FAILURE: BasisWords("系统故障", "failure of the system"),
}

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Month = Annotated[str, StringConstraints(pattern=MONTH)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""Words for the record, read by everybody who reads the figures: nothing personal belongs there."""
Document = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
"""The number of the paper that proves it."""


class ExclusionState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class Approved(BaseModel):
    """As much of an approved exclusion as counting needs. `month` is local."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    number: str
    month: Month
    figures: tuple[str, ...]
    basis: Basis


class Exclusion(Approved):
    """`community` is where the demand lay when it was asked; `seq` counts the events of its log."""

    document: Document | None = None
    community: str | None = None
    state: ExclusionState = ExclusionState.ASKED
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    revoked_by: str | None = None
    revoked_at: datetime | None = None
    seq: int = 1


class Decision(BaseModel):
    """What somebody does with an exclusion. Refusing and revoking need a `reason`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["approve", "refuse", "revoke", "withdraw"]
    reason: Annotated[Reason | None, Field(exclude_if=lambda reason: reason is None)] = None


def decide(exclusion: Exclusion, decision: Decision, actor: Actor, now: datetime) -> Exclusion:
    """The exclusion afterwards.

    Raises DomainError: `not_permitted`, `second_person_required` for who asked, `exclusion_decided` where its state does
    not let it, `validation_failed` without a reason that is needed.
    """
    x, kind = exclusion, decision.kind
    _may_decide(x, kind, actor)
    needed = ExclusionState.APPROVED if kind == "revoke" else ExclusionState.ASKED
    if x.state is not needed:
        rule = f"`{kind}` is possible while it is {needed}; it is {x.state}."
        raise DomainError("exclusion_decided", rule, state=x.state)
    if kind in ("refuse", "revoke") and decision.reason is None:
        raise DomainError("validation_failed", f"To {kind} needs a reason: send `reason`.", field="/reason")
    if kind == "revoke":
        change = {"state": ExclusionState.REVOKED, "revoked_by": actor.id, "revoked_at": now}
    else:
        change = {"state": _AFTER[kind], "decided_by": actor.id, "decided_at": now}
    return x.model_copy(update={**change, "seq": x.seq + 1})


_AFTER = {
    "approve": ExclusionState.APPROVED, "refuse": ExclusionState.REFUSED, "withdraw": ExclusionState.WITHDRAWN,
}  # fmt: skip


def _may_decide(x: Exclusion, kind: str, actor: Actor) -> None:
    if kind == "withdraw":
        if actor.id != x.asked_by:
            raise DomainError("not_permitted", "An exclusion is withdrawn by who asked for it.", allowed=["asked_by"])
        return
    if not roles.may(actor, Need.DECIDE_EXCLUSION, community=x.community):
        rule = "Exclusions are decided by a supervisor of the place."
        raise DomainError("not_permitted", rule, allowed=[Role.SUPERVISOR])
    if kind != "revoke" and actor.id == x.asked_by:
        rule = "Who asked for an exclusion does not decide it. Let another supervisor look at it."
        raise DomainError("second_person_required", rule)


class Exclusions:
    """The approved ones, looked up by demand."""

    def __init__(self, approved: Iterable[Approved] = ()) -> None:
        self._by_number: dict[str, list[Approved]] = {}
        for one in approved:
            self._by_number.setdefault(one.number, []).append(one)

    def of(self, number: str) -> list[Approved]:
        return self._by_number.get(number, [])


def leaving_out(found: Iterable[Approved], month: str, figure: str) -> Approved | None:
    """The first of these that leaves a case of this figure in this month out."""
    return next((x for x in found if x.month == month and figure in x.figures), None)
