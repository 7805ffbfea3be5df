"""The production shape run natively: the image's files, and the file's commands and environments, against real servers.

What an engine adds (namespaces, users, limits) is not here; what it would start, with what, and how that ends, is.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from contracts.names import SEARCH_ATTRIBUTES
from devstack import ports
from devstack.postgres import Postgres
from devstack.reset import temporary_folder
from devstack.temporal import Temporal
from service.tokens import mint
from tests.deploy import compose
from tests.deploy.machine import GIVEN, PATIENCE, TOKEN_SECRET, Machine, run
from web import assets

SUPERVISOR = "p-0002"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with temporary_folder() as folder:
        yield from _machine(folder)


def _machine(folder: Path) -> Iterator[Machine]:
    compose.lay_out_image(folder / "image")
    temporal = Temporal(folder / "temporal", search_attributes={})
    postgres = Postgres(folder / "postgres", settings={"fsync": "off", "synchronous_commit": "off"})
    with ExitStack() as stack:
        stack.callback(temporal.stop)
        temporal.launch()
        stack.callback(postgres.stop)
        postgres.start()
        temporal.await_ready()
        yield Machine(folder / "image", postgres, temporal, ports.free_port())


def test_a_signal_reaches_the_program_because_the_entrypoint_becomes_it(machine: Machine) -> None:
    unknown = run([machine.command("api")[0], "sh"], machine.environment("api"))
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "worker" in unknown.stderr


def test_a_missing_setting_ends_the_program_with_a_sentence(machine: Machine) -> None:
    for service in ("api", "worker"):
        environment = machine.environment(service)
        del environment["LINLI_DATA_KEYS"]
        ended = run(machine.command(service), environment)
        assert ended.returncode == 2
        assert ended.stderr.startswith("LINLI_DATA_KEYS is not set.")


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Where the programs write; pytest shows the ends of the files when a test fails."""
    yield tmp_path
    for log in sorted(tmp_path.glob("*.log")):
        print(f"--- {log.name}", log.read_text(errors="replace")[-2000:], sep="\n")


def test_from_an_empty_server_to_a_clean_drain(machine: Machine, logs: Path) -> None:
    make_roles(machine)
    make_namespace(machine)
    migrate(machine)
    before = files(machine.root)
    with ExitStack() as stack:
        worker = start(stack, machine, "worker", logs)
        api = start(stack, machine, "api", logs)
        until(lambda: ready(machine), api, worker)
        assert "worker.py" in " ".join(psutil.Process(worker.pid).cmdline())
        assert "serve_api.py" in " ".join(psutil.Process(api.pid).cmdline())
        until(lambda: machine.healthy("worker").returncode == 0, worker)
        assert machine.healthy("api").returncode == 0
        assert machine.healthy("worker", LINLI_TASK_QUEUE="nobody-polls-here").returncode == 1

        a_demand_lives(machine)
        a_page_is_whole(machine)
        answer = drain_with_a_request_under_way(machine, api)
        assert answer.startswith(b"HTTP/1.1 201 "), answer
        worker.terminate()
        assert worker.wait(compose.seconds(compose.services(GIVEN)["worker"]["stop_grace_period"])) == 0
        assert machine.healthy("api").returncode != 0
    assert files(machine.root) == before  # the image's file system is read-only


def make_roles(machine: Machine) -> None:
    """The init script on a server as the postgres image leaves it: one administrator, no tenant yet."""
    server = machine.postgres
    made = server.psql("postgres", f"create role postgres superuser login password '{GIVEN['POSTGRES_PASSWORD']}'")
    assert made.returncode == 0, made.stderr
    there = urlsplit(server.url)
    as_administrator = {
        "PGHOST": str(there.hostname),
        "PGPORT": str(there.port),
        "PGPASSWORD": GIVEN["POSTGRES_PASSWORD"],
    }
    emptied = run(
        [
            *("psql", "-X", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres"),
            *("-c", "drop database linli", "-c", "alter role linli rename to first_administrator"),
        ],
        {**machine.environment("postgres"), **as_administrator},
    )
    assert emptied.returncode == 0, emptied.stderr
    for _ in range(2):  # the second time changes nothing
        done = machine.script("postgres", **as_administrator)
        assert (done.returncode, done.stderr) == (0, "")
    assert (
        query(machine, "linli", "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = user")
        == "f"
    )
    assert "permission denied" in query(machine, "temporal", "select 1")


def query(machine: Machine, database: str, statement: str) -> str:
    """What the role of the product sees."""
    address = machine.environment("migrate")["DATABASE_URL"].rpartition("/")[0] + f"/{database}"
    done = run(["psql", "-X", "-A", "-t", "-c", statement, address], machine.environment("migrate"))
    return (done.stdout or done.stderr).strip()


def make_namespace(machine: Machine) -> None:
    for _ in range(2):
        done = machine.script("temporal-namespace")
        assert done.returncode == 0, done.stderr
    namespace = machine.environment("temporal-namespace")["TEMPORAL_NAMESPACE"]
    listed = run(
        [
            "temporal",
            "operator",
            "search-attribute",
            "list",
            "--namespace",
            namespace,
            "--address",
            machine.temporal.address,
        ],
        machine.environment("temporal-namespace"),
    )
    found = dict(line.split()[:2] for line in listed.stdout.splitlines() if len(line.split()) == 2)
    assert SEARCH_ATTRIBUTES.items() <= found.items()


def migrate(machine: Machine) -> None:
    for _ in range(2):
        done = run(machine.command("migrate"), machine.environment("migrate"))
        assert done.returncode == 0, done.stderr
    assert query(machine, "linli", "select count(*) from demand") == "0"


def start(stack: ExitStack, machine: Machine, service: str, logs: Path) -> subprocess.Popen[bytes]:
    log = stack.enter_context((logs / f"{service}.log").open("wb"))
    program = subprocess.Popen(
        machine.command(service),
        env=machine.environment(service),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    stack.callback(end, program)
    return program


def end(program: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)  # also what an entrypoint that did not become the program left
    program.wait(5)


def until(true: Any, *programs: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert [program.poll() for program in programs] == [None] * len(programs), "a program ended"
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def ready(machine: Machine) -> bool:
    try:
        return httpx2.get(f"{machine.url}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def call(machine: Machine, person: str, method: str, path: str, body: object = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {mint(TOKEN_SECRET, person)}", "Idempotency-Key": secrets.token_hex(16)}
    return httpx2.request(method, f"{machine.url}/api/v1{path}", headers=headers, json=body, timeout=PATIENCE)


def demand_body(machine: Machine) -> dict[str, object]:
    grids = call(machine, SUPERVISOR, "GET", "/grids").json()
    grid = (grids["items"] if isinstance(grids, dict) else grids)[0]
    return {"text": "楼道的灯坏了三天", "location": {"grid": grid["id"]}, "channel": "resident"}


def a_demand_lives(machine: Machine) -> None:
    posted = call(machine, "resident-0001", "POST", "/demands", demand_body(machine))
    assert posted.status_code == 201, posted.text
    number = posted.json()["number"]
    seen = call(machine, SUPERVISOR, "GET", f"/demands/{number}").json()
    accepted = call(machine, seen["holder"]["id"], "POST", f"/demands/{number}/actions", {"type": "accept"})
    assert accepted.status_code == 200, accepted.text
    strong = call(machine, SUPERVISOR, "GET", f"/demands/{number}?consistency=strong").json()
    assert strong["seq"] == accepted.json()["seq"] > posted.json()["seq"]


def a_page_is_whole(machine: Machine) -> None:
    """With everything that it names, ours and what the image's stage `pages` brings."""
    page = httpx2.get(f"{machine.url}/sign-in", timeout=PATIENCE)
    assert page.status_code == 200, page.text
    named = {*re.findall(r'"(/assets/[^"#]+)"', page.text), assets.url("icons.svg"), assets.url("echarts.js")}
    assert len(named) > 4
    found = {one: httpx2.get(machine.url + one, timeout=PATIENCE).status_code for one in named}
    assert set(found.values()) == {200}, found


def drain_with_a_request_under_way(machine: Machine, api: subprocess.Popen[bytes]) -> bytes:
    """Half a request, SIGTERM, the other half: the answer, after which the API has ended by itself with code 0."""
    body = httpx2.Request("POST", machine.url, json=demand_body(machine)).content
    head = (
        f"POST /api/v1/demands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {mint(TOKEN_SECRET, 'resident-0002')}\r\nIdempotency-Key: {secrets.token_hex(16)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", machine.port), timeout=PATIENCE) as connection:
        connection.sendall(head + body[:10])
        until(lambda: in_flight(machine) > 1, api)  # the asking request is one itself
        api.terminate()
        until(lambda: not listening(machine))
        connection.sendall(body[10:])
        answer = connection.recv(65_536)
    assert api.wait(compose.seconds(compose.services(GIVEN)["api"]["stop_grace_period"])) == 0
    return answer


def in_flight(machine: Machine) -> float:
    lines = httpx2.get(f"{machine.url}/metrics", timeout=PATIENCE).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("linli_http_in_flight ")))


def listening(machine: Machine) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", machine.port)) == 0


def files(root: Path) -> set[Path]:
    return set(root.rglob("*"))
