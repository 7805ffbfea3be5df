"""The pages in real Chromium over the real stack; every test fails for what the browser complains about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from devstack.process import tail
from tests.web import looking
from tests.web.browsing import DESK, PHONE, Windows, chromium
from tests.web.town import Town, living_town
from tests.web.watching import Watch

expect.set_options(timeout=20_000)  # a loaded machine draws slowly; where it is quick, nobody waits as long

Screenshot = Callable[..., Awaitable[Path]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that failed says what the stack's own processes had to say."""
    report = yield
    town = getattr(item, "funcargs", {}).get("town")
    if report.failed and town is not None:
        for part in ("worker", "api", "temporal"):
            report.sections.append((f"the last lines of {part}.log", tail(town.stack.folder.logs / f"{part}.log")))
    return report


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """The stack with the demo's seeded demands, shared by all tests here: each makes the demands that it changes."""
    with living_town() as town:
        yield town


@pytest_asyncio.fixture(autouse=True)
async def _hands_are_free(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """What a test put into somebody's hands does not fill them for the tests after it."""
    town: Town | None = request.getfixturevalue("town") if "town" in request.fixturenames else None
    yield
    if town is not None:
        await town.free_hands()


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def watch(town: Town) -> Iterator[Watch]:
    """Fails the test at its end for an error in the console or the page, a broken policy, a request to another host.

    `watch.expect(r"status of 422")` says what a test provokes.
    """
    watching = Watch(town.url)
    yield watching
    if watching.problems:
        pytest.fail("The browser complained:\n" + "\n".join(watching.problems), pytrace=False)


@pytest_asyncio.fixture
async def phone(browser: Browser, town: Town, watch: Watch) -> AsyncIterator[Windows]:
    """`page = await phone("grid_worker")`: 390 × 844, touch."""
    windows = Windows(browser, town, watch, PHONE)
    yield windows
    await windows.close()


@pytest_asyncio.fixture
async def desk(browser: Browser, town: Town, watch: Watch) -> AsyncIterator[Windows]:
    """`page = await desk("supervisor")`: 1280 × 800."""
    windows = Windows(browser, town, watch, DESK)
    yield windows
    await windows.close()


@pytest.fixture(params=["phone", "desk"])
def either(request: pytest.FixtureRequest, phone: Windows, desk: Windows) -> Windows:
    """The test runs twice, at each width."""
    return phone if request.param == "phone" else desk


@pytest.fixture
def screenshot(tmp_path: Path) -> Screenshot:
    """`await screenshot(page, "tasks")` writes tasks-390.png into $LINLI_SHOTS, or a folder of the test."""

    async def take(page: Page, name: str, *, full_page: bool = True) -> Path:
        return await looking.screenshot(page, name, tmp_path, full_page=full_page)

    return take
