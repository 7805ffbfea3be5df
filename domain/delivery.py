"""Deliveries: what became of an attempt, when it is tried again, when it is given up, and when a whole channel rests.

    waiting ──► sending ──► delivered
       ▲           │ ├────► failed ──► sending …     the recipient's fault or nobody's: 10 tries in about a day
       └───────────┘ └────► dead                     refused for good, or tries used up; somebody then owns it

Two troubles are told apart. Of one recipient: that delivery is tried again later, what comes after it for the same
recipient and channel waits behind it, everybody else goes on. Of the channel (its server is away, our login is not
taken, or several recipients fail one after another): the channel rests, one delivery at a time probes whether it is
back, no tries are used up. So after an outage all of it goes out, in order, once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

PAUSES: tuple[timedelta, ...] = (
    MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 10 * HOUR,
)  # fmt: skip
"""Between one try and the next: nine pauses, about a day in all. After the tenth try a delivery is dead."""
MOST_TRIES = len(PAUSES) + 1
JITTER = 0.2
"""A pause is lengthened by up to this part of it, so that what failed together does not come back together."""
PROBES: tuple[timedelta, ...] = (timedelta(seconds=15), timedelta(seconds=30), MINUTE, 2 * MINUTE, 5 * MINUTE)
"""Between the probes of a channel that rests; the last one goes on for ever."""
ENOUGH_SUSPECTS = 5
"""So many different recipients failing in a row, and nothing delivered in between, are the channel's trouble."""
OUTAGE_LIMIT = timedelta(days=2)
"""What has waited so long for a channel that rests is dead: its owner has to reach the person in another way."""


class State(StrEnum):
    """Of a delivery. `sending` holds until its lease ends; `failed` is tried again."""

    WAITING = "waiting"
    SENDING = "sending"
    FAILED = "failed"
    DELIVERED = "delivered"
    DEAD = "dead"


OPEN = (State.WAITING, State.SENDING, State.FAILED)


class Reason(StrEnum):
    """Why an attempt did not succeed. Codes only: what a server says may quote an address or a text."""

    # Passing, the recipient's
    BUSY = "busy"
    DROPPED = "dropped"
    ANSWER_LOST = "answer_lost"
    """The whole message was handed over and no answer came: it may arrive a second time, with the same Message-ID."""
    TIMED_OUT = "timed_out"
    GATEWAY_REFUSED = "gateway_refused"
    UNKNOWN = "unknown"
    # Passing, the channel's
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    LOGIN_REFUSED = "login_refused"
    REFUSED_SENDER = "refused_sender"
    RATE_LIMITED = "rate_limited"
    # Our own
    WORKER_LOST = "worker_lost"
    """The worker ended while it was sending."""
    LETTER_FAILED = "letter_failed"
    """The text could not be put together: a fault of the product, not of the recipient."""
    # For good
    REFUSED_RECIPIENT = "refused_recipient"
    REFUSED_MESSAGE = "refused_message"
    INVALID_ADDRESS = "invalid_address"
    NO_ADDRESS = "no_address"
    NO_LETTER = "no_letter"
    NOT_CONFIGURED = "not_configured"
    CHANNEL_DOWN = "channel_down"


CHANNELS_OWN = frozenset((
    Reason.UNREACHABLE, Reason.TLS_FAILED, Reason.LOGIN_REFUSED, Reason.REFUSED_SENDER, Reason.RATE_LIMITED,
    Reason.NOT_CONFIGURED,
))  # fmt: skip


NOBODY_WAS_ASKED = frozenset((
    Reason.INVALID_ADDRESS, Reason.NO_ADDRESS, Reason.NO_LETTER, Reason.LETTER_FAILED, Reason.CHANNEL_DOWN,
    Reason.WORKER_LOST,
))  # fmt: skip


class Outcome(BaseModel):
    """What a gateway says of one attempt. `refused` is for good; `try_again` is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["delivered", "try_again", "refused"]
    reason: Reason | None = None

    @property
    def delivered(self) -> bool:
        return self.kind == "delivered"

    @property
    def of_channel(self) -> bool:
        """Whether this says that the channel as a whole does not work."""
        return self.kind == "try_again" and self.reason in CHANNELS_OWN

    @property
    def of_service(self) -> bool:
        """Whether somebody outside had a part in it: only that says anything of how a channel does."""
        return self.reason not in NOBODY_WAS_ASKED and not (self.kind == "refused" and self.reason in CHANNELS_OWN)


DELIVERED = Outcome(kind="delivered")


def try_again(reason: Reason) -> Outcome:
    return Outcome(kind="try_again", reason=reason)


def refused(reason: Reason) -> Outcome:
    return Outcome(kind="refused", reason=reason)


class Circuit(BaseModel):
    """Whether a channel works. `down_since` is set while it rests; `probe_at` is then the next probe's instant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    down_since: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0
    suspects: tuple[str, ...] = ()

    @property
    def rests(self) -> bool:
        return self.down_since is not None

    def may_send(self, now: datetime) -> bool:
        """Sending freely, or one probe."""
        return self.probe_at is None or self.probe_at <= now

    def after(self, outcome: Outcome, lane: str, now: datetime, chance: float, *, probe: bool = False) -> Circuit:
        """The circuit once an attempt for `lane`, or a probe, has ended so. `chance` is in [0, 1)."""
        if not outcome.of_service:
            return self.model_copy(update={"probe_at": now}) if self.rests and probe else self
        if outcome.kind != "try_again":
            return Circuit()  # the server gave a verdict about this message: the channel works
        if self.rests:  # what was under way when it began to rest says nothing new
            return self._rest(now, chance) if probe else self
        suspects = self.suspects if lane in self.suspects else (*self.suspects, lane)
        if outcome.of_channel or len(suspects) >= ENOUGH_SUSPECTS:
            return Circuit(suspects=suspects[:ENOUGH_SUSPECTS])._rest(now, chance)
        return self.model_copy(update={"suspects": suspects})

    def probing(self, until: datetime) -> Circuit:
        """While a probe is under way no other one is sent, at most `until` then."""
        return self.model_copy(update={"probe_at": until})

    def _rest(self, now: datetime, chance: float) -> Circuit:
        pause = _longer(PROBES[min(self.probes, len(PROBES) - 1)], chance)
        return Circuit(
            down_since=self.down_since or now, probe_at=now + pause, probes=self.probes + 1, suspects=self.suspects
        )


class Verdict(BaseModel):
    """What becomes of a delivery after an attempt. `tried` tells how many of its tries are used up now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    tried: int
    next_at: datetime | None = None
    reason: Reason | None = None


def verdict(
    outcome: Outcome, *, tried: int, waiting_since: datetime, circuit: Circuit, now: datetime, chance: float
) -> Verdict:
    """After an attempt; `tried` counts those before it, `circuit` is the channel's before it."""
    if outcome.delivered:
        return Verdict(state=State.DELIVERED, tried=tried + 1)
    if outcome.kind == "refused":
        return Verdict(state=State.DEAD, tried=tried + 1, reason=outcome.reason)
    if outcome.of_channel or circuit.rests:
        if now - waiting_since >= OUTAGE_LIMIT:
            return Verdict(state=State.DEAD, tried=tried, reason=Reason.CHANNEL_DOWN)
        # Due at once, behind everybody else: the channel says when.
        return Verdict(state=State.FAILED, tried=tried, next_at=now, reason=outcome.reason)
    if tried >= MOST_TRIES - 1:
        return Verdict(state=State.DEAD, tried=tried + 1, reason=outcome.reason)
    return Verdict(
        state=State.FAILED, tried=tried + 1, next_at=now + _longer(PAUSES[tried], chance), reason=outcome.reason
    )


def _longer(pause: timedelta, chance: float) -> timedelta:
    return pause * (1 + JITTER * chance)
