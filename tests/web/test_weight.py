"""What the first load of each page costs: bytes on the wire, requests, hosts; and how soon the phone's page can be used."""

from __future__ import annotations

import pytest

from tests.web.browsing import Windows
from tests.web.looking import weigh
from tests.web.tasks_world import beat
from tests.web.town import Town
from tests.web.tracing import trace_tti

PHONE_BUDGET = 105 * 1024
DESK_PAGES = (
    ("supervisor", "/board"),
    ("supervisor", "/analysis"),
    ("supervisor", "/system"),
    ("community_secretary", "/meetings"),
    ("unit_liaison", "/desk"),
    ("admin", "/admin"),
)


@pytest.mark.parametrize("path", ["/", "/report", "/follow", "/f", "/sign-in"])
async def test_a_residents_first_load_is_light(phone: Windows, path: str) -> None:
    weight = await weigh(await phone(), path)
    print(path, weight)
    assert weight.total_bytes < PHONE_BUDGET and len(weight.hosts) == 1


@pytest.mark.parametrize("path", ["/tasks", "/tasks/{number}", "/tasks/new", "/tasks/plan"])
async def test_a_grid_workers_first_load_is_light(phone: Windows, town: Town, path: str) -> None:
    here = await beat(town)
    number = await here.demand("楼道灯坏了，晚上看不清台阶。")
    page = await here.page(phone)
    weight = await weigh(page, path.format(number=number))
    print(path, weight)
    assert weight.total_bytes < PHONE_BUDGET and len(weight.hosts) == 1


@pytest.mark.parametrize(("role", "path"), DESK_PAGES)
async def test_a_desks_first_load_asks_one_host(desk: Windows, role: str, path: str) -> None:
    weight = await weigh(await desk(role), path)
    print(path, weight)
    assert len(weight.hosts) == 1


async def test_the_tasks_come_to_rest_on_a_slow_phone(phone: Windows, town: Town) -> None:
    here = await beat(town)
    await here.demand("单元门关不上了。")
    measured = await trace_tti(await here.page(phone), "/tasks")
    print(measured)
