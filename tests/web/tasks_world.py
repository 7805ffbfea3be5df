"""A worker of one grid with fresh demands: what the tests of the tasks' pages begin with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from devstack.logins import Login
from tests.pictures import a_jpeg
from tests.web.browsing import Windows
from tests.web.town import Body, Town

DOORS, PARKING, WASTE = "100101", "070101", "010101"
"""Grid level, handled by the worker."""


@dataclass
class Beat:
    """A grid's compound and whoever is on duty there."""

    town: Town
    compound: str
    grid: str
    worker: Login
    _session: str = field(default="")

    async def page(self, windows: Windows, **options: Any) -> Page:
        """A page of the worker, of one session for all: whoever signs in again and again is made to wait."""
        self._session = self._session or await self.town.session(self.worker)
        cookies = {**options.pop("cookies", {}), "linli": self._session}
        return await windows(None, cookies=cookies, **options)

    async def demand(self, text: str, category: str = DOORS, **body: object) -> str:
        reporter = {"name": "王小丽", "phone": "13800001234"}
        location = {"compound": self.compound, "building": "3", "room": "502"}
        made = await self.town.submit(
            text, "operator", category=category, location=location, reporter=reporter, channel="hotline", **body
        )
        number = str(made["number"])
        await self.until(number, "grid")
        return number

    async def view(self, number: str) -> Body:
        return dict(await self.town.get(f"/demands/{number}?consistency=strong", "supervisor"))

    async def events(self, number: str) -> list[str]:
        return [one["type"] for one in await self.town.get(f"/demands/{number}/events?limit=100", "supervisor")]

    async def until(self, number: str, stage: str) -> Body:
        for _ in range(300):
            view = await self.view(number)
            if view["stage"] == stage:
                return view
            await asyncio.sleep(0.2)
        raise AssertionError(f"{number} is in {view['stage']}, not in {stage}")

    async def until_told(self, number: str, event: str) -> None:
        for _ in range(300):
            if event in await self.events(number):
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"{event} never happened to {number}")


async def beat(town: Town, at: int = 0) -> Beat:
    """The `at`-th grid with a compound; found by asking who gets a demand there."""
    grids = [grid for grid in town.district.grids if town.district.compounds_of(grid.id)]
    grid = grids[at]
    compound = town.district.compounds_of(grid.id)[0]
    worker = town.login(grid.duty_worker)
    found = Beat(town, compound.id, grid.id, worker)
    view = await found.view(await found.demand("单元门口的灯坏了", DOORS))
    found.worker = town.login(view["holder"]["id"])
    return found


def photo(folder: Path) -> str:
    path = folder / "photo.jpg"
    path.write_bytes(a_jpeg())
    return str(path)
