"""One session of a joint meeting: called, opened by whoever chairs then, attended, closed. Pure.

    called ──open──> open ──close──> closed         a session that nobody opens, or closes, ends by itself

A whistle 吹哨 is a session that names units: each confirms its arrival 报到, and who is missing at the deadline is on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from domain.actors import Actor
from domain.errors import DomainError
from domain.vocabulary import Role

EARLY = timedelta(hours=1)
"""How long before its start a session may be opened, and attendance be taken."""
LAPSES_AFTER = timedelta(hours=24)
"""How long after its start, or its opening, a session ends by itself."""

WhistleKind = Literal["resident_problem", "joint_enforcement", "emergency"]
"""居民诉求吹哨 · 联合执法吹哨 · 应急处置吹哨."""


class SessionKind(StrEnum):
    """By the cadence, convened in between, or an urgent call for named units (吹哨)."""

    REGULAR = "regular"
    EXTRA = "extra"
    WHISTLE = "whistle"


class SessionState(StrEnum):
    CALLED = "called"
    OPEN = "open"
    CLOSED = "closed"


class Chair(BaseModel):
    """Who chairs a session and why: whose turn it is (by a swap, perhaps), somebody instead of them, or by office."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    unit: str | None = None
    how: Literal["rotation", "swap", "substitute", "override", "director", "secretary"]


class Rules(BaseModel):
    """What a meeting goes by: `members` is unit -> liaison (in the committee: community -> secretary)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quorum: int
    agenda_cutoff_days: int
    members: dict[str, str]


class Presence(BaseModel):
    """A unit is there; `person` says so, its liaison or who keeps the list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    person: str
    at: datetime


class Whistle(BaseModel):
    """`units` (with their liaisons) are called to be there by `deadline_at`, about the demands `numbers`.

    `absent` are those that had not arrived at `mustered_at`, the deadline; who comes later stays on that list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: WhistleKind
    units: dict[str, str]
    numbers: tuple[str, ...] = ()
    deadline_at: datetime
    mustered_at: datetime | None = None
    absent: tuple[str, ...] = ()


class Session(BaseModel):
    """`consented` names visits to the agenda (`number#turn`) that the chair let in; `version` counts the changes.

    `rolled_over` are the demands that stood on its agenda and were left undecided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: SessionKind
    state: SessionState = SessionState.CALLED
    called_at: datetime
    called_by: str
    starts_at: datetime
    cutoff_at: datetime
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    chair: Chair | None = None
    quorum: int
    present: tuple[Presence, ...] = ()
    consented: tuple[str, ...] = ()
    decided: int = 0
    rolled_over: tuple[str, ...] = ()
    whistle: Whistle | None = None
    version: int = 1

    def changed(self, **changes: Any) -> Self:
        return self.model_copy(update={**changes, "version": self.version + 1})

    @property
    def has_quorum(self) -> bool:
        return len(self.present) >= self.quorum

    def admits(self, number: str, turn: int, asked_at: datetime) -> bool:
        """Whether a visit to the agenda is this session's business: in time, or let in by the chair."""
        return f"{number}#{turn}" in self.consented or self.in_time(number, asked_at)

    def in_time(self, number: str, asked_at: datetime) -> bool:
        """Asked before the agenda closed; at a whistle, one of the demands that it names."""
        return number in self.whistle.numbers if self.whistle else asked_at <= self.cutoff_at

    def may_keep_list(self, actor: Actor, scope: str | None) -> bool:
        """The chair of this session, and the office that keeps its list and minutes (in the committee: a supervisor)."""
        return (self.chair is not None and actor.id == self.chair.person) or keeps_minutes(actor, scope)

    # ---- what happens to it

    def opened(self, chair: Chair, now: datetime) -> Self:
        """Raises DomainError `session_open` for one that is, `no_session` before its time."""
        if self.state is SessionState.OPEN:
            raise DomainError("session_open", "This session is open already.", session=self.id)
        self._is_at_hand(now)
        return self.changed(state=SessionState.OPEN, opened_at=now, chair=chair)

    def joined(
        self, units: Iterable[str], actor: Actor, now: datetime, *, by_list: bool, members: Mapping[str, str]
    ) -> Self:
        """With the units on the list of those present, each once. `by_list`: the caller may speak for all of them.

        Raises DomainError `unknown_unit` for one that is no member (of a whistle: not named), `not_permitted` for
        somebody who speaks for another unit, `no_session` before its time.
        """
        known = {one.unit for one in self.present}
        called = self.whistle.units if self.whistle else members
        if not self.whistle:
            self._is_at_hand(now)
        new = []
        for unit in units:
            if unit not in called:
                rule = (
                    "This whistle does not name that unit."
                    if self.whistle
                    else "That unit is no member of this meeting."
                )
                raise DomainError("unknown_unit", rule, session=self.id, unit=unit)
            if not (by_list or actor.id == called[unit] or speaks_for(actor, unit)):
                raise DomainError("not_permitted", "A unit is spoken for by its liaison, the chair or the secretary.")
            if unit not in known:
                known.add(unit)
                new.append(Presence(unit=unit, person=actor.id, at=now))
        return self.changed(present=(*self.present, *new)) if new else self

    def let_in(self, number: str, turn: int) -> Self:
        return self.changed(consented=(*self.consented, f"{number}#{turn}"))

    def mustered(self) -> Self:
        """The deadline of a whistle has come: who is not there now is absent, as of the deadline itself."""
        assert self.whistle is not None
        here = {one.unit for one in self.present}
        absent = tuple(unit for unit in self.whistle.units if unit not in here)
        changes = {"absent": absent, "mustered_at": self.whistle.deadline_at}
        return self.changed(whistle=self.whistle.model_copy(update=changes))

    def closed(self, at: datetime, *, rolled_over: tuple[str, ...]) -> Self:
        return self.changed(state=SessionState.CLOSED, closed_at=at, rolled_over=rolled_over)

    # ---- what it waits for

    @property
    def muster_at(self) -> datetime | None:
        return self.whistle.deadline_at if self.whistle and self.whistle.mustered_at is None else None

    @property
    def lapses_at(self) -> datetime:
        since = [self.starts_at, self.opened_at, self.whistle.deadline_at if self.whistle else None]
        return max(at for at in since if at is not None) + LAPSES_AFTER

    def _is_at_hand(self, now: datetime) -> None:
        if now < self.starts_at - EARLY:
            rule = "It is called for later. Convene an extra session to sit before that."
            raise DomainError("no_session", rule, session=self.id, starts_at=self.starts_at.isoformat())


def keeps_minutes(actor: Actor, scope: str | None) -> bool:
    """The secretary of the community; in the committee (`scope` None), a supervisor."""
    if scope is None:
        return actor.has(Role.SUPERVISOR)
    return actor.has(Role.COMMUNITY_SECRETARY, community=scope)


def speaks_for(actor: Actor, unit: str) -> bool:
    return any(g.role is Role.UNIT_LIAISON and g.unit == unit for g in actor.grants)
