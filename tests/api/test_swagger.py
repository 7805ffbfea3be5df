"""/docs is Swagger UI from our own files where they are installed, and the plain list where they are not."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from api import swagger
from tests.api.plumbing_app import client_of, toy_app

PYPROJECT = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    swagger.installed.cache_clear()
    async with client_of(toy_app()) as client:
        yield client
    swagger.installed.cache_clear()


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same layout, in front of the real one."""
    resources = tmp_path / swagger.WHEEL / "resources"
    resources.mkdir(parents=True)
    (resources.parent / "__init__.py").write_text("", encoding="utf-8")
    (resources / "swagger-ui-bundle.js").write_text("var SwaggerUIBundle;", encoding="utf-8")
    (resources / "swagger-ui.css").write_text("p { color: red }", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, swagger.WHEEL, raising=False)
    return resources


async def test_the_page_loads_its_parts_from_here_and_runs_nothing_inline(
    wheel: Path, client: httpx2.AsyncClient
) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "script-src" not in page.headers["content-security-policy"], "scripts are under default-src 'self'"
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert not re.search(r"https?:|<script>|<style|\son\w+=", page.text)
    parts = re.findall(r'(?:src|href)="(/docs/static/[^"]+)"', page.text)
    assert len(parts) == 4
    for part in parts:
        answer = await client.get(part)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff", part
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))


async def test_nothing_else_of_the_folders_is_served(wheel: Path, client: httpx2.AsyncClient) -> None:
    (wheel / "other.js").write_text("x", encoding="utf-8")
    for name in ("other.js", "..%2f__init__.py", "%2e%2e", "examples.json", "resident.js"):
        assert (await client.get(f"/docs/static/{name}")).status_code == 404, name


async def test_without_the_wheel_there_is_the_plain_list(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swagger, "find_spec", lambda _: None)
    assert (await client.get("/docs")).headers["location"] == "/docs/operations"
    assert (await client.get("/docs/static/swagger-ui.css")).status_code == 404
    assert (await client.get("/docs/operations")).status_code == 200


@pytest.mark.skipif("fastapi-swagger" not in PYPROJECT, reason="the wheel is not among the dependencies")
async def test_the_wheel_that_is_installed_has_the_files(client: httpx2.AsyncClient) -> None:
    bundle = (await client.get("/docs/static/swagger-ui-bundle.js")).text
    assert len(bundle) > 1_000_000 and "oas31" in bundle.lower(), "it must read OpenAPI 3.1"
