"""A process that delivers e-mail once and is meant to be killed: database address, SMTP port, instant."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from store.pool import open_pool
from tests.gateways.mail_server import MailServer
from tests.service.delivery_ground import Clock, KnowsAll, delivering, email_to


async def run(database: str, port: str, at: str) -> None:
    pool = await open_pool(database, size=4)
    gateway = email_to(MailServer(port=int(port)))
    await delivering(pool, KnowsAll(pool), Clock(datetime.fromisoformat(at)), {"email": gateway}).once()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
