"""What is in force: the files of the pack and of the calendar folder, and over them what was published since.

files ── Base ──┐
                ├── in_force ──> InForce(almanac, district)      of each kind and key the newest that has taken effect wins
publications ───┘

A cancellation takes back a publication that has not taken effect yet: it is one itself, and `key` is the other's id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.district import District
from domain.policies import RoutingRules, Sla
from domain.worktime import Calendar
from service.calendars import Almanac, HolidayYear, check_dates, check_neighbours
from service.publish_district import laid_over, read
from store.publications import Publication, Wanted

HOLIDAY_YEAR, SLA, ROUTING, CANCELLATION = "holiday_year", "sla", "routing", "cancellation"

State = Literal["in_force", "scheduled", "cancelled", "superseded"]


@dataclass(frozen=True)
class Base:
    """What the files said when the process started."""

    years: tuple[HolidayYear, ...]
    district: District

    @property
    def sla(self) -> Sla:
        return self.district.sla

    @property
    def routing(self) -> RoutingRules:
        return self.district.routing


@dataclass(frozen=True)
class InForce:
    """What counts at `at`. `as_of` is the newest publication it knows, `publications` are all of them, oldest first.

    `standing` are those that count, one of each kind and key; `former` are the almanacs before each publication of a year.
    """

    as_of: int
    at: datetime
    almanac: Almanac
    district: District
    publications: tuple[Publication, ...] = ()
    standing: tuple[Publication, ...] = ()
    former: tuple[Almanac, ...] = ()

    @property
    def sla(self) -> Sla:
        return self.district.sla

    @property
    def routing(self) -> RoutingRules:
        return self.district.routing

    def calendar(self, year: int) -> Calendar:
        """What a demand opened in the local year `year`, which is now, is promised under.

        ConfigError when neither that year nor the next is known.
        """
        return self.almanac.calendar_for(year, year + 1)

    def superseded(self, this_year: int) -> list[str]:
        """The calendar versions that a publication replaced by another one."""
        once = {c.version for almanac in self.former for c in wanted(almanac, this_year).values()}
        return sorted(once - {c.version for c in wanted(self.almanac, this_year).values()})

    def line(self, kind: str, key: str) -> list[Publication]:
        """What was published of one thing and not cancelled, in the order in which it takes effect."""
        gone = cancelled(self.publications)
        return in_order(p for p in self.publications if (p.kind, p.key) == (kind, key) and p.id not in gone)

    def ahead(self) -> list[Publication]:
        """What is yet to take effect, soonest first."""
        gone = cancelled(self.publications)
        return in_order(p for p in self.publications if not p.counts(self.at) and p.id not in gone)

    def state(self, one: Publication) -> State:
        if one.id in cancelled(self.publications):
            return "cancelled"
        if not one.counts(self.at):
            return "scheduled"
        return "in_force" if any(one.id == p.id for p in self.standing) else "superseded"


def cancelled(publications: Iterable[Publication]) -> set[int]:
    return {int(p.key) for p in publications if p.kind == CANCELLATION}


def in_order(publications: Iterable[Publication]) -> list[Publication]:
    return sorted(publications, key=lambda p: (p.effective_at, p.id))


def wanted(almanac: Almanac, this_year: int) -> dict[int, Calendar]:
    """The calendar that a demand should have, by the local year in which it was opened.

    It reaches to the end of the year after this one, as far as tables are known.
    """
    spans = ((year, max(year, this_year) + 1) for year in range(almanac.years[0].year, this_year + 2))
    return {span[0]: almanac.calendar_for(*span) for span in spans if almanac.known(*span)}


def versions(calendars: Mapping[int, Calendar]) -> Wanted:
    return Wanted({year: calendar.version for year, calendar in calendars.items()})


def in_force(base: Base, publications: Sequence[Publication], at: datetime) -> InForce:
    """Lay `publications`, oldest first, over the files, as far as they have taken effect at `at`.

    Raises ConfigError for one that does not fit (any more).
    """
    gone = cancelled(publications)
    counting = in_order(p for p in publications if p.kind != CANCELLATION and p.id not in gone and p.counts(at))
    standing = {(p.kind, p.key): p for p in counting}
    years, former = {entry.year: entry for entry in base.years}, list[Almanac]()
    for one in counting:
        if one.kind == HOLIDAY_YEAR:
            former.append(almanac_of(years.values()))
            years[int(one.key)] = _year(one)
    almanac = almanac_of(years.values())
    check_neighbours(almanac.years, [_place(y, counting) for y in almanac.years])
    sla, routing = standing.get((SLA, "")), standing.get((ROUTING, ""))
    district = laid_over(
        base.district, standing.values(),
        sla=base.sla if sla is None else _sla(sla, base.sla),
        routing=base.routing if routing is None else read(routing, RoutingRules),
    )  # fmt: skip
    as_of = publications[-1].id if publications else 0
    return InForce(as_of, at, almanac, district, tuple(publications), tuple(standing.values()), tuple(former))


def almanac_of(years: Iterable[HolidayYear]) -> Almanac:
    return Almanac(tuple(sorted(years, key=lambda entry: entry.year)))


def _place(entry: HolidayYear, publications: Sequence[Publication]) -> str:
    ids = [p.id for p in publications if (p.kind, p.key) == (HOLIDAY_YEAR, str(entry.year))]
    return f"publication {ids[-1]}" if ids else f"CN-{entry.year}.toml"


def _year(one: Publication) -> HolidayYear:
    entry = read(one, HolidayYear)
    check_dates(f"publication {one.id}", entry)
    return entry


def _sla(one: Publication, file: Sla) -> Sla:
    """A key that came into the product after it was published has the value of the file."""
    return read(one, Sla, json.loads(file.model_dump_json()))
