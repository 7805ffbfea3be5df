"""Nothing is stuck without an owner: what becomes of a notice when a channel has given it up."""

from __future__ import annotations

from datetime import datetime

from domain.actors import SYSTEM
from domain.district import District
from domain.notice_rules import DIGEST, UNDELIVERABLE, Undeliverable, Via
from domain.notices import Happening, after_quiet, inside, meant
from domain.vocabulary import Role
from service.notice_plans import Planner
from store import notice_reading, notices
from store.notice_reading import Noticed
from store.pool import Connection

DEAD = "dead"


async def raise_owner(
    connection: Connection, planner: Planner, district: District, delivery: int, now: datetime
) -> None:  # fmt: skip
    """`delivery` is dead. Its notice goes out through the person's next channel; where there is none, and no other channel
    of it is under way, whoever owns the demand is told: the supervisor of a member of staff, who finds it in the inbox all
    the same, and the operator of a reporter. Part of the caller's transaction; a second time changes nothing.
    """
    found = await notice_reading.of_delivery(connection, delivery)
    if found is None or found[1].event == UNDELIVERABLE:  # the owner has it in the inbox
        return
    channel, one = found
    states = await notice_reading.tried(connection, one.id)
    if any(state != DEAD for state in states.values()):
        return
    if further := await _next_channel(connection, planner, one, set(states)):
        await _send_on(connection, planner, one, further, now)
        return
    about = await _about(connection, one)
    if about is not None:
        await _tell(connection, planner, district, about, Undeliverable(channel=channel, audience=one.audience), now)


async def _next_channel(connection: Connection, planner: Planner, one: Noticed, tried: set[str]) -> Via | None:
    settings, rule = planner.settings, planner.book.rule(one.rule)
    usual: tuple[Via, ...] = settings.channels if one.person is not None else settings.reporter_channels
    wanted = usual if rule is None or rule.channels is None else rule.channels
    open_to = (await planner.reach(connection, one.person, one.demand)).channels
    return next((via for via in wanted if via in open_to and via not in tried), None)


async def _send_on(connection: Connection, planner: Planner, one: Noticed, via: Via, now: datetime) -> None:
    settings, calendar = planner.settings, planner.calendar
    if one.person is None:
        at = inside(settings.reporter_hours, calendar, now)
    else:
        quiet = (await planner.reach(connection, one.person, None)).quiet
        at = now if one.urgent else after_quiet(settings, calendar, now, quiet)
    lane = notices.lane_of(one.person, one.number)
    await notices.deliver(connection, [(one.id, via, lane, at, one.number, one.urgent)])


async def _about(connection: Connection, one: Noticed) -> Noticed | None:
    """The notice itself; of a collection the first one in it."""
    if one.event != DIGEST:
        return one
    return next(iter(await notice_reading.members_of(connection, one.id)), None)


async def _tell(
    connection: Connection, planner: Planner, district: District, one: Noticed, event: Undeliverable, now: datetime
) -> None:
    demand = one.demand
    if demand is None or one.number is None or one.seq is None:
        return
    owner = demand.operator if one.person is None else _over(district, one.person, demand.supervisor)
    happening = Happening(
        number=one.number, seq=one.seq, at=now, actor=SYSTEM.id, event=event, before=demand, after=demand
    )  # fmt: skip
    told = [(happening, each) for each in meant(planner.settings, happening, owner=owner)]
    await planner.write(connection, told, now)


def _over(district: District, person: str, supervisor: str) -> str:
    """The demand's supervisor; who that is themselves has another one, or an administrator."""
    people = (*district.people_with(Role.SUPERVISOR), *district.people_with(Role.ADMIN))
    return next((one for one in (supervisor, *(p.id for p in people)) if one != person), supervisor)
