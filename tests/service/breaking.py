"""Ways to break a copy of the reference pack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.pack import PackError, load_pack

PACK = Path(__file__).resolve().parents[2] / "config" / "shengli-road"
Break = Callable[[Path], None]


def a_copy(folder: Path) -> Path:
    return Path(shutil.copytree(PACK, folder / "pack"))


def problems_of(pack: Path, overlay: Path | None = None) -> PackError:
    with pytest.raises(PackError) as refused:
        load_pack(pack, overlay)
    return refused.value


def replace(file: str, old: str, new: str, count: int = 1) -> Break:
    def change(pack: Path) -> None:
        text = (pack / file).read_text("utf-8")
        assert old in text, f"{old!r} is not in {file}: the test no longer breaks anything"
        (pack / file).write_text(text.replace(old, new, count), "utf-8")

    return change


def rewrite(file: str, content: bytes) -> Break:
    def change(pack: Path) -> None:
        (pack / file).write_bytes(content)

    return change


def features(file: str, id: str, change: Callable[[dict[str, Any]], object]) -> Break:
    def apply(pack: Path) -> None:
        document = json.loads((pack / file).read_text("utf-8"))
        change(next(f for f in document["features"] if f["id"] == id))
        (pack / file).write_text(json.dumps(document), "utf-8")

    return apply


def remove_line(file: str, holding: str) -> Break:
    def change(pack: Path) -> None:
        lines = (pack / file).read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if holding not in line]
        assert len(kept) == len(lines) - 1
        (pack / file).write_text("".join(kept), "utf-8")

    return change
