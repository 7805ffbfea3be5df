"""Side effects of the rotating chair's workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from temporalio import activity

from contracts.rotation import HandedOver, HandOver, TurnTaken
from domain.district import District
from domain.rotation import Roster, Turn, roster_of
from store import rosters
from store.pool import Pool


class RotationActivities:
    """`district` gives the district as it is in force, each time anew."""

    def __init__(self, pool: Pool, district: Callable[[], Awaitable[District]]) -> None:
        self._pool = pool
        self._district = district

    @activity.defn(name="hand_over_chair")
    async def hand_over_chair(self, due: HandOver) -> HandedOver:
        """See contracts.rotation.hand_over_chair."""
        district = await self._district()
        if due.community not in district.directory.rotations:
            return HandedOver()
        entries = await rosters.entries(self._pool, due.community)
        roster = roster_of(district, due.community, entries.get(due.community, ()))
        zone = ZoneInfo(district.timezone)
        ended = await rosters.last_turn_ends(self._pool, due.community)
        taken = []
        for begins, turn in due_turns(roster, ended, due.at.astimezone(zone).date()):
            one = await self._taken(roster, turn, due, datetime.combine(begins, time(), zone))
            if await rosters.take_turn(self._pool, one):
                taken.append(one)
        return HandedOver(turns=tuple(taken))

    async def _taken(self, roster: Roster, turn: Turn, due: HandOver, began_at: datetime) -> TurnTaken:
        """What was open when the period began, however late this is: a missed turn tells the same as one in time."""
        chair = roster.chair_on(began_at.date())
        unit = chair.unit if chair.how == "override" else turn.unit
        return TurnTaken(
            community=due.community, unit=unit or turn.unit, person=chair.person, how=chair.how,
            period_from=began_at.date(), period_until=turn.period_until, handed_over_at=due.at,
            agenda=await rosters.agenda_at(self._pool, due.community, began_at),
            projects=await rosters.projects_at(self._pool, due.community, began_at),
        )  # fmt: skip


def due_turns(roster: Roster, ended: date | None, today: date) -> list[tuple[date, Turn]]:
    """The periods that have begun and were not handed over, each with the first day that is not; `ended` is the last
    day of the newest that was.

    The first hand-over of a community takes the present period alone: nobody knows what was open before. A period that
    was handed over in part, because it had another length then, is handed over for the rest.
    """
    if today < roster.periods.starts_on:
        return []
    if ended is None:
        return [(turn.period_from, turn) for turn in roster.turns(today, today)]
    first = ended + timedelta(days=1)
    return [(max(first, turn.period_from), turn) for turn in roster.turns(first, today)] if first <= today else []
