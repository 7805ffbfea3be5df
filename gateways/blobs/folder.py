"""Contents as files of one folder, readable for its owner only: written under a temporary name, flushed, then renamed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from gateways.blobs import BlobMissing

_READ = 256 * 1024


class FolderBlobs:
    """256 subfolders, named by the end of the name, so that none of them grows too large."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _place(self, name: str) -> Path:
        stem = name.partition(".")[0]
        return self._folder / stem[-2:] / name

    def put(self, name: str, content: Iterable[bytes]) -> None:
        place = self._place(name)
        place.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        unfinished = _unfinished(place)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with open(descriptor, "wb") as out:
                for piece in content:
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            os.replace(unfinished, place)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        _flush_folder(place.parent)

    def get(self, name: str) -> Iterator[bytes]:
        try:
            found = self._place(name).open("rb")
        except FileNotFoundError:
            raise BlobMissing(name) from None
        return _read(found)

    def delete(self, name: str) -> None:
        place = self._place(name)
        for one in (place, _unfinished(place)):
            one.unlink(missing_ok=True)


def _read(found: BinaryIO) -> Iterator[bytes]:
    with found:
        while piece := found.read(_READ):
            yield piece


def _unfinished(place: Path) -> Path:
    return place.with_name(place.name + ".unfinished")


def _flush_folder(folder: Path) -> None:
    """The new name survives a power cut, as the content does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
