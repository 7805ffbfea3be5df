"""Real servers for the tests that need them: one PostgreSQL and one Temporal a run, a database of its own per module."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings
from pytest_socket import socket_allow_hosts
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from contracts import names
from devstack.postgres import Postgres
from devstack.reset import temporary_folder
from devstack.temporal import find_program
from store import migrate

# A busy machine makes any example slow; tests never judge by seconds.
settings.register_profile("linli", deadline=None)
settings.load_profile("linli")

LOOPBACK = ["127.0.0.1", "localhost", "::1"]
# A test's database may be lost with its machine; waiting for the disk would only make the run longer.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
TEMPLATE = "linli_template"
TEMPORAL_SETTINGS = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="10ms"',
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
SEARCH_ATTRIBUTES = [
    names.STAGE, names.COMMUNITY, names.GRID, names.UNIT, names.CATEGORY, names.CLOCK, names.DUE,
]  # fmt: skip


def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """The SDK's native threads may abort an interpreter that ends normally, after every test has passed."""
    code = yield
    in_xdist = "PYTEST_XDIST_WORKER" in os.environ or getattr(config.option, "numprocesses", None)
    if "temporalio.bridge.client" in sys.modules and not in_xdist:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code or 0))
    return code


def _apart(work: Callable[[], None]) -> None:
    """Run what starts an event loop of its own, away from the loop of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server, with a migrated database to clone."""
    with temporary_folder() as folder:
        server = Postgres(folder / "cluster", settings=UNSAFE_BUT_FAST)
        server.start()
        try:
            _run(server, f"create database {TEMPLATE}")
            _apart(lambda: migrate.upgrade(server.url_of(TEMPLATE)))
            yield server
        finally:
            server.stop()


def _run(server: Postgres, statement: str) -> None:
    done = server.psql("postgres", statement)
    assert done.returncode == 0, done.stderr


_databases = count(1)


@pytest.fixture(scope="session")
def new_database(postgres: Postgres) -> Callable[..., str]:
    """Makes a database and returns its address: a clone of the migrated one, or an empty one."""

    def make(*, empty: bool = False) -> str:
        n = next(_databases)
        _run(postgres, f"create database test_{n} template {'template0' if empty else TEMPLATE}")
        if not empty:  # the databases share one Temporal, where a number is the id of a workflow
            started = postgres.psql(f"test_{n}", f"alter sequence demand_number restart with {n * 10_000}")
            assert started.returncode == 0, started.stderr
        return postgres.url_of(f"test_{n}")

    return make


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str]) -> str:
    return new_database()


@contextlib.asynccontextmanager
async def temporal_server(*settings: str) -> AsyncIterator[WorkflowEnvironment]:
    """A real server with a clock of its own per workflow, which only `fast_forward` moves."""
    flags = [word for one in (*TEMPORAL_SETTINGS, *settings) for word in ("--dynamic-config-value", one)]
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False), data_converter=pydantic_data_converter,
        dev_server_existing_path=find_program(), dev_server_log_level="error", dev_server_extra_args=flags,
        search_attributes=SEARCH_ATTRIBUTES,
    )  # fmt: skip
    try:
        yield environment
    finally:
        await environment.shutdown()


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with temporal_server() as environment:
        yield environment


@pytest.fixture(scope="session")
def temporal_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([find_program(), *words], capture_output=True, text=True, timeout=30, check=False)

    return run


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).parent.parent
