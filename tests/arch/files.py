"""The files of the project, as the tests of its shape see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Not ours: environments, caches, data of a running stack, and what package managers install.
FOREIGN = {"node_modules", "__pycache__", "vendor"}
PRODUCT = (
    "domain", "contracts", "workflows", "activities", "store", "gateways", "service", "api", "web", "runtime", "devstack",
    "bench", "cli",
)  # fmt: skip
KEPT_HIDDEN = {".ci", ".github", ".gitignore", ".dockerignore", ".editorconfig", ".npmrc", ".env.example"}


def every_file(under: Path = ROOT) -> Iterator[Path]:
    for path in sorted(under.iterdir()):
        if path.name in FOREIGN or (path.name.startswith(".") and path.name not in KEPT_HIDDEN) or path.is_symlink():
            continue
        if path.is_dir():
            yield from every_file(path)
        else:
            yield path


def text_files() -> Iterator[tuple[str, str]]:
    """Path from the root, and contents, of everything that is text."""
    for path in every_file():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def modules() -> Iterator[tuple[str, str]]:
    """First-party Python files."""
    return ((name, text) for name, text in text_files() if name.endswith(".py"))
