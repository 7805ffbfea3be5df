"""`./run demo`: the whole product on one machine, from an empty folder to a living district, until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from devstack.errors import StackError
from devstack.logins import Login, chosen, logins
from devstack.stack import Stack, to_stderr
from domain.district import District

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What the command line asked for. `json` writes one line to stdout and everything else to stderr."""

    data: Path
    port: int | None = None
    seed: int = 7
    empty: bool = False
    overlay: Path | None = None
    json: bool = False


class _Stopped(BaseException):
    """A signal asked us to end. Not an Exception: nothing on the way may take it for a failure and go on."""


class _Signals:
    """The first signal stops in order, from wherever we are; a second one during that is told to wait, a third kills."""

    def __init__(self) -> None:
        self._count = 0
        self.stopping = False

    def install(self) -> None:
        for one in _SIGNALS:
            signal.signal(one, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if not self.stopping:
            self.stopping = True
            raise _Stopped
        if self._count == 2:
            to_stderr("Still stopping; once more ends everything at once, without asking.")
        if self._count > 2:
            os._exit(130)  # the kernel ends the children with us


def demo(options: Options) -> int:
    """Runs until a signal: 0, or 130 when it came before everything was up. Raises StackError when it cannot come up."""
    ready = False
    signals = _Signals()
    signals.install()
    stack = Stack(options.data, port=options.port, overlay=options.overlay)
    try:
        district = _district(stack)
        stack.start()
        everyone = logins(district, stack.token_secret)
        _let_sign_in(stack, everyone)
        _seed(stack, district, everyone, options)
        _tell(stack, everyone, options)
        ready = True
        threading.Event().wait()
    except _Stopped:
        pass
    finally:
        signals.stopping = True
        if stack.folder.locked:
            to_stderr("Stopping …")
        stack.stop()
    to_stderr("Stopped. ./run demo goes on where this ended.")
    return 0 if ready else 130


def _district(stack: Stack) -> District:
    """Before anything is started: a broken pack shall say so at once, not in a log file."""
    from domain.errors import LinliError
    from service.pack import load_pack

    try:
        return load_pack(stack.pack, stack.overlay)
    except LinliError as problem:
        raise StackError(str(problem), exit_code=2) from problem


def _let_sign_in(stack: Stack, everyone: list[Login]) -> None:
    from devstack.users import demo_password, demo_users, seed_users

    seed_users(stack.database_url, demo_users(everyone), demo_password(stack.folder))


def _seed(stack: Stack, district: District, everyone: list[Login], options: Options) -> None:
    from devstack.seed import leave_empty, seed_once

    if options.empty:
        leave_empty(stack.folder.path)
    else:
        seed_once(stack.folder.path, stack.url, district, everyone, options.seed, to_stderr)


def _tell(stack: Stack, everyone: list[Login], options: Options) -> None:
    from devstack.users import demo_password, demo_users

    users, password = demo_users(everyone), demo_password(stack.folder)
    if options.json:
        facts = {
            "url": stack.url,
            "temporal_address": stack.temporal_address,
            "temporal_ui": stack.temporal_ui,
            "database_url": stack.database_url,
            "pids": {name: stack.pids[name] for name in ("api", "worker", "temporal", "postgres")},
            "logins": [one.facts() for one in everyone],
            "users": [one.facts() for one in users],
            "password": password,
        }
        _to_stdout(json.dumps(facts, ensure_ascii=False))
        return
    rows = [
        ("Pages", stack.url),
        ("API", f"{stack.url}/api/v1"),
        ("API documents", f"{stack.url}/docs"),
        ("Temporal", stack.temporal_ui or stack.temporal_address),
        ("PostgreSQL", stack.database_url),
        ("Data and logs", str(stack.folder.path)),
        ("Messages", _messages(stack)),
        ("User names", ", ".join(one.user for one in users)),
        ("Password", f"{password} (of all of them, until somebody changes it)"),
    ]
    lines = ["", *(f"  {name:<15}{value}" for name, value in rows), "", *_table(chosen(everyone)), ""]
    lines.append(f"  curl -H 'Authorization: Bearer TOKEN' {stack.url}/api/v1/demands")
    lines.append("  Ctrl-C stops everything; the next start goes on with the same demands.")
    _to_stdout("\n".join(lines))


def _messages(stack: Stack) -> str:
    """The demo starts no mail server: without one that is named, nothing leaves the product."""
    ways = [
        word
        for word, name in (("e-mail", "LINLI_SMTP_URL"), ("apprise", "LINLI_APPRISE"))
        if stack.environment().get(name)
    ]
    return ", ".join(ways) if ways else "in the product's inbox only; LINLI_SMTP_URL names a server for e-mail"


def _table(some: list[Login]) -> list[str]:
    """Columns by what a terminal shows: a Chinese letter is two wide."""
    cells = [("role", "name", "scope", "token"), *((one.role, one.name, one.scope, one.token) for one in some)]
    widths = [max(_width(row[column]) for row in cells) for column in range(3)]
    return [
        "  " + "  ".join([*(row[at] + " " * (widths[at] - _width(row[at])) for at in range(3)), row[3]])
        for row in cells
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _to_stdout(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, UnicodeEncodeError) as problem:
        to_stderr(f"The addresses could not be printed: {problem}")
