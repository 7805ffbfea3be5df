"""A client that openapi-python-client makes of the snapshot talks to a real server: submit, act, page, be refused."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from api.openapi import PAGE
from service.tokens import mint
from tests.builders import OPERATOR, TOKEN_SECRET, Product, new_key

NAME = "linli_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that holds the package, as its users would have it."""
    folder = tmp_path_factory.mktemp("client")
    program = "from openapi_python_client.cli import app; app()"
    words = ["generate", "--path", str(PAGE), "--output-path", str(folder / NAME), "--meta", "none", "--config"]
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", program, *words, str(config)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # What no generator of JSON clients takes are pictures and spreadsheets; of JSON nothing may be left out.
    left_out = [
        line for line in done.stdout.splitlines() if "omitted" in line and "Unsupported content_type" not in line
    ]
    assert not left_out and "Unable to" not in done.stdout, done.stdout
    sys.path.insert(0, str(folder))
    yield folder / NAME
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def part(path: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{path}")


class Clients:
    """One for each person, all closed in the end."""

    def __init__(self, url: str) -> None:
        self._url, self._made = url, dict[str, Any]()

    def __call__(self, person: str) -> Any:
        made = part("client").AuthenticatedClient(base_url=self._url, token=mint(TOKEN_SECRET, person))
        return self._made.setdefault(person, made)

    async def close(self) -> None:
        for one in self._made.values():
            await one.get_async_httpx_client().aclose()


@pytest_asyncio.fixture
async def speaking_for(generated: Path, served: str) -> AsyncIterator[Clients]:
    clients = Clients(served)
    yield clients
    await clients.close()


def test_every_operation_became_a_module(generated: Path) -> None:
    modules = [one for one in (generated / "api").glob("*/*.py") if one.name != "__init__.py"]
    assert len(modules) > 150
    # Open311 has clients of its own, and the generator forgets an import where a body of two kinds is optional.
    for one in (one for one in modules if one.parent.name != "open311"):
        part(f"api.{one.parent.name}.{one.stem}")


async def test_it_submits_acts_pages_and_understands_refusals(speaking_for: Clients, product: Product) -> None:
    models = part("models")
    submit, act = part("api.demands.submit_demand"), part("api.demands.act_on_demand")
    read, listing = part("api.demands.read_demand"), part("api.demands.list_demands")
    resident = speaking_for("resident-0001")

    form = models.SubmitForm.from_dict(
        {"text": "楼下路灯坏了", "category": "120101", "location": {"grid": "xuanhualu-01"}}
    )
    key = new_key()
    first = await submit.asyncio_detailed(client=resident, body=form, idempotency_key=key)
    again = await submit.asyncio_detailed(client=resident, body=form, idempotency_key=key)
    assert first.status_code == HTTPStatus.CREATED and isinstance(first.parsed, models.DemandTaken)
    assert again.parsed.number == first.parsed.number and again.headers["idempotency-replayed"] == "true"
    number, worker = first.parsed.number, speaking_for(first.parsed.holder.id)

    refused = await act.asyncio_detailed(number, client=resident, body=models.SimpleForm.from_dict({"type": "accept"}))
    assert refused.status_code == HTTPStatus.FORBIDDEN and isinstance(refused.parsed, models.Problem)
    assert refused.parsed.code == "not_permitted" and refused.parsed.rule
    done = await act.asyncio_detailed(
        number, client=worker, body=models.SimpleForm.from_dict({"type": "accept"}), if_match=f'"{first.parsed.seq}"'
    )
    assert done.status_code == HTTPStatus.OK and done.parsed.clocks["accept"].stopped_at is not None
    late = await act.asyncio_detailed(
        number, client=worker, body=models.SimpleForm.from_dict({"type": "contact"}), if_match=f'"{first.parsed.seq}"'
    )
    assert late.status_code == HTTPStatus.PRECONDITION_FAILED and late.parsed.code == "changed_meanwhile"
    seen = await read.asyncio(number, client=worker)
    assert isinstance(seen, models.DemandView) and seen.seq == done.parsed.seq and seen.due_at.tzinfo is not None

    for n in range(3):
        await submit.asyncio(client=resident, body=form, idempotency_key=f"{key}-{n}")
    operator, found, cursor = speaking_for(OPERATOR), [], part("types").UNSET
    while True:
        page = await listing.asyncio_detailed(client=operator, limit=2, cursor=cursor)
        found += [one.number for one in page.parsed]
        link = page.headers.get("link")
        if link is None:
            break
        cursor = link.partition("cursor=")[2].partition(">")[0]
    assert len(found) == len(set(found)) == 4 and found == sorted(found, reverse=True)
