"""A body on its way in: comes out as it went in, and never stands on a disk as it is."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from service.spool import Spool


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
def test_it_can_be_read_as_often_as_needed(size: int) -> None:
    content, spool = os.urandom(size), Spool()
    for at in range(0, size, 10_007):
        spool.write(content[at : at + 10_007])
    assert (spool.whole(), spool.whole()) == (content, content)
    assert (spool.size, spool.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert spool.head[:16] == content[:16]
    spool.close()


def test_nothing_of_it_can_be_found_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool()
    spool.write("何女士 13800001111 ".encode() * 100_000)
    assert list(tmp_path.iterdir()) == [], "its file has no name"
    here = Path("/proc/self/fd")
    held = [fd for fd in here.iterdir() if str(tmp_path) in _target(fd)]
    assert held, "it has gone to the disk"
    assert all(b"13800001111" not in fd.read_bytes() for fd in held)
    spool.close()


def _target(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:
        return ""
