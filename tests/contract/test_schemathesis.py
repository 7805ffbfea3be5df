"""schemathesis over the whole OpenAPI document, all checks, against API and worker as processes on real servers.

Every caller runs the examples and some generated cases of every operation; the long table of edge cases of an operation
(schemathesis' coverage phase) is run by one caller, another one from operation to operation. `python -m bench.fuzz` runs
all of it for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.fuzz import UNLIMITED
from bench.hostility import SKIPPED, Ground, Plan, operation_ids, run
from devstack.stack import Stack

SEED = 20261123
EXAMPLES = 1
"""Generated cases of an operation for each caller, beside its examples."""
CALLERS = ("admin", "supervisor", "integrator", "resident", "reporter", "nobody")


@pytest.fixture(scope="module")
def ground(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A Temporal of its own: meetings and schedules of its worker have the ids that other tests use."""
    folder: Path = tmp_path_factory.mktemp("schemathesis")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        settings = {**UNLIMITED, "LINLI_TASK_QUEUE": "tests-schemathesis"}
        with Stack(folder, port=0, settings=settings, say=lambda line: None) as stack, closing(Ground(stack)) as ground:
            yield ground


def test_only_what_never_ends_is_left_out(ground: Ground) -> None:
    every = {one["operationId"] for methods in ground.document["paths"].values() for one in methods.values()}
    assert every - set(operation_ids(ground.document)) == set(SKIPPED)
    assert [caller.name for caller in ground.callers()] == list(CALLERS)


@pytest.mark.parametrize("name", CALLERS)
async def test_every_operation_keeps_its_word(ground: Ground, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    caller = {one.name: one for one in ground.callers()}[name]
    shares = operation_ids(ground.document)[CALLERS.index(name) :: len(CALLERS)]
    outcome = await asyncio.to_thread(run, ground, caller, [
        Plan(examples=EXAMPLES, seed=SEED, phases=("examples", "fuzzing"), values=ground.values()),
        Plan(examples=1, seed=SEED, phases=("coverage",), operations=frozenset(shares), values=ground.values()),
    ])  # fmt: skip
    with capsys.disabled():
        print(f"\n{outcome}")
    assert not outcome.wrong, "\n".join(outcome.wrong[:20])
    assert len(outcome.operations) == len(operation_ids(ground.document)), "an operation was not asked"
    assert outcome.cases > 2 * len(outcome.operations)
