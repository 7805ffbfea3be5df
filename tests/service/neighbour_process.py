"""A worker's neighbours in a process that is meant to be killed: database, Temporal, and where the city system is."""

from __future__ import annotations

import asyncio
import sys

from domain.district import District
from gateways.temporal import connect
from service.calendars import read_years
from service.neighbour_keeper import NeighbourKeeper
from service.pack import load_pack
from service.publish_in_force import Base
from service.publish_watch import Watch, local_year
from store.pool import open_pool
from tests.builders import settings_for
from tests.service.neighbour_ground import to


async def run(database: str, temporal: str, url: str) -> None:
    settings = settings_for(database, temporal, "nobody's", neighbour_allow="127.0.0.0/8")
    pool = await open_pool(database, size=2)
    district: District = load_pack(settings.pack).model_copy(update={"neighbours": (to(url),)})
    watch = Watch(pool, Base(read_years(settings.calendar), district), year=local_year(district.timezone))
    keeper = NeighbourKeeper(settings, pool, watch)
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    while True:
        await keeper.look(client)
        await keeper.idle()
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
