"""`python -m bench.rates_year --demands 5000`: a simulated year, its figures kept, and every one of them counted twice.

Servers of its own in a folder that is gone afterwards. Ends with 1 where a figure differs from the oracle's.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random
from time import perf_counter

from bench.rates_year.compare import Outcome, compare_kept, compare_live, compare_traces, read_logs
from bench.rates_year.leaving_out import leave_out
from bench.rates_year.life import year_of_lives
from bench.rates_year.oracle import Oracle
from bench.rates_year.tell import follow
from bench.rates_year.town import Town
from bench.rates_year.writing import write
from devstack.reset import temporary_folder
from devstack.stack import DEFAULT_CALENDAR, DEFAULT_PACK, Stack
from domain.actors import Actor
from domain.kpi_words import figures_of
from runtime.settings import Settings
from service import rate_months
from service.desk import Desk, open_desk
from service.rates import Days, definition_of
from store import migrate

SHARE_EXCLUDED = 0.05


@contextmanager
def _servers() -> Iterator[Settings]:
    with temporary_folder() as folder, Stack(folder, parts=("postgres", "temporal"), say=lambda line: None) as stack:
        migrate.upgrade(stack.database_url)
        yield Settings.model_validate(
            {
                "database_url": stack.database_url, "temporal_address": stack.temporal_address, "task_queue": "rates-year",
                "data_keys": "k1:" + base64.b64encode(b"k" * 32).decode(), "db_pool_max": 10,
            }
        )  # fmt: skip


def _tell(line: str) -> None:
    print(line, flush=True)


async def _run(settings: Settings, given: argparse.Namespace) -> Outcome:
    desk = await open_desk(settings)
    try:
        after = datetime(given.year + 1, 4, 1, tzinfo=UTC)
        desk.now = lambda: after  # type: ignore[method-assign]
        began = perf_counter()
        lives = list(year_of_lives(Town(desk, Random(given.seed)), given.year, given.demands, after))
        _tell(
            f"{given.demands} lives in {perf_counter() - began:.0f} s; {sum(x.demand.sealed for x in lives)} have come to an end"
        )
        began = perf_counter()
        demands, events = await write(desk, lives)
        del lives
        _tell(f"{demands} demands with {events} events written in {perf_counter() - began:.0f} s")
        return await _compared(desk, given)
    finally:
        await desk.close()


async def _compared(desk: Desk, given: argparse.Namespace) -> Outcome:
    outcome, logs = Outcome(), await read_logs(desk)
    supervisor = _supervisor(desk)
    book = tomllib.loads((DEFAULT_PACK / "rates.toml").read_text("utf-8"))
    months = [date(given.year, month, 1) for month in range(1, 13)]
    for rules in book["definitions"]:
        oracle, version = Oracle(DEFAULT_PACK, DEFAULT_CALENDAR, rules, logs), rules["version"]
        for month in months:
            began = perf_counter()
            view, _ = await rate_months.keep(desk, supervisor, f"{month:%Y-%m}", version)
            seconds = perf_counter() - began
            await compare_kept(desk, oracle, month, version, outcome)
            _tell(
                f"{month:%Y-%m} by {version}: {view['figures']} figures kept in {seconds:.1f} s, {len(outcome.wrong)} wrong"
            )
    oracle = Oracle(DEFAULT_PACK, DEFAULT_CALENDAR, book["definitions"][0], logs)
    await _excluded(desk, supervisor, oracle, months, given.seed, outcome)
    return outcome


async def _excluded(
    desk: Desk, supervisor: Actor, oracle: Oracle, months: list[date], seed: int, outcome: Outcome
) -> None:
    """Exclusions, a second computation of each month, live answers, and every figure of a month down to its events."""
    version = str(oracle.rules["version"])
    for month in months:
        counting = await leave_out(desk, oracle, month, Random(seed + month.month), SHARE_EXCLUDED)
        await rate_months.recompute(desk, supervisor, f"{month:%Y-%m}", version, "核减批准后重算", None)
        await compare_kept(desk, oracle, month, version, outcome)
        _tell(f"{month:%Y-%m} anew with {counting} exclusions: {len(outcome.wrong)} wrong")
    for view in [await rate_months.check(desk, supervisor, f"{m:%Y-%m}", None) for m in months]:
        if not view["agrees"]:
            outcome.wrong.append(f"{view['month']}: a check does not agree with what is kept")
    for days in (Days.of_month(f"{months[4]:%Y-%m}"), Days(months[7].replace(day=20), months[9].replace(day=11))):
        await compare_live(desk, oracle, days, version, outcome)
    traced = [f for f in figures_of(definition_of(desk, version)) if f != "composite"]
    await compare_traces(desk, oracle, supervisor, f"{months[5]:%Y-%m}", version, traced, outcome)
    _tell(f"{months[5]:%Y-%m}: {len(traced)} figures traced to {outcome.traced} events")
    for line in await follow(desk, supervisor, oracle, f"{months[5]:%Y-%m}", version):
        _tell(line)


def _supervisor(desk: Desk) -> Actor:
    person = desk.district.person(desk.staffing.supervisor)
    return Actor(id=person.id, grants=tuple(person.grants))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rates_year", description=__doc__)
    parser.add_argument("--demands", type=int, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="the same seed makes the same year")
    parser.add_argument("--year", type=int, default=2026, metavar="YEAR", help="default: %(default)s")
    given = parser.parse_args()
    with _servers() as settings:
        outcome = asyncio.run(_run(settings, given))
    _tell(f"{outcome.counted} figures equal the oracle's, {len(outcome.wrong)} do not")
    for line in outcome.wrong[:20]:
        print(line, file=sys.stderr)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
