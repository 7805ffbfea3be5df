"""The API in a container: uvicorn, and exit code 0 after a drain that SIGTERM asked for.

uvicorn alone ends by the signal it was sent, which a container engine cannot tell from a crash.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from runtime.settings import SettingsError, load_settings
from runtime.wire import BoundedHeads

# Requests under way get this long; stop_grace_period in docker-compose.yml is longer.
DRAIN_SECONDS = 20


def main() -> int:
    try:
        load_settings()
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    config = uvicorn.Config(
        "server:create_app",
        factory=True,
        host=os.environ.get("LINLI_HTTP_HOST", "0.0.0.0"),
        port=int(os.environ.get("LINLI_HTTP_PORT", "8000")),
        access_log=False,
        http=BoundedHeads,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = uvicorn.Server(config)
    for sign in (signal.SIGTERM, signal.SIGINT):
        # uvicorn puts its own handlers over these while it serves, and raises the signal again when it is done.
        signal.signal(sign, lambda *_: setattr(server, "should_exit", True))
    server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK's native threads may abort a normal interpreter exit
