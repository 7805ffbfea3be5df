"""Commands on an installation: the one in the environment, or the demo that runs here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.program import ROOT
from devstack.reset import temporary_folder
from devstack.stack import Stack
from store import migrate

VARIABLES = ("DATABASE_URL", "LINLI_DATA_KEYS", "TEMPORAL_ADDRESS")


@pytest.fixture
def running() -> Iterator[Path]:
    """The folder of a stack of which only the database runs."""
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        with Stack(folder, parts=("postgres",), say=lambda line: None) as stack:
            migrate.upgrade(stack.database_url)
            yield folder


def said(*words: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment | {"COLUMNS": "200"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_running_demo_is_found_by_its_folder(running: Path) -> None:
    code, words = said("cli.keys", "rotate", "--dry-run", "--data", str(running))
    assert code == 0 and "0 values would be sealed anew with k1" in words
    code, words = said("cli.privacy", "anonymise", "--data", str(running))
    assert code == 0 and "0 demands anonymised" in words


def test_without_one_it_says_what_to_do(tmp_path: Path) -> None:
    code, words = said("cli.keys", "rotate", "--data", str(tmp_path))
    assert code == 2 and "No running demo was found" in words and "Traceback" not in words


def test_a_new_key_fits_into_the_ring() -> None:
    code, words = said("cli.keys", "new", "k2")
    assert code == 0 and words.startswith("k2:") and len(words.strip()) == 3 + 44
    assert said("cli.keys", "new", "K 2")[0] == 2
