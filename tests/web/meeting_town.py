"""What the tests of the meeting room begin with: items on an agenda, and a session that sits."""

from __future__ import annotations

import asyncio
from typing import Any

from devstack.logins import Login
from tests.web.town import Town

PLACE = "xuanhualu"
_TRIES = 600


async def item(town: Town, text: str = "楼道堆满杂物，消防通道被占。", place: str = PLACE) -> str:
    """A demand that its grid worker put up to the joint meeting; its number, once it stands on the agenda."""
    grid = town.district.grids_of(place)[0].id
    made = await town.submit(text, "operator", category="100101", location={"grid": grid}, channel="hotline")
    number = str(made["number"])
    for _ in range(_TRIES):
        if (await town.get(f"/demands/{number}", "supervisor"))["stage"] == "grid":
            break
        await asyncio.sleep(0.1)
    worker = await town.holder(number)
    await town.act(number, worker, "accept")
    await town.act(number, worker, "escalate", reason="several_units", note="几家单位都说不归自己管。")
    for _ in range(_TRIES):
        if number in [one["number"] for one in await town.get(f"/meetings/{place}/agenda?limit=100", "supervisor")]:
            return number
        await asyncio.sleep(0.1)
    raise AssertionError(f"{number} did not come onto the agenda")


def secretary(town: Town, place: str = PLACE) -> Login:
    return town.who("community_secretary", scope=f"community:{place}")


async def session(town: Town, place: str = PLACE, *, quorum: bool = True) -> dict[str, Any]:
    """An extra session that is open; with as many units as it needs, or one less."""
    by = secretary(town, place)
    for one in await town.get(f"/meetings/{place}/sessions?limit=50", by):
        if one["state"] == "open":
            await town.call("POST", f"/meetings/{place}/sessions/{one['id']}/actions", by, {"type": "close"})
    called = await town.call("POST", f"/meetings/{place}/sessions", by, {"kind": "extra"})
    actions = f"/meetings/{place}/sessions/{called['id']}/actions"
    opened = await town.call("POST", actions, by, {"type": "open"})
    members = [one.id for one in town.district.units_of(place)][: opened["quorum"] - (not quorum)]
    return dict(await town.call("POST", actions, by, {"type": "attend", "units": members}))


async def decided(town: Town, number: str, place: str = PLACE) -> dict[str, Any]:
    """The line of the minutes that says what became of an item."""
    for _ in range(_TRIES):
        lines = await town.get(f"/meetings/{place}/minutes?limit=100", "supervisor")
        found = next((one for one in lines if one["number"] == number), None)
        if found is not None:
            return dict(found)
        await asyncio.sleep(0.1)
    raise AssertionError(f"{number} was not decided")
