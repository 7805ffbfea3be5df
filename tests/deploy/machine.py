"""What stands in for a container engine: the image's files, and the servers' names mapped to where they really are."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack import pgbinaries
from devstack.postgres import Postgres
from devstack.temporal import Temporal
from tests.deploy import compose

TOKEN_SECRET = "a-secret-of-this-test-alone"
PATIENCE = 60.0  # no promise about speed: only what a stuck run may cost
GIVEN = {
    "POSTGRES_PASSWORD": secrets.token_hex(24),
    "LINLI_DB_PASSWORD": secrets.token_hex(24),
    "TEMPORAL_DB_PASSWORD": secrets.token_hex(24),
    "LINLI_DATA_KEYS": "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "LINLI_DEV_TOKEN_SECRET": TOKEN_SECRET,
}


@dataclass
class Machine:
    """Stands in for the engine: the image's files below `root`, the servers' names mapped to where they really are."""

    root: Path
    postgres: Postgres
    temporal: Temporal
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, service: str) -> dict[str, str]:
        """The image's, then the service's, then what stands for the container's file system and network."""
        psql = pgbinaries.find_binaries().path("psql")
        inside = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(Path(psql).parent), os.defpath]),
            "LINLI_ROOT": str(self.root / "app"),
            "LINLI_HTTP_HOST": "127.0.0.1",
            "LINLI_HTTP_PORT": str(self.port),
        }
        declared = compose.services(GIVEN)[service]["environment"]
        return {**compose.image_environment(), **{k: self._mapped(v) for k, v in declared.items()}, **inside}

    def _mapped(self, value: str) -> str:
        database = urlsplit(self.postgres.url).netloc.rpartition("@")[2]
        return value.replace("@postgres:5432/", f"@{database}/").replace("temporal:7233", self.temporal.address)

    def command(self, service: str) -> list[str]:
        entrypoint = next(words for name, words in compose.instructions()[-1] if name == "ENTRYPOINT")
        assert entrypoint == '["/usr/local/bin/linli"]'
        return [str(self.root / "usr/local/bin/linli"), *compose.services(GIVEN)[service]["command"]]

    def healthy(self, service: str, **changes: str) -> subprocess.CompletedProcess[str]:
        kind, program, *arguments = compose.services(GIVEN)[service]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "linli")
        return run([str(self.root / "usr/local/bin/linli"), *arguments], {**self.environment(service), **changes})

    def script(self, service: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """A one-shot or init script of the servers, by the file its `configs` name."""
        (mounted,) = compose.services(GIVEN)[service]["configs"]
        file = compose.compose(GIVEN)["configs"][mounted["source"]]["file"]
        return run(["/bin/sh", str(compose.ROOT / file)], {**self.environment(service), **changes})


def run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=dict(env), cwd="/", capture_output=True, text=True, timeout=PATIENCE, check=False
    )
