"""Who is told of an event, and when: pure, so that looking at an event again finds the same people.

Each person is told of an event once, by the first rule that names them, and nobody of what they did themselves. What is
urgent goes out at once; the rest waits for quiet hours to end, or for the hour at which it is told with others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, TypeAdapter

from domain.calendar import MIDNIGHT, ONE_DAY
from domain.call_backs import Hours
from domain.demand import Demand, evolve
from domain.events import Event
from domain.ledger import Entry
from domain.notice_rules import Audience, Language, NoticeRule, NoticeSettings, Quiet, Via
from domain.vocabulary import Channel
from domain.worktime import Calendar

FARTHEST_DAYS = 30
"""An hour that has not come by then is not waited for: somebody is quiet all day long."""
DIGEST_MARGIN = timedelta(minutes=1)
"""A collection about to leave takes nothing more in."""


@dataclass(frozen=True)
class Happening:
    """An event of a demand's log. `before` is the demand before the turn that it belongs to, `after` right after it.

    `door` is how the demand came in.
    """

    number: str
    seq: int
    at: datetime
    actor: str
    event: BaseModel
    before: Demand
    after: Demand
    door: Channel = Channel.API

    @property
    def type(self) -> str:
        return str(getattr(self.event, "type"))  # noqa: B009  (every event has one, their base does not say so)


@dataclass(frozen=True)
class Meant:
    """Somebody who is to be told; `person` is None for the reporter."""

    rule: NoticeRule
    audience: Audience
    person: str | None


@dataclass(frozen=True)
class Reach:
    """How somebody can be reached, and wants to be; what is None is as the district has it.

    `account` is the login of a reporter who has one: an inbox to read in.
    """

    channels: frozenset[Via] = frozenset()
    account: str | None = None
    language: Language | None = None
    quiet: Quiet | None = None
    digest: bool | None = None


@dataclass(frozen=True)
class Planned:
    """A notice as it is stored. `collected`: it goes out with others at `send_at`. `channels` may be none. `reader` is
    whose inbox it is in."""

    number: str
    seq: int
    event: str
    rule: str
    audience: Audience
    person: str | None
    reader: str | None
    template: str
    language: Language
    urgent: bool
    at: datetime
    send_at: datetime
    collected: bool
    channels: tuple[Via, ...]

    @property
    def state(self) -> str:
        if self.channels:
            return "collected" if self.collected else "outgoing"
        return "unreachable" if self.reader is None else "inbox"


_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def happenings(number: str, entries: Iterable[Entry], wanted: Mapping[int, str]) -> Iterator[Happening]:
    """The events whose `seq` is wanted, from the demand's log as it stands now.

    `wanted` has the hash of each: one that a later attempt has replaced is left out, for the other one comes as well.
    """
    demand = before = Demand(number=number)
    door, turn, last = Channel.API, None, max(wanted, default=0)
    for entry in entries:
        if entry.seq > last:
            return
        event = _EVENT.validate_python({"type": entry.type, **entry.data})
        if event.type == "demand_submitted":
            door = event.channel
        if turn != (entry.at, entry.actor):
            before, turn = demand, (entry.at, entry.actor)
        demand = evolve(demand, event, entry.at)
        if wanted.get(entry.seq) == entry.hash:
            yield Happening(number, entry.seq, entry.at, entry.actor, event, before, demand, door)


# ---- who


def meant(settings: NoticeSettings, h: Happening, *, owner: str | None = None) -> tuple[Meant, ...]:
    """Everybody who is to be told of it, each once. `owner` is who looks after what could not be delivered."""
    if h.door in settings.bulk_doors and h.at == h.after.opened_at:
        return ()
    found: dict[str | None, Meant] = {}
    for rule in settings.rules_of.get(h.type, ()):
        if not rule.holds(
            h.event, stage=h.after.stage, category=h.after.category, sla_class=h.after.terms.sla_class
        ):  # fmt: skip
            continue
        for audience in rule.audiences:
            if audience == "reporter":
                found.setdefault(None, Meant(rule, audience, None))
                continue
            for person in (owner,) if audience == "owner" else _PEOPLE[audience](h):
                if person and person != h.actor:
                    found.setdefault(person, Meant(rule, audience, person))
    return tuple(found.values())


People = tuple[str | None, ...]


def _co_unit(h: Happening) -> People:
    """The liaison of the unit that the event is about."""
    named = getattr(h.event, "co_unit", None)
    if named is not None:
        return (named.liaison,)
    unit = getattr(h.event, "unit", None)
    return tuple(task.liaison for task in h.after.co_tasks if task.unit == unit)


def _lead_unit(h: Happening) -> People:
    lead = h.after.lead or h.before.lead
    return (lead.liaison if lead else None,)


def _former_holder(h: Happening) -> People:
    """Not whoever held it for an instant only, on its way from one to the other."""
    return (h.before.holder if h.before.holder != h.after.holder else None,)


def _secretary(h: Happening) -> People:
    return (h.after.place.secretary if h.after.place else None,)


_PEOPLE: Mapping[Audience, Callable[[Happening], People]] = {
    "holder": lambda h: (h.after.holder,),
    "former_holder": _former_holder,
    "worker": lambda h: (h.after.worker,),
    "supervisor": lambda h: (h.after.supervisor,),
    "secretary": _secretary,
    "operator": lambda h: (h.after.operator,),
    "dispatcher": lambda h: (h.after.dispatcher,),
    "lead_unit": _lead_unit,
    "co_unit": _co_unit,
    "co_units": lambda h: tuple(task.liaison for task in h.after.co_tasks if task.open),
    "told": lambda h: tuple(getattr(h.event, "told", ())),
    "asked": lambda h: (getattr(h.event, "person", None),),
}


# ---- when


def plan(
    settings: NoticeSettings, h: Happening, one: Meant, reach: Reach, calendar: Calendar, now: datetime
) -> Planned:  # fmt: skip
    """The notice for one person, planned at `now`."""
    rule = one.rule
    channels = tuple(via for via in settings.channels_of(rule, one.audience) if via in reach.channels)
    if rule.reach == "first":
        channels = channels[:1]
    collected = bool(channels) and one.person is not None and _waits(rule, reach)
    return Planned(
        number=h.number, seq=h.seq, event=h.type, rule=rule.id, audience=one.audience, person=one.person,
        reader=one.person or reach.account, template=rule.template, language=reach.language or settings.language,
        urgent=rule.urgent, at=h.at, collected=collected, channels=channels,
        send_at=_send_at(settings, one, reach, calendar, now, collected=collected),
    )  # fmt: skip


def _waits(rule: NoticeRule, reach: Reach) -> bool:
    """Whether it is told together with others. A person's wish counts, but for what is urgent."""
    return not rule.urgent and (rule.digest if reach.digest is None else reach.digest)


def _send_at(
    settings: NoticeSettings, one: Meant, reach: Reach, calendar: Calendar, now: datetime, *, collected: bool
) -> datetime:
    if one.person is None:
        return inside(settings.reporter_hours, calendar, now)
    if one.rule.urgent:
        return now
    if collected:
        return next_digest(settings, calendar, now, reach.quiet)
    return after_quiet(settings, calendar, now, reach.quiet)


def inside(hours: Hours, calendar: Calendar, at: datetime) -> datetime:
    """`at`, or the next instant in the hours at which reporters are written to."""
    return hours.next(calendar, at)


def after_quiet(settings: NoticeSettings, calendar: Calendar, at: datetime, own: Quiet | None = None) -> datetime:
    """`at`, or the end of the quiet hours that it lies in, in UTC. `own` takes the place of the district's hours.

    On a day off that is quiet as a whole, the next day with work; where there is none within reach, `at`.
    """
    quiet, local = own or settings.quiet, calendar.table.local(at)
    asleep, off = quiet.covers(local.time()), settings.days_off_are_quiet
    if not asleep and not (off and not calendar.table.works_on(local.date())):
        return at
    morning = quiet.ends if quiet.covers(MIDNIGHT) else MIDNIGHT
    day, wall = local.date(), quiet.ends if asleep else morning
    if not asleep or local.time() >= quiet.ends:
        day += ONE_DAY
    for _ in range(FARTHEST_DAYS):
        if not off or calendar.table.works_on(day):
            return calendar.table.instant(day, wall)
        day, wall = day + ONE_DAY, morning
    return at


def next_digest(settings: NoticeSettings, calendar: Calendar, at: datetime, own: Quiet | None = None) -> datetime:
    """The next hour of collected notices that is not quiet; where none is, the end of the quiet hours."""
    soonest = at + DIGEST_MARGIN
    first = calendar.table.local(soonest).date()
    for offset in range(FARTHEST_DAYS):
        for wall in sorted(settings.digest_at):
            hour = calendar.table.instant(first + timedelta(days=offset), wall)
            if hour >= soonest and after_quiet(settings, calendar, hour, own) == hour:
                return hour
    return after_quiet(settings, calendar, at, own)
