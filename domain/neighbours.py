"""Other city systems to which a unit's demands are forwarded by Open311, and what their answers mean for a demand. Pure.

A neighbour stands behind a unit: what is assigned to that unit goes on to the unit's own system. The unit stays responsible,
its clocks run, and its liaison owns every wait (docs/how-to/forward-to-another-system.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.actors import Actor, Grant
from domain.masking import STRUCK, strike
from domain.open311 import Status
from domain.open311_text import writable
from domain.places import Id, Name
from domain.units import CategoryCode
from domain.vocabulary import Role

MOST_STORY, MOST_WORDS, MOST_THEIR_ID = 3_500, 3_500, 80
PAUSES = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60))
LONGEST_WAIT = timedelta(hours=6)

Their = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


class Neighbour(BaseModel):
    """One line of `neighbours.toml`.

    `services` says what is forwarded: code or prefix of our categories → their service_code. `forward`: at once when the unit
    is assigned, or only when a person asks. `known_by` is how we find out, after a lost answer, whether a request reached
    them: their system knows a repetition by our number (`resend`), we look for our number among their descriptions
    (`description`), or not at all (`nothing`: it is sent again, and marked as possibly double). `updates`: whether they
    have servicerequestupdates. Nothing of the reporter goes there unless `share_reporter`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[Id, Field(max_length=40)]
    name: Name
    unit: Id
    base_url: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s?#@]+[^/\s?#@]$")]
    jurisdiction: Their | None = None
    services: Annotated[dict[CategoryCode, Their], Field(min_length=1)]
    attributes: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")], Annotated[str, Field(max_length=300)]] = {}
    forward: Literal["assigned", "asked"] = "assigned"
    format: Literal["json", "xml"] = "json"
    key_in: Literal["query", "header"] = "query"
    known_by: Literal["resend", "description", "nothing"] = "description"
    updates: bool = False
    share_reporter: bool = False
    poll_minutes: Annotated[int, Field(ge=1, le=1_440, strict=True)] = 15
    give_up_hours: Annotated[int, Field(ge=1, le=720, strict=True)] = 24
    watch_days: Annotated[int, Field(ge=0, le=60, strict=True)] = 7

    @property
    def poll(self) -> timedelta:
        return timedelta(minutes=self.poll_minutes)

    @property
    def give_up_after(self) -> timedelta:
        return timedelta(hours=self.give_up_hours)

    @property
    def watch(self) -> timedelta:
        """How long a request that they closed is looked at: they may open it again."""
        return timedelta(days=self.watch_days)

    def service_for(self, category: str) -> str | None:
        """Their code for a category, by the longest prefix; None where it is not forwarded."""
        fits = [prefix for prefix in self.services if category.startswith(prefix)]
        return self.services[max(fits, key=len)] if fits else None

    @property
    def actor(self) -> Actor:
        """In whose name their answers act on a demand: with the rights of the unit's liaison, and no others."""
        return Actor(id=f"neighbour:{self.id}", grants=(Grant(role=Role.UNIT_LIAISON, unit=self.unit),))


class State(StrEnum):
    """Of a forwarding. Open: `waiting` to be sent, `failed` and sent again, `sent` and followed. The others are over."""

    WAITING = "waiting"
    FAILED = "failed"
    SENT = "sent"
    DONE = "done"
    STOPPED = "stopped"
    GIVEN_UP = "given_up"


OPEN = (State.WAITING, State.FAILED, State.SENT)


class NeighbourSilent(BaseModel):
    """A forwarding was given up: the unit's liaison has to see to it. No event of a demand's log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["neighbour_silent"] = "neighbour_silent"
    neighbour: str
    code: str


def pause(attempts: int, asked: timedelta | None) -> timedelta:
    """Before the next try, after `attempts` that failed; `asked` is what their Retry-After said."""
    usual = PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]
    return max(usual, min(asked or usual, LONGEST_WAIT))


# ---- what they say


class Meaning(StrEnum):
    NOTHING = "nothing"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    EXPLAINED = "explained"
    REFUSED = "refused"
    HANDED_BACK = "handed_back"


_MEANS: Mapping[str, Meaning] = {
    Status.IN_PROGRESS: Meaning.ACCEPTED, Status.INVESTIGATING: Meaning.ACCEPTED,
    Status.ACTION_SCHEDULED: Meaning.ACCEPTED, Status.INTERNAL_REFERRAL: Meaning.ACCEPTED, "PLANNED": Meaning.ACCEPTED,
    Status.FIXED: Meaning.RESOLVED, Status.CLOSED: Meaning.EXPLAINED, Status.NO_FURTHER_ACTION: Meaning.EXPLAINED,
    Status.NOT_OURS: Meaning.REFUSED, Status.DUPLICATE: Meaning.HANDED_BACK, Status.CANCELLED: Meaning.HANDED_BACK,
}  # fmt: skip
_ENDS = frozenset({Meaning.RESOLVED, Meaning.EXPLAINED, Meaning.REFUSED, Meaning.HANDED_BACK})


@dataclass(frozen=True)
class Standing:
    """A request of ours as they tell of it. `extended` is a word of the update extension, where they have it."""

    closed: bool
    notes: str
    changed: str
    extended: str = ""

    @property
    def meaning(self) -> Meaning:
        """`open` and `closed` decide; the extended word says more, where it does not say the opposite."""
        said = _MEANS.get(self.extended.upper(), Meaning.NOTHING)
        if self.closed:
            return said if said in _ENDS else Meaning.RESOLVED
        return Meaning.NOTHING if said in _ENDS else said


@dataclass(frozen=True)
class Update:
    """What they wrote on a request of ours."""

    id: str
    status: str
    words: str
    changed: str


_TIMES = re.compile(r"[0-9T:.+Z -]{10,40}")
_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9]\d{16}[\dXx]|(?:\+?86[ -]?)?1[3-9](?:[ -]?\d){9}|0\d{2,3}[ -]?\d{7,8})(?![0-9A-Za-z])"
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"
)


def their_words(text: str, person: Mapping[str, object]) -> str:
    """Their text as a person here may read it: without our reporter, without anybody's numbers, and not too long."""
    plain = strike(_PERSONAL.sub(STRUCK, writable(text)), person).strip()
    return plain if len(plain) <= MOST_WORDS else plain[:MOST_WORDS] + "…"


def instant_text(text: str) -> str:
    """Their time as they wrote it, to tell one change from another; empty for what is no time."""
    return text if _TIMES.fullmatch(text) else ""


# ---- what we say


def reference_of(number: str, round: int) -> str:
    """Our own number of a request: another one where the same demand goes there again as a new request."""
    return number if round == 1 else f"{number}.{round}"


def mark(district: str, reference: str) -> str:
    """What stands at the end of a description, by which people and programs find it again."""
    return f"〔{district} {reference}〕"


def description(story: str, person: Mapping[str, object], district: str, reference: str, *, share: bool) -> str:
    """What goes there: the matter, without its reporter unless the neighbour may have them, and our number."""
    plain = writable(story).strip()
    if not share:
        plain = _PERSONAL.sub(STRUCK, strike(plain, person))
    cut = plain if len(plain) <= MOST_STORY else plain[:MOST_STORY] + "…"
    return f"{cut}\n{mark(district, reference)}"


def person_fields(person: Mapping[str, object]) -> dict[str, str]:
    """The reporter in the fields of GeoReport v2. A Chinese name is one word there: it goes as the last name."""
    said = {"last_name": person.get("name"), "phone": person.get("phone"), "email": person.get("email")}
    return {name: value for name, value in said.items() if isinstance(value, str) and value}


def their_id(value: Any) -> str | None:
    """An id or token of theirs, as text; None for what cannot be one."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= MOST_THEIR_ID and text.isprintable() and not re.search(r"\s", text) else None


def is_late(since: datetime | None, now: datetime, neighbour: Neighbour) -> bool:
    return since is not None and now - since >= neighbour.give_up_after
