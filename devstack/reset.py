"""Remove a data folder, and what lies outside it because of it; never anything else."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devstack.errors import StackError
from devstack.folder import MARK, DataFolder
from devstack.pgbinaries import SHARED_STATE


def cluster_outside(folder: Path) -> Path | None:
    """The place of the PostgreSQL cluster of a data folder that its server's user cannot enter."""
    note = folder / "postgres.location"
    if not note.exists():
        return None
    place = Path(note.read_text().strip()).parent
    return place if place.parent == SHARED_STATE and (place / "owner").exists() else None


def remove(folder: Path) -> None:
    """Raises StackError for a folder that is not ours or is in use."""
    folder = folder.absolute()
    if not (folder / MARK).exists():
        raise StackError(f"{folder} is not a data folder of Linli; nothing was removed.", exit_code=2)
    holder = DataFolder(folder).holder()
    if holder is not None:
        raise StackError(f"{folder} is in use by a running stack (process {holder}): stop that one first.", exit_code=2)
    outside = cluster_outside(folder)
    if outside is not None:
        shutil.rmtree(outside)
    shutil.rmtree(folder)


def reset(folder: Path, *, asked: bool) -> None:
    """`asked=False` asks at the terminal first."""
    folder = folder.absolute()
    if not folder.exists():
        print(f"There is nothing in {folder}.", file=sys.stderr)
        return
    if not asked:
        print(f"Remove {folder} with every demand in it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise StackError("Nothing was removed.")
    remove(folder)
    print(f"Removed {folder}.", file=sys.stderr)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A place for a stack of a test or a measurement: its server's user may enter it, and it is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="linli-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        outside = cluster_outside(path)
        if outside is not None:
            shutil.rmtree(outside, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
