"""Keeps new histories: `python -m tests.replay.generate`. Those of earlier releases stay: demands that are open since
then still run them.

Run it after every change to a life, and behind `workflow.patched`; commit what it writes. With a release that is out,
RELEASE becomes the next one.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from devstack.postgres import Postgres
from store import migrate
from tests.builders import running_product
from tests.conftest import UNSAFE_BUT_FAST, temporal_server
from tests.replay.histories import HISTORIES, golden_of
from tests.replay.scenarios import LIVES

RELEASE = "0.3"
"""The one in the making; what earlier ones have kept is never written again."""


async def generate(database_url: str) -> None:
    async with temporal_server() as server, running_product(server, database_url) as product:
        for name, life in LIVES.items():
            for workflow_id in await life(product):
                kind = "meeting" if workflow_id.startswith("meeting-") else "demand"
                history = await product.handle(workflow_id).fetch_history()
                place = HISTORIES / f"{kind}-{name}-{RELEASE}.json"
                # Whose machine made it is nobody's business, and would change every file at every run.
                text = re.sub(r'"identity":\s*"[^"]*"', '"identity": "worker"', history.to_json())
                place.write_text(text, encoding="utf-8")
                place.with_suffix(".state").write_text(await golden_of(history) + "\n", encoding="utf-8")
                print(place.name, len(history.events), "events")


def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the server's own user must pass through
        server = Postgres(Path(folder) / "cluster", settings=UNSAFE_BUT_FAST)
        server.start()
        try:
            migrate.upgrade(server.url)
            asyncio.run(generate(server.url))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the SDK's native threads may abort a normal interpreter exit
