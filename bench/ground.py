"""The ground a figure is measured on: one fresh stack in a temporary folder, the floors beside it, drivers on top."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench import gauges
from bench.jobs import BareJob, IntakeJob, LivesJob, Report
from devstack import ports
from devstack.errors import StackError
from devstack.program import ROOT, Program
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.district import District
from service.pack import load_pack
from service.tokens import mint

RESIDENTS = [f"resident-{number:04d}" for number in range(9001, 9033)]
BARE_QUEUE = "bare"
_SETTLED_CPU = 0.15  # of one core, all parts together, over a second
_SETTLE_SECONDS = 240.0


class BenchError(Exception):
    """A measurement that means nothing: something refused, was lost, or never came to rest."""


class Ground:
    """Made by `prepared`. Everything it starts is ended with it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.district: District = load_pack(stack.pack, None)
        self._folder = folder
        self._floors: dict[str, Program] = {}
        self._run = uuid4().hex[:8]

    # -- floors --------------------------------------------------------------------------------------------------

    def start_bare_intake(self, sample: str) -> int:
        """The bare endpoint, as uvicorn serves the API; returns its port."""
        port = ports.free_port()
        words = ["-m", "uvicorn", "bench.bare_intake:app", "--host", "127.0.0.1", "--port", str(port)]
        self._start("bare API", [*words, "--no-access-log", "--log-level", "warning"], {"SAMPLE": sample})
        until = time.monotonic() + 60
        while not ports.answers(port, seconds=0.5):
            if time.monotonic() > until or self._floors["bare API"].pid is None:
                raise self._floors["bare API"].failure()
            time.sleep(0.1)
        return port

    def start_bare_worker(self) -> None:
        self._start("bare worker", ["-m", "bench.bare_worker", BARE_QUEUE], {})

    def _start(self, name: str, words: list[str], more: dict[str, str]) -> None:
        env = {**self.stack.environment(), **more}
        program = Program(name, words, env, self._folder / f"{name.replace(' ', '-')}.log", grace_seconds=10)
        self._floors[name] = program
        program.start()

    def stop_floors(self) -> None:
        for floor in self._floors.values():
            floor.stop()

    # -- drivers -------------------------------------------------------------------------------------------------

    async def drive(self, job: IntakeJob | LivesJob | BareJob) -> Report:
        """In a process of its own, so that the client's work is not counted as the server's."""
        module = "bench.bare_client" if isinstance(job, BareJob) else "bench.load"
        driver = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            out, _ = await driver.communicate(job.model_dump_json().encode())
        finally:
            if driver.returncode is None:
                driver.kill()
                await driver.wait()
        if driver.returncode != 0:
            raise BenchError(f"The driver {module} ended with code {driver.returncode}; its words stand above.")
        report = Report.model_validate_json(out)
        if report.refused:
            raise BenchError(f"Not everything was taken, so the figure means nothing: {report.refused}")
        return report

    def intake_job(self, port: int, *, lanes: int, seconds: float, most: int | None = None) -> IntakeJob:
        return IntakeJob(
            host="127.0.0.1", port=port, lanes=lanes, seconds=seconds, most=most,
            tokens=[self.token(one) for one in RESIDENTS], bodies=self.bodies(),
        )  # fmt: skip

    def lives_job(self, *, lanes: int, demands: int) -> LivesJob:
        everyone = [person.id for person in self.district.people] + RESIDENTS
        return LivesJob(
            host="127.0.0.1", port=self.api_port, lanes=lanes, demands=demands, reporters=RESIDENTS,
            tokens={one: self.token(one) for one in everyone}, bodies=self.bodies(),
        )  # fmt: skip

    def bare_job(self, *, lanes: int, cases: int, step: bool) -> BareJob:
        return BareJob(
            address=self.stack.temporal_address, task_queue=BARE_QUEUE, prefix=f"bare-{uuid4().hex[:12]}",
            lanes=lanes, cases=cases, step=step,
        )  # fmt: skip

    def token(self, person: str) -> str:
        return mint(self.stack.token_secret, person)

    def bodies(self) -> list[str]:
        """Demands that a grid worker can finish without verification, from compounds all over the district."""
        plain = (c for c in self.district.categories if c.handling_level == "grid" and c.verification == "none")
        leaf = next(plain)
        compounds = self.district.compounds[:: max(1, len(self.district.compounds) // 64)]
        return [
            json.dumps({
                "text": f"{place.name}3号楼前的垃圾已经三天没有清运，天热气味很重，请尽快派人处理，谢谢。",
                "category": leaf.code, "channel": "resident",
                "location": {"compound": place.id, "building": "3", "room": "402"},
                "reporter": {"name": "王晓梅", "phone": "13800000000"},
            }, ensure_ascii=False)
            for place in compounds
        ]  # fmt: skip

    # -- watching ------------------------------------------------------------------------------------------------

    @property
    def api_port(self) -> int:
        return int(self.stack.url.rpartition(":")[2])

    def pids(self) -> dict[str, int]:
        floors = {name: floor.pid for name, floor in self._floors.items()}
        return {name: pid for name, pid in {**self.stack.pids, **floors}.items() if pid is not None}

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(self.stack.database_url)

    async def settle(self) -> float:
        """Wait until every accepted demand is started and all parts are at rest; returns the seconds it took.

        Without this the work that one pass leaves behind would be paid by the next.
        """
        began = time.monotonic()
        connection = await self.connect()
        try:
            while True:
                before = sum(gauges.cpu_seconds(self.pids()).values())
                await asyncio.sleep(1)
                busy = sum(gauges.cpu_seconds(self.pids()).values()) - before
                waiting = await connection.fetchval("select count(*) from public.outbox")
                if not waiting and busy < _SETTLED_CPU:
                    return time.monotonic() - began
                if time.monotonic() - began > _SETTLE_SECONDS:
                    raise BenchError(
                        f"Not at rest after {_SETTLE_SECONDS:.0f} s: {waiting} starts wait, CPU {busy:.2f}."
                    )
        finally:
            await connection.close()


@contextmanager
def prepared() -> Iterator[Ground]:
    """A fresh stack with nothing in it; the folder is gone afterwards."""
    with temporary_folder() as folder, Stack(folder, port=0, say=lambda line: None) as stack:
        ground = Ground(stack, folder)
        try:
            yield ground
        except StackError as broken:
            raise BenchError(str(broken)) from broken
        finally:
            ground.stop_floors()
