"""The curl lines of docs/how-to/integrate.md do what the page says, one after the other, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from service.tokens import mint
from tests.builders import INTEGRATOR, TOKEN_SECRET, Product, running_product
from tests.contract.conftest import served

__all__ = ["served"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "integrate.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
BETWEEN = "printf '\\n-- next --\\n'\n"


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str) -> AsyncIterator[Product]:
    async with running_product(temporal, database, webhook_allow="127.0.0.0/8") as running:
        yield running


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page is about curl")
async def test_the_page_does_what_it_says(served: str, tmp_path: Path) -> None:
    script = "set -eu\n" + BETWEEN.join(BLOCKS)
    settings = {"URL": served, "TOKEN": mint(TOKEN_SECRET, INTEGRATOR), "RECEIVER": "http://127.0.0.1:9/linli"}
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, cwd=tmp_path, env={**os.environ, **settings, "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    assert process.returncode == 0, (out + errors).decode()
    parts = [part.strip() for part in out.decode().split("-- next --")]
    assert len(parts) == len(BLOCKS) == 7

    def saved(name: str) -> Any:
        return json.loads((tmp_path / name).read_text(encoding="utf-8"))

    key, submit, found, looked, refused, told, pulled = parts
    assert (key, submit) == ("", "") and saved("key.json")["secret"].startswith("linli_")
    number = saved("demand.json")["number"]
    assert [one["number"] for one in json.loads(found)] == [number]
    assert looked.endswith("304") and json.loads(looked.removesuffix("304"))["number"] == number
    problem = json.loads(refused)
    assert problem["status"] == 403 and problem["rule"] and problem["facts"]
    assert saved("webhook.json")["secret"].startswith("whsec_")
    ping, deliveries = (json.loads(line) for line in re.split(r"(?<=\})(?=\[)", told))
    assert ping["id"] == saved("webhook.json")["id"] and isinstance(deliveries, list)
    assert isinstance(json.loads(pulled), list)


def test_what_the_page_links_to_is_there() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "how-to"
    links = re.findall(r"\]\(([\w./-]+\.md)\)", PAGE)
    assert len(links) >= 4 and [one for one in links if not (folder / one).is_file()] == []
