"""Health, metrics, request ids, documents, and one run under a real server."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from api.problems import PROBLEMS
from api.strict_json import StrictRoute
from runtime.metrics import Instrumented
from tests.api.plumbing_app import client_of, toy_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(toy_app()) as client:
        yield client


async def test_healthz_says_only_that_the_process_lives(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_readyz_names_what_is_missing() -> None:
    app = toy_app()
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        app.state.desk.state["temporal"] = "no answer within 1 s"
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"postgresql": "ok", "temporal": "no answer within 1 s"}
    assert answer.headers["retry-after"] == "2"


async def test_version_is_that_of_the_project() -> None:
    async with client_of(toy_app(commit="abc123")) as client:
        answer = (await client.get("/version")).json()
    assert answer["name"] == "linli"
    assert answer["commit"] == "abc123"
    assert f'version = "{answer["version"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "echoed"),
    [("abc-1._Z", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a;b", False), ("", False)],
)
async def test_request_id_is_echoed_when_sane_and_made_otherwise(
    client: httpx2.AsyncClient, given: str, echoed: bool
) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is echoed
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])


async def test_made_request_ids_differ(client: httpx2.AsyncClient) -> None:
    ids = {(await client.get("/healthz")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


async def test_traceparent_is_passed_through_when_valid(client: httpx2.AsyncClient) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert (await client.get("/healthz", headers={"traceparent": parent})).headers["traceparent"] == parent
    for bad in ("x", parent + "0", "00-" + "0" * 32 + "-b7ad6b7169203331-01"):
        assert "traceparent" not in (await client.get("/healthz", headers={"traceparent": bad})).headers


def _samples(text: str, name: str) -> dict[tuple[str, str, str], float]:
    pattern = re.compile(rf'^{name}{{method="(.*?)",route="(.*?)",status="(.*?)"}} (\S+)$', re.MULTILINE)
    return {(m, r, s): float(v) for m, r, s, v in pattern.findall(text)}


async def test_metrics_count_by_full_template_method_and_class(client: httpx2.AsyncClient) -> None:
    for url in ("/api/v1/things/1", "/api/v1/things/2", "/api/v1/broken", "/wp-login.php", "/.env", "/healthz"):
        await client.get(url)
    await client.post("/api/v1/things", content=b"{", headers={"Content-Type": "application/json"})
    await client.request("BREW", "/api/v1/things")
    await client.put("/api/v1/things/1")
    text = (await client.get("/metrics")).text
    counted = _samples(text, "linli_http_requests_total")
    assert counted == {
        ("GET", "/api/v1/things/{number}", "4xx"): 2,
        ("GET", "/api/v1/broken", "5xx"): 1,
        ("GET", "unmatched", "4xx"): 2,
        ("GET", "/healthz", "2xx"): 1,
        ("POST", "/api/v1/things", "4xx"): 1,
        ("other", "/api/v1/things", "4xx"): 1,
        ("PUT", "/api/v1/things/{number}", "4xx"): 1,
    }
    assert _samples(text, "linli_http_request_seconds_count") == counted
    assert "linli_http_in_flight 1.0" in text  # the request that asks


async def test_every_route_is_labelled_with_its_full_path() -> None:
    app = toy_app()
    async with client_of(app) as client:
        await client.get("/healthz")
        instrumented: Any = app.middleware_stack
        while not isinstance(instrumented, Instrumented):
            instrumented = instrumented.app
        for context in iter_route_contexts(app.routes):
            scope = {"route": context.original_route, "app": app}
            assert instrumented.template(scope) == context.path_format


async def test_every_route_is_strict() -> None:
    routes = [c.original_route for c in iter_route_contexts(toy_app().routes)]
    assert routes
    assert all(isinstance(r, StrictRoute) for r in routes if isinstance(r, APIRoute))


async def test_openapi_is_stable_and_declares_problems(client: httpx2.AsyncClient) -> None:
    schema: dict[str, Any] = (await client.get("/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    operations = {(p, m): o for p, ms in schema["paths"].items() for m, o in ms.items()}
    assert operations["/api/v1/things", "post"]["operationId"] == "create_thing"
    ids = [o["operationId"] for o in operations.values()]
    assert len(ids) == len(set(ids))
    for operation in operations.values():
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    create = operations["/api/v1/things", "post"]
    assert {"400", "413", "415", "422"} <= create["responses"].keys()
    assert create["requestBody"]["content"].keys() == {"application/json"}
    assert "401" in operations["/api/v1/me", "get"]["responses"]
    assert operations["/api/v1/me", "get"]["security"] == [{"bearer": []}]
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert set(schema["components"]["schemas"]["Problem"]["properties"]["code"]["x-known"]) == set(PROBLEMS)


@pytest.mark.parametrize("path", ["/docs/operations", "/docs/errors", "/docs/static/docs.js", "/docs/static/docs.css"])
async def test_docs_load_nothing_from_outside_and_run_nothing_inline(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert not re.search(r"https?:|//[a-z]+\.|<script>|\son\w+=|<style", answer.text)
    for link in re.findall(r'(?:src|href)="([^"#]+)"', answer.text):
        assert (await client.get(link)).status_code == 200


async def test_the_type_of_every_problem_leads_to_its_line(client: httpx2.AsyncClient) -> None:
    page = (await client.get("/docs/errors")).text
    assert all(f'id="{code}"' in page for code in PROBLEMS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The toy application under uvicorn, as a process of its own."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.api.plumbing_app:served_app"]
    process = subprocess.Popen(
        [*command, "--port", str(port)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert "13812345678" not in output
    assert "张三" not in output
    assert "searchmark" not in output
    assert '"event": "request_failed"' in output
    assert "desk closed" in output


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {process.poll()}")


async def test_a_real_server_answers_the_same(server: str) -> None:
    async with httpx2.AsyncClient(base_url=server) as client:
        assert (await client.get("/readyz")).status_code == 200
        made = await client.post("/api/v1/things", json={"text": "路灯坏了"})
        assert (made.status_code, made.json()["text"]) == (201, "路灯坏了")
        broken = await client.get("/api/v1/broken?q=searchmark")
        assert (broken.status_code, broken.json()["code"]) == (500, "internal")
        assert (await client.get("/api/v1/things/a%00b")).status_code == 404
        assert (await client.get("/api/v1/lost")).status_code == 503
        deep = await client.post("/api/v1/things", content=b"[" * 4_000, headers={"Content-Type": "application/json"})
        assert deep.json()["code"] == "nested_too_deep"
        assert 'route="/api/v1/things"' in (await client.get("/metrics")).text


async def test_a_real_server_answers_20_mb_with_413_and_goes_on(server: str) -> None:
    async with httpx2.AsyncClient(base_url=server, timeout=30) as client:
        headers = {"Content-Type": "application/json"}

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(320):
                yield b" " * 65_536

        declared = await client.post("/api/v1/things", content=b" " * 20_971_520, headers=headers)
        streamed = await client.post("/api/v1/things", content=chunks(), headers=headers)
        assert (declared.status_code, declared.json()["code"]) == (413, "body_too_large")
        assert (streamed.status_code, streamed.json()["code"]) == (413, "body_too_large")
        assert (await client.get("/healthz")).status_code == 200


async def test_a_client_that_hangs_up_mid_body_is_no_error(server: str) -> None:
    port = int(server.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /api/v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with httpx2.AsyncClient(base_url=server) as client:
        for _ in range(100):
            text = (await client.get("/metrics")).text
            if 'linli_http_requests_total{method="POST",route="/api/v1/things",status="4xx"}' in text:
                break
            await asyncio.sleep(0.02)
        assert 'method="POST",route="/api/v1/things",status="5xx"' not in text


def _started(environment: dict[str, str], target: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uvicorn", "--factory", target, "--port", str(_free_port())]
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_a_server_without_settings_says_so_in_a_sentence_each() -> None:
    ended = _started({"DATABASE_URL": "mysql://hunter2@h/db"}, "api.app:create_app")
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
    lines = [line.split()[0] for line in ended.stderr.splitlines() if line.startswith(("DATABASE", "LINLI"))]
    assert lines == ["DATABASE_URL", "LINLI_DATA_KEYS"]


def test_a_server_with_a_broken_pack_names_file_key_and_remedy() -> None:
    ended = _started({}, "tests.api.plumbing_app:broken_app")
    assert ended.returncode != 0
    assert "sla.toml: classes.ordinary: is missing. Add it" in ended.stderr
