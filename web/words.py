"""The catalogue: every sentence of the pages in Chinese and English, in `words/<page>.toml`, named `<page>.<table>.<key>`.

    [board]
    breached = ["已超时", "Overdue"]
    left = ["还剩 {n} 件", "{n} left"]

A sentence that is missing is an error, in tests and in use: no page shows a key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from domain.errors import ConfigError

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
FOLDER = Path(__file__).parent / "words"

Say = Callable[..., str]


@cache
def catalogue() -> Mapping[str, tuple[str, str]]:
    """Name → (Chinese, English). Raises ConfigError for an entry that is not two sentences."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for table, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for key, both in entries.items():
                name = f"{file.stem}.{table}.{key}"
                if not (
                    isinstance(both, list) and len(both) == 2 and all(isinstance(one, str) and one for one in both)
                ):
                    raise ConfigError(
                        f"words/{file.name}", name, "not two sentences", "Write it as [Chinese, English]."
                    )
                found[name] = (both[0], both[1])
    return found


def say(language: Language) -> Say:
    """`t("board.board.left", n=3)`: the sentence in this language, with its blanks filled in."""
    index = LANGUAGES.index(language)

    def t(name: str, /, **blanks: object) -> str:
        sentence = catalogue()[name][index]
        return sentence.format(**blanks) if blanks else sentence

    return t


def has(name: str) -> bool:
    return name in catalogue()


@cache
def keys_of(table: str) -> tuple[str, ...]:
    """The keys of a table such as `offline.script`, for what goes to a script as a whole."""
    return tuple(name.removeprefix(f"{table}.") for name in catalogue() if name.startswith(f"{table}."))
