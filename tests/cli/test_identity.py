"""`./run user` and `./run key` as an administrator types them, on a running installation."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from devstack.logins import logins
from devstack.stack import Stack
from devstack.users import demo_password, demo_users, seed_users
from service.pack import load_pack

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(stack: Stack) -> Run:
    def command(*words: str, data: Path = stack.folder.path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "LINLI_DATA_KEYS")}
        return subprocess.run(
            [sys.executable, "-m", "cli.identity", *words, "--data", str(data)],
            cwd=ROOT, env=env | {"TERM": "dumb", "COLUMNS": "200"}, input=stdin, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return command


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@contextlib.contextmanager
def signed_in(stack: Stack, user: str, password: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack.url, headers={"Origin": stack.url}, timeout=30) as client:
        answer = client.post("/api/v1/session", json={"user": user, "password": password})
        assert answer.status_code == 201, answer.text
        yield client


def soon(look: Callable[[], bool]) -> None:
    """What a command changes reaches every process within seconds."""
    until = time.monotonic() + 60
    while not look():
        assert time.monotonic() < until, "it did not reach the API"
        time.sleep(0.2)


def test_somebody_new_is_added_with_a_role_works_gets_another_and_is_disabled(stack: Stack, run: Run) -> None:
    added = run("user", "add", "wang.wu", "--name", "王五", "--role", "grid_worker", "--grid", "xuanhualu-02")
    password = done(added)
    assert re.fullmatch(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}", password), "the secret alone on stdout"
    assert password not in added.stderr

    def can() -> bool:
        tried = httpx2.post(f"{stack.url}/api/v1/session", json={"user": "wang.wu", "password": password})
        return tried.status_code == 201

    soon(can)
    with signed_in(stack, "wang.wu", password) as client:
        me = client.get("/api/v1/session").json()
        assert me["roles"] == [{"role": "grid_worker", "community": "xuanhualu", "grid": "xuanhualu-02", "unit": None}]
        told = done(run("user", "role", "wang.wu", "--role", "auditor"))
        assert told == "wang.wu is now: grid_worker@xuanhualu-02, auditor"
        soon(lambda: client.get("/api/v1/changes").status_code == 200)
        assert done(run("user", "role", "wang.wu", "--role", "auditor", "--remove")).endswith(
            "grid_worker@xuanhualu-02"
        )
        soon(lambda: client.get("/api/v1/changes").status_code == 403)
        assert re.search(r"^wang\.wu +p-\d+ +in force +20", done(run("user", "list")), re.MULTILINE)
        assert "sessions were ended" in done(run("user", "disable", "WANG.WU"))
        soon(lambda: client.get("/api/v1/session").status_code == 401)
    assert not can()
    done(run("user", "enable", "wang.wu"))
    given = "尼罗河 upstream 7 boats"
    done(run("user", "password", "wang.wu", "--stdin", stdin=given + "\n"))
    assert not can()
    with signed_in(stack, "wang.wu", given):
        pass


def test_a_session_outlives_the_death_of_the_api(stack: Stack, run: Run) -> None:
    password = done(run("user", "add", "survivor", "--person", "p-0006"))
    with signed_in(stack, "survivor", password) as client:
        key = done(run("key", "new", "hotline", "--owner", "p-0009", "--scope", "demands:read"))
        victim = stack.pids["api"]
        stack.kill("api")

        def back() -> bool:
            try:
                return stack.pids["api"] not in (None, victim) and client.get("/readyz").status_code == 200
            except httpx2.TransportError:
                return False

        soon(back)
        assert client.get("/api/v1/session").json()["user"] == "survivor"
        listed = client.get("/api/v1/demands?limit=1", headers={"Authorization": f"Bearer {key}"})
        assert listed.status_code == 200


def test_a_key_is_made_rotated_and_revoked(stack: Stack, run: Run) -> None:
    def status(key: str) -> int:
        return httpx2.get(f"{stack.url}/api/v1/demands?limit=1", headers={"Authorization": f"Bearer {key}"}).status_code

    old = done(run("key", "new", "12345", "--owner", "p-0009", "--scope", "demands:read", "--scope", "rates:read"))
    id = old.split("_")[1]
    rotated = run("key", "rotate", id, "--overlap-hours", "0")
    new = done(rotated)
    assert f"{id} goes on for 0 h" in rotated.stderr
    soon(lambda: (status(old), status(new)) == (401, 200))
    done(run("key", "revoke", new.split("_")[1]))
    soon(lambda: status(new) == 401)
    listed = done(run("key", "list"))
    assert re.search(rf"^{id} +12345 +p-0009 +expired .* demands:read rates:read$", listed, re.MULTILINE), listed
    assert new not in listed and old not in listed


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["user", "add", "a b", "--name", "x", "--role", "auditor"], 1, "validation_failed"),
        (["user", "add", "x", "--person", "p-9999"], 1, "unknown_person"),
        (["user", "add", "x"], 2, "--person ID, or --name NAME"),
        (["user", "add", "x", "--name", "x", "--role", "grid_worker"], 1, "publication_invalid"),
        (["user", "add", "x", "--name", "x", "--role", "resident"], 1, "Nobody is made this"),
        (["user", "add", "x", "--name", "x", "--role", "mayor"], 2, "mayor"),
        (["user", "role", "nobody", "--role", "auditor"], 1, "not_found"),
        (["user", "password", "nobody"], 1, "not_found"),
        (["key", "new", "x", "--owner", "p-9999", "--scope", "demands:read"], 1, "unknown_person"),
        (["key", "new", "x", "--owner", "p-0009", "--scope", "everything"], 2, "everything"),
        (["key", "revoke", "nonsense"], 1, "not_found"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run: Run, words: list[str], code: int, says: str) -> None:
    result = run(*words)
    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert says in result.stderr and "Traceback" not in result.stderr


def test_a_weak_password_is_refused_and_a_name_is_taken_once(run: Run) -> None:
    done(run("user", "add", "twice", "--person", "p-0005"))
    again = run("user", "add", "Twice", "--name", "另一个", "--role", "auditor")
    assert again.returncode == 1 and "user_taken" in again.stderr
    weak = run("user", "password", "twice", "--stdin", stdin="password1234\n")
    assert weak.returncode == 1 and "password_refused" in weak.stderr


def test_without_an_installation_it_says_how_to_get_one(run: Run, tmp_path: Path) -> None:
    result = run("user", "list", data=tmp_path)
    assert result.returncode == 2 and "./run demo" in result.stderr


def test_a_demo_has_a_user_of_each_role_with_one_password(stack: Stack) -> None:
    everyone = logins(load_pack(stack.pack, None), stack.token_secret)
    users, password = demo_users(everyone), demo_password(stack.folder)
    assert {one.role for one in users} >= {"operator", "grid_worker", "unit_liaison", "supervisor", "auditor", "admin"}
    assert len({one.id for one in users}) == len(users)
    for _ in range(2):  # a second start finds them there
        seed_users(stack.database_url, users, password)
    assert demo_password(stack.folder) == password
    with signed_in(stack, "supervisor", password) as client:
        assert client.cookies.get("linli"), "plain http on loopback: the cookie without the prefix"
        assert client.get("/api/v1/session").json()["roles"][0]["role"] == "supervisor"
