"""Free ports on the loopback interface."""

from __future__ import annotations

import random
import socket
from contextlib import closing

# Below the range from which the kernel takes source ports of outgoing connections (32768 and up on Linux): a client
# that keeps trying a stopped server on such a port would one day be connected to itself and hold the port.
LOWEST, HIGHEST = 15000, 31999
_CHOICE = random.SystemRandom()


def is_free(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)  # bind alone succeeds beside a listener that also set SO_REUSEADDR on some systems
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port nobody listens on. Another process may take it before it is used: callers try again with a new one."""
    while True:
        port = _CHOICE.randint(LOWEST, HIGHEST)
        if is_free(port):
            return port


def next_free(port: int) -> int:
    while not is_free(port):
        port += 1
    return port


def answers(port: int, host: str = "127.0.0.1", seconds: float = 1.0) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=seconds)):
            return True
    except OSError:
        return False
