"""`./run verify`: what it says of a good file, of a changed one and of no file, and with which code it ends."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.verify import FOUND, GOOD, UNREADABLE, verdict_of
from devstack.program import ROOT
from devstack.stack import Stack
from domain.case_file import CaseFile, case_text, written
from service.case_signing import public_keys, sign
from service.tokens import mint
from tests.builders import SUPERVISOR
from tests.domain import builders as b
from tests.domain.test_case_file import a_case
from tests.domain.test_ledger import a_long_story

KEYS = {"k2": b"2" * 32, "k1": b"1" * 32}
PUBLIC = public_keys(KEYS)


def a_signed_case() -> CaseFile:
    return sign(a_case(a_long_story()), KEYS)


CASE = a_signed_case()
RAW = written(CASE)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`./run` with this project behind it and its environment made: an interpreter that is the one of the tests."""
    place = tmp_path_factory.mktemp("a check out")
    for source in ROOT.iterdir():
        if source.name in ("cli", "domain", "service", "devstack", "requirements", "runtime", "pyproject.toml"):
            (place / source.name).symlink_to(source)
    shutil.copy(ROOT / "run", place / "run")
    python = place / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    with (place / "requirements" / "dev.txt").open() as pinned:
        made = subprocess.run(["cksum"], stdin=pinned, capture_output=True, text=True, check=True)
    (place / ".venv" / ".made-from").write_text(f"dev {made.stdout.strip()}\n")
    return place


@pytest.fixture
def run(checkout: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command in a folder of its own, with nothing in its environment that leads to a server."""

    def verify(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(checkout / "run"), "verify", *words]
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip

    return verify


def put(folder: Path, raw: bytes, name: str = "a.json") -> str:
    (folder / name).write_bytes(raw)
    return name


def as_json(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- the command


def test_a_good_file_is_told_in_full(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run(put(tmp_path, RAW), "--key", PUBLIC["k2"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "a.json: good",
        "  demand D-1, exported 2027-03-27 12:00 by Linli 0.1.0, for auditor (all times Asia/Shanghai)",
        f"  {len(CASE.entries)} events, 2027-03-08 09:00 – 2027-03-26 12:00",
        f"  head {CASE.entries[-1].hash}",
        "  replays to: closed, resolved",
        "    accept: BROKEN, due 2027-03-08 11:00, stopped 2027-03-10 12:00",
        "    refusal window: ended, due 2027-03-09 17:30, stopped 2027-03-10 12:00",
        "    unit's task: kept, due 2027-03-17 17:30, stopped 2027-03-10 12:00",
        "    contact: kept, due 2027-03-22 17:30, stopped 2027-03-19 12:00",
        "    resolve: kept, due 2027-03-30 17:30, stopped 2027-03-19 12:00",
        "    pause: ended, due 2027-03-22 17:30, stopped 2027-03-10 12:00",
        "    review: ended, due 2027-03-19 12:00, stopped 2027-03-19 12:00",
        "    next call-back: ended, due 2027-03-22 17:30, stopped 2027-03-19 12:00",
        "    follow-up: kept, due 2027-03-23 17:30, stopped 2027-03-19 12:00",
        "    reopen window: ended, due 2027-03-26 12:00, stopped 2027-03-26 12:00",
        "    decision of the meeting: kept, due 2027-04-02 17:30, stopped 2027-03-19 12:00",
        "  2 texts, 0 withheld from whoever exported it",
        f"  signed with the key {PUBLIC['k2']}",
    ]


def test_a_flipped_byte_is_found_and_where_it_is(run: Callable[..., Any], tmp_path: Path) -> None:
    raw = RAW.replace("灯已修好".encode(), "灯未修好".encode(), 1)
    done = run(put(tmp_path, raw))
    assert done.returncode == 1
    assert done.stdout.startswith("a.json: NOT GOOD, 3 findings\n  ✗ texts.0 note t-1 was changed or exchanged")
    assert "✗ digest does not fit" in done.stdout and "✗ signature does not fit" in done.stdout
    assert "replays to: closed, resolved" in done.stdout, "the log is unharmed"


def test_the_first_broken_event_is_named(run: Callable[..., Any], tmp_path: Path) -> None:
    entries = (*CASE.entries[:6], CASE.entries[6].model_copy(update={"actor": "somebody"}), *CASE.entries[7:])
    done = run(put(tmp_path, written(CASE.model_copy(update={"entries": entries}))))
    assert done.returncode == 1
    assert f"✗ entries.6 event 7 ({CASE.entries[6].type}, " in done.stdout and "does not replay" in done.stdout


def test_a_demand_that_waits_is_told_as_it_stands(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run(put(tmp_path, written(a_case(b.paused()))))
    assert done.returncode == 0
    assert "  replays to: grid\n" in done.stdout and "  not signed\n" in done.stdout
    assert "    resolve: open, paused since 2027-03-08 09:00\n" in done.stdout
    assert "    accept: kept, due 2027-03-08 11:00, stopped 2027-03-08 09:00\n" in done.stdout


def test_help_names_it(checkout: Path) -> None:
    said = subprocess.run(["sh", str(checkout / "run"), "help"], capture_output=True, text=True, check=True).stdout
    assert "\n  verify " in said


def test_several_files_end_with_the_worst_and_each_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    good, bad = put(tmp_path, RAW, "good.json"), put(tmp_path, RAW[:-1], "bad.json")
    torn = put(tmp_path, RAW[:5000], "torn.json")
    assert run(good, good).returncode == 0
    assert run(good, bad).returncode == 1
    done = run(good, bad, torn, "nowhere.json")
    assert done.returncode == 2
    assert "good.json: good" in done.stdout and "bad.json: NOT GOOD, 1 finding\n" in done.stdout
    assert "torn.json: UNREADABLE. It is no JSON, or damaged: " in done.stderr
    assert "nowhere.json: UNREADABLE. It cannot be read: No such file or directory." in done.stderr
    assert "Traceback" not in done.stderr
    assert run().returncode == 2


def test_as_json_it_is_one_line_a_file(run: Callable[..., Any], tmp_path: Path) -> None:
    good, bad = put(tmp_path, RAW, "good.json"), put(tmp_path, b"[]", "bad.json")
    done = run("--json", good, bad)
    first, second = as_json(done)
    assert (done.returncode, first["good"], first["findings"]) == (2, True, [])
    assert second == {"file": "bad.json", "good": False, "problem": "It is no case file."}
    assert (first["number"], first["events"], first["head"]) == ("D-1", len(CASE.entries), CASE.entries[-1].hash)
    assert (first["stage"], first["outcome"], first["signed_by"]) == ("closed", "resolved", PUBLIC["k2"])
    assert first["clocks"]["accept"]["kept"] is CASE.state.clocks["accept"].kept


# ---- what it makes of a file, in this process and without a network


def verdict(folder: Path, raw: bytes, *keys: str) -> list[str]:
    found = verdict_of(folder / put(folder, raw), list(keys))
    assert found.code == (UNREADABLE if found.case is None else FOUND if found.findings else GOOD)
    return [finding.where for finding in found.findings] if found.case else ["unreadable"]


@pytest.mark.usefixtures("socket_disabled")
def test_it_needs_no_network(tmp_path: Path) -> None:
    assert verdict(tmp_path, RAW, PUBLIC["k2"]) == []


def test_only_the_key_that_is_asked_for_counts(tmp_path: Path) -> None:
    assert verdict(tmp_path, RAW, PUBLIC["k1"], PUBLIC["k2"]) == []
    assert verdict(tmp_path, RAW, PUBLIC["k1"]) == ["signature.public_key"]
    assert verdict(tmp_path, RAW, "not hex at all") == ["signature.public_key"]
    unsigned = written(a_case(a_long_story()))
    assert verdict(tmp_path, unsigned) == []
    assert verdict(tmp_path, unsigned, PUBLIC["k1"]) == ["signature"]


def test_whoever_makes_the_whole_file_anew_lacks_the_key(tmp_path: Path) -> None:
    """Digests, chain and state are all made anew and fit: only the signature tells."""
    texts = tuple(
        case_text(b.NUMBER, **t.model_dump(exclude={"digest", "text"}), text="从未修过") for t in CASE.texts
    )  # fmt: skip
    forged = CASE.model_copy(update={"texts": texts})
    assert verdict(tmp_path, written(sign(forged, {"mine": b"m" * 32}))) == []
    assert verdict(tmp_path, written(sign(forged, {"mine": b"m" * 32})), PUBLIC["k2"]) == ["signature.public_key"]
    kept = sign(forged, KEYS).model_copy(update={"signature": CASE.signature})
    assert "signature" in verdict(tmp_path, written(kept), PUBLIC["k2"])


def test_flipped_bytes_anywhere_in_a_signed_file_are_found(tmp_path: Path) -> None:
    chance = random.Random(5)
    signature = RAW.index(b'"signature"')
    places = [*(chance.randrange(len(RAW)) for _ in range(60)), *range(signature, len(RAW), 3)]
    for place in places:
        flipped = bytearray(RAW)
        flipped[place] ^= 1 << chance.randrange(8)
        assert verdict(tmp_path, bytes(flipped)), place


def test_nothing_in_a_file_steers_the_terminal(run: Callable[..., Any], tmp_path: Path) -> None:
    raw = written(CASE.model_copy(update={"exported_by": "\x1b[2J\x07\u202e"}))
    done = run(put(tmp_path, raw))
    assert done.returncode == 1
    assert not any(sign in done.stdout for sign in ("\x1b", "\x07", "\u202e"))


# ---- from a running product


def test_a_file_of_a_running_product_is_good_and_a_changed_one_is_not(
    stack: Stack, run: Callable[..., Any], tmp_path: Path
) -> None:
    resident = {"Authorization": f"Bearer {mint(stack.token_secret, 'resident-0001')}", "Idempotency-Key": "lamp"}
    with httpx2.Client(base_url=stack.url, headers=resident, timeout=30) as http:
        body = {"text": "三单元门口的路灯不亮", "location": {"grid": "xuanhualu-01"}}
        made = http.post("/api/v1/demands", json=body).raise_for_status().json()
        desk = {"Authorization": f"Bearer {mint(stack.token_secret, SUPERVISOR)}"}
        path = f"/api/v1/demands/{made['number']}/case-file"
        assert http.get(path).status_code == 403, "what staff write inside is not for residents"
        raw = http.get(path, headers=desk).raise_for_status().content
        (key,) = http.get("/api/v1/case-file-keys").raise_for_status().json()["keys"]
    good = run(put(tmp_path, raw), "--key", key["public_key"], "--json")
    (told,) = as_json(good)
    assert (good.returncode, told["number"], told["stage"]) == (0, made["number"], made["stage"])
    assert "三单元门口的路灯不亮" in raw.decode()
    changed = run(put(tmp_path, raw.replace("路灯不亮".encode(), "路灯不坏".encode())))
    assert changed.returncode == 1 and "was changed or exchanged" in changed.stdout
