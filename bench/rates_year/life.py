"""One demand from its intake to its end, as the workflow would carry it: bells at their instants, people when they act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bench.rates_year.choices import next_act
from bench.rates_year.town import Town
from domain.actors import SYSTEM
from domain.clocks import next_alarm
from domain.commands import Act, Ring
from domain.decide import submit, take_turn
from domain.demand import Demand
from domain.errors import DomainError
from domain.ledger import Entry, seal
from domain.turn import Turn
from domain.vocabulary import Stage

LONGEST = timedelta(days=120)
"""After so long everybody else is gone and only the bells go on ringing."""
MOST_TURNS = 150


@dataclass(frozen=True)
class Step:
    """One transition as `store.record.record` takes it."""

    demand: Demand
    entries: list[Entry]
    after: str
    at: datetime


@dataclass
class Life:
    """`steps` after the first one, which is the intake. `until`: nothing is known of what comes later."""

    town: Town
    number: str
    until: datetime
    steps: list[Step] = field(default_factory=list)

    @property
    def demand(self) -> Demand:
        return self.steps[-1].demand if self.steps else Demand(number=self.number)

    def lived(self, at: datetime) -> Life:
        """Opened at `at`, and what became of it."""
        self._open(at)
        now = at
        for _ in range(MOST_TURNS):
            if self.demand.sealed:
                break
            alarm = next_alarm(self.demand, self.town.calendar)
            acting = self._acts_at(now, at)
            if acting is None and alarm is None:
                break
            if acting is None or (alarm is not None and alarm.at <= acting):
                assert alarm is not None
                now = max(now, alarm.at) + self._outage()
                act: Act | None = Act(command=Ring(), actor=SYSTEM)
                if self.town.chance.random() < 0.03:
                    act = next_act(self.town, self.demand, now)  # somebody acts at the very instant that a bell rings
            else:
                now = acting
                act = next_act(self.town, self.demand, now)
            if now >= self.until:
                break
            self._does(act, now)
        return self

    def _open(self, at: datetime) -> None:
        town, chance = self.town, self.town.chance
        category = town.category()
        place = town.place(at) if chance.random() < 0.9 else None
        submitted = town.submission(category, place, f"resident-{chance.randint(1, 9999):04d}")
        above = place is not None and category.handling_level != "grid"
        turn = submit(
            submitted, self.number, at, town.calendar, place=place, actor=town.person(submitted.opened_by),
            routing=town.routing(place, category.code, at) if above and place else None,
            screened="court" if chance.random() < 0.02 else None,
        )  # fmt: skip
        self._keep(turn, at)

    def _acts_at(self, now: datetime, opened: datetime) -> datetime | None:
        """When somebody does something next: mostly within hours, now and then after days, at last nobody any more."""
        chance, d = self.town.chance, self.demand
        if now - opened > LONGEST:
            return None
        mean = 90.0 if d.stage is Stage.MEETING or d.primary else 1200.0 if d.stage is Stage.CLOSED else 9.0
        if chance.random() < 0.1:
            mean *= 8
        minutes = max(1, round(chance.expovariate(1 / mean) * 60))
        return now + timedelta(minutes=minutes)

    def _outage(self) -> timedelta:
        """Now and then the worker process is down, and a bell is heard late."""
        chance = self.town.chance
        return timedelta(minutes=chance.randint(1, 60 * 30)) if chance.random() < 0.05 else timedelta()

    def _does(self, act: Act | None, now: datetime) -> None:
        for one in (act, Act(command=Ring(), actor=SYSTEM)):
            if one is None:
                continue
            try:
                turn = take_turn(self.demand, one, now, self.town.calendar)
            except DomainError:
                continue  # permitted and refused all the same, as people find out
            if turn.events:
                self._keep(turn, now)
            return

    def _keep(self, turn: Turn, at: datetime) -> None:
        before = self.demand.head
        demand, entries = seal(turn.demand, turn.events, at=at, actor=turn.actor.id)
        self.steps.append(Step(demand, entries, before, at))


def year_of_lives(town: Town, year: int, demands: int, until: datetime) -> Iterator[Life]:
    """Opened all over the local year, at night and on holidays too, some in the first and last minutes of a month."""
    chance = town.chance
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    instants = []
    for _ in range(demands):
        day = date(year, 1, 1) + timedelta(days=chance.randrange(days))
        hour = chance.choices(range(24), [1] * 7 + [4] * 13 + [1] * 4)[0]
        at = datetime.combine(day, time(hour, chance.randrange(60)), town.zone)
        if chance.random() < 0.03:
            at = datetime.combine(day.replace(day=1), time(), town.zone) + timedelta(minutes=chance.choice((-1, 0, 1)))
        instants.append(at)
    for n, at in enumerate(sorted(instants), 1):
        yield Life(town, f"{at.astimezone(town.zone):%Y%m%d}-{n:06d}", until).lived(at)
