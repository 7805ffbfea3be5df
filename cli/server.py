"""Which server to speak to, and as whom: what the options say, or the demo that runs on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from devstack.folder import DataFolder
from domain.district import District
from domain.vocabulary import Role
from service.tokens import mint

NO_DEMO = (
    "No running demo was found in {}. Start one with ./run demo in another terminal (--data DIR if it is elsewhere), "
    "or name a server with --url and --token."
)


class NoServer(Exception):
    """The sentence says what to do."""


@dataclass(frozen=True)
class Server:
    url: str
    token: str


def server_of(url: str | None, token: str | None, data: Path, district: District) -> Server:
    """Raises NoServer."""
    if url is not None:
        if token is None:
            raise NoServer("--url needs --token: the server must know who imports.")
        return Server(url.rstrip("/"), token)
    found = _running_demo(data)
    if found is None:
        raise NoServer(NO_DEMO.format(data))
    return Server(found, token or _integrator_token(data, district))


def _running_demo(data: Path) -> str | None:
    folder = DataFolder(data)
    if folder.holder() is None:
        return None
    try:
        url = json.loads((folder.path / "stack.json").read_text())["url"]
    except (OSError, ValueError, KeyError):
        return None
    return str(url) if url else None


def _integrator_token(data: Path, district: District) -> str:
    place = data / "secrets" / "dev_token_secret"
    try:
        secret = place.read_text().strip()
    except OSError as problem:
        raise NoServer(f"{place} cannot be read ({problem.strerror}): say who imports with --token.") from None
    return mint(secret, district.people_with(Role.INTEGRATOR)[0].id)
