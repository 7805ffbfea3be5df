"""Start again what died on its own, more slowly each time it dies young."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from devstack.errors import StackError
from devstack.process import Child

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS, _HEALTHY_SECONDS = 0.5, 30.0, 20.0


class Part(Protocol):
    """One server or program of a stack."""

    notes: list[str]

    @property
    def name(self) -> str: ...
    @property
    def child(self) -> Child | None: ...
    @property
    def pid(self) -> int | None: ...

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Watch:
    """A thread over the parts of a stack. `guard` is held while one is started; `on_start` is told afterwards."""

    def __init__(
        self,
        parts: Mapping[str, Part],
        guard: threading.RLock,
        say: Callable[[str], None],
        on_start: Callable[[], None],
    ) -> None:
        self._parts, self._guard, self._say, self._on_start = parts, guard, say, on_start
        self.held: set[str] = set()  # stopped on purpose
        self._deaths: dict[str, int] = {}
        self._born: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="linli-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """No further start is begun; one under way holds the guard until it is done."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.wait(0.2):
            for name, part in self._parts.items():
                if part.pid is not None or name in self.held:
                    self._due.pop(name, None)
                elif name not in self._due:
                    self._plan(name, part)
                elif time.monotonic() >= self._due[name]:
                    self._revive(name, part)

    def _plan(self, name: str, part: Part) -> None:
        lasted = time.monotonic() - self._born.get(name, 0.0)
        self._deaths[name] = 0 if lasted > _HEALTHY_SECONDS else self._deaths.get(name, 0) + 1
        wait = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** self._deaths[name])
        ending = part.child.ending() if part.child else "never started"
        self._say(f"The {name} ended ({ending}); starting it again in {wait:g} s.")
        self._due[name] = time.monotonic() + wait

    def _revive(self, name: str, part: Part) -> None:
        with self._guard:
            del self._due[name]
            if self._closing.is_set() or name in self.held:
                return
            self._born[name] = time.monotonic()
            try:
                part.start()
            except (StackError, OSError) as problem:
                self._say(str(problem))
            self._on_start()
