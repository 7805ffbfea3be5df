"""The receiver of docs/how-to/webhooks.md runs as it stands there, takes what is signed and refuses what is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from devstack.ports import free_port
from domain.outgoing import OUTGOING, TYPES
from gateways.webhooks.signing import headers, new_secret

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "webhooks.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
SECRET = new_secret()


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port)], env={**os.environ, "SECRET": SECRET}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    for _ in range(200):
        try:
            httpx2.get(url)
            break
        except httpx2.ConnectError:
            time.sleep(0.05)
    yield url, process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_it_takes_what_is_signed_and_nothing_else(receiver: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = receiver
    body, now = EXAMPLE.encode(), int(time.time())
    right = headers([new_secret(), SECRET], "x", now, body)
    assert httpx2.post(url, headers=right, content=body).status_code == 204
    assert process.stdout is not None
    assert process.stdout.readline() == "linli.demand.resolved 20261123-000042 000007\n"
    for wrong in (
        headers([new_secret()], "x", now, body),
        headers([SECRET], "x", now - 3600, body),
        {**right, "webhook-id": "y"},
        {**right, "webhook-timestamp": str(now + 1)},
    ):
        assert httpx2.post(url, headers=wrong, content=body).status_code == 401
    assert httpx2.post(url, headers=right, content=body + b" ").status_code == 401


def test_the_page_speaks_of_types_that_there_are() -> None:
    named = set(re.findall(r"linli\.[a-z]+\.[a-z_]+", PAGE))
    assert len(named) > 3
    assert named <= set(TYPES)
    event = json.loads(EXAMPLE)
    assert set(OUTGOING["resolved"].names) <= set(event["data"])
