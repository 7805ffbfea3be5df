"""A folder and an S3 service keep contents alike: whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from moto.server import ThreadedMotoServer

from gateways.blobs import BlobMissing, Blobs, open_blobs

NAME = "f-0123456789abcdef0123456789abcdef"
KEYS = {"access_key": "somebody", "secret": "a secret for tests only"}


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    assert httpx2.put(f"{address}/photos").status_code == 200
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return open_blobs(str(tmp_path / "files"))
    address = request.getfixturevalue("s3_address")
    return open_blobs(f"s3://photos/{tmp_path.name}", endpoint=address, region="us-east-1", **KEYS)


@pytest.mark.parametrize("size", [1, 300_000, 12_000_000])
def test_kept_found_replaced_and_gone(blobs: Blobs, size: int) -> None:
    content = os.urandom(size)
    blobs.put(NAME, (content[at : at + 65_552] for at in range(0, size, 65_552)))
    assert b"".join(blobs.get(NAME)) == content
    blobs.put(NAME, [b"another"])
    assert b"".join(blobs.get(NAME)) == b"another"
    blobs.delete(NAME)
    with pytest.raises(BlobMissing):
        blobs.get(NAME)
    blobs.delete(NAME)


def test_what_breaks_off_leaves_nothing_under_the_name(blobs: Blobs) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"x" * 6_000_000
        raise RuntimeError("the sender has gone")

    with pytest.raises(RuntimeError):
        blobs.put(NAME, breaks())
    with pytest.raises(BlobMissing):
        blobs.get(NAME)


def test_a_folder_shows_its_owner_only_and_holds_nothing_unfinished(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path / "files"))
    blobs.put(NAME, [b"x"])
    place = tmp_path / "files" / NAME[-2:] / NAME
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert [p.name for p in place.parent.iterdir()] == [NAME]


def test_what_a_killed_process_left_goes_with_the_name(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path))
    folder = tmp_path / NAME[-2:]
    folder.mkdir()
    (folder / f"{NAME}.unfinished").write_bytes(b"half of it")
    with pytest.raises(BlobMissing):
        blobs.get(NAME)
    blobs.delete(NAME)
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_take_it_says_so_as_an_os_error(s3_address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for away in (
        open_blobs("s3://no-such-bucket", endpoint=s3_address, region="us-east-1", **KEYS),
        open_blobs(str(tmp_path / "file")),
    ):
        with pytest.raises(OSError):
            away.put(NAME, [b"x"])
