"""A district with very many open demands in its tables, and how long a suggestion takes there beside a plain lookup."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import asyncpg

from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.actors import Actor, Grant
from domain.demand import Demand
from domain.duplicates import branch
from domain.places import Compound
from domain.vocabulary import Role
from runtime.settings import Settings
from service import duplicates, hot_spots
from service.desk import Desk, open_desk
from service.forms import DraftForm, Location, SubmitForm
from service.intake import category_of, submit
from store import migrate
from store.record import row_values

SEED = 20261123
SHAPES = 400
AT_ONCE = 2_000
SUPERVISOR = "p-0002"
_COLUMNS = [
    "number", "seq", "head", "stage", "category", "community", "grid", "compound", "unit", "holder", "meeting", "outcome",
    "breached", "due_at", "opened_at", "updated_at", "closed_at", "state", "channel", "opened_by",
]  # fmt: skip
_TEXT_COLUMNS = ["id", "number", "kind", "author", "written_at", "sealed"]


@dataclass
class Looked:
    """Seconds of each question, the kinds in turns."""

    demands: int
    questions: int
    mark_seconds: float = 0.0
    lookup: list[float] = field(default_factory=list)
    of_demand: list[float] = field(default_factory=list)
    of_draft: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    hot_spots: list[float] = field(default_factory=list)

    def times(self) -> dict[str, list[float]]:
        return {
            "plain indexed lookup": self.lookup, "suggestions for a demand": self.of_demand,
            "suggestions for a draft": self.of_draft, "hint for a resident's draft": self.resident,
        }  # fmt: skip


async def measured(texts: Sequence[str], demands: int, questions: int) -> Looked:
    """On servers of its own in a folder that is gone afterwards."""
    with temporary_folder() as folder, Stack(folder, parts=("postgres", "temporal"), say=lambda line: None) as stack:
        await asyncio.to_thread(migrate.upgrade, stack.database_url)
        desk = await open_desk(
            Settings.model_validate(
                {
                    "database_url": stack.database_url, "temporal_address": stack.temporal_address,
                    "data_keys": stack.environment()["LINLI_DATA_KEYS"], "dev_token_secret": stack.token_secret,
                }
            )
        )  # fmt: skip
        try:
            return await _measured(desk, texts, demands, questions)
        finally:
            await desk.close()


async def _measured(desk: Desk, texts: Sequence[str], demands: int, questions: int) -> Looked:
    chance = random.Random(SEED)
    numbers = await _filled(desk, texts, demands, chance)
    looked = Looked(demands, questions)
    looked.mark_seconds = await _marked(desk, numbers)
    await desk.pool.execute("analyze")
    person = desk.district.person(SUPERVISOR)
    supervisor = Actor(id=person.id, grants=tuple(person.grants))
    resident = Actor(id="resident-9001", grants=(Grant(role=Role.RESIDENT),))
    for number in chance.sample(numbers, questions):
        draft = _draft(chance.choice(texts), chance.choice(desk.district.compounds))
        for times, asked in (
            (looked.lookup, desk.pool.fetchval("select state from demand where number = $1", number)),
            (looked.of_demand, duplicates.of_demand(desk, supervisor, number)),
            (looked.of_draft, duplicates.of_draft(desk, supervisor, draft)),
            (looked.resident, duplicates.of_draft(desk, resident, draft)),
        ):
            began = perf_counter()
            await asked
            times.append(perf_counter() - began)
    for community in desk.district.communities:
        began = perf_counter()
        await hot_spots.listed(desk, supervisor, community.id, days=30, limit=20)
        looked.hot_spots.append(perf_counter() - began)
    return looked


def _draft(text: str, place: Compound) -> DraftForm:
    return DraftForm(text=text[:20_000], location=Location(compound=place.id))


async def _filled(desk: Desk, texts: Sequence[str], count: int, chance: random.Random) -> list[str]:
    """Demands as intake makes them, of some hundred shapes, then copied under numbers of their own."""
    shapes = await _shapes(desk, texts, chance)
    by_branch: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        by_branch[branch(category_of(desk.district, text, None)[0].code)].append(text)
    now = desk.now()
    numbers: list[str] = []
    connection = await asyncpg.connect(desk.settings.database_url)
    try:
        for start in range(0, count, AT_ONCE):
            copies = [_copy(chance.choice(shapes), n, now, chance) for n in range(start, min(count, start + AT_ONCE))]
            numbers += [one.number for one in copies]
            await connection.copy_records_to_table("demand", records=[_row(d) for d in copies], columns=_COLUMNS)
            words = [_words(desk, d, chance.choice(by_branch[branch(d.category)])) for d in copies]
            await connection.copy_records_to_table("demand_text", records=words, columns=_TEXT_COLUMNS)
            await desk.likenesses.mark([one.number for one in copies])
    finally:
        await connection.close()
    return numbers


async def _shapes(desk: Desk, texts: Sequence[str], chance: random.Random) -> list[Demand]:
    actor = Actor(id="resident-9001", grants=(Grant(role=Role.RESIDENT),))
    numbers = [
        (await submit(desk, actor, SubmitForm(**_draft(chance.choice(texts), place).model_dump()), None)).number
        for place in chance.choices(desk.district.compounds, k=SHAPES)
    ]
    rows = await desk.pool.fetch("select state from demand where number = any($1) and stage <> 'closed'", numbers)
    return [Demand.model_validate_json(row["state"]) for row in rows]


def _copy(shape: Demand, n: int, now: datetime, chance: random.Random) -> Demand:
    at = now - timedelta(seconds=chance.uniform(0, 29 * 86_400))
    return shape.model_copy(update={"number": f"{at + timedelta(hours=8):%Y%m%d}-8{n:06d}", "opened_at": at})


def _row(d: Demand) -> tuple[object, ...]:
    state = d.model_dump_json(exclude_defaults=True)
    return (*row_values(d), d.opened_at, d.opened_at, None, state, "api", "resident-9001")


def _words(desk: Desk, d: Demand, text: str) -> tuple[object, ...]:
    return f"{d.number}.0", d.number, "demand", "resident-9001", d.opened_at, desk.sealer.seal(text, d.number)


async def _marked(desk: Desk, numbers: Sequence[str]) -> float:
    """Seconds for each of some demands, once nothing else is left to be marked."""
    while await desk.likenesses.catch_up():
        pass
    some = list(numbers[:AT_ONCE])
    began = perf_counter()
    await desk.likenesses.mark(some)
    return (perf_counter() - began) / len(some)
