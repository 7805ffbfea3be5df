"""Reads a district pack from its folder: all of it, or nothing with every problem named.

files → parsed → (overlay laid over sla.toml) → one validation pass → cross-checks → District
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.district import District
from domain.errors import ConfigError
from service.pack_checks import check_pack
from service.pack_files import FILES, OPTIONAL, PACK_FILES

SHOWN = 20
TOP = "(whole file)"
MAX_FILE_BYTES = 32 * 1024 * 1024
NAMING_KEYS = ("id", "code", "community", "grid")
Loc = tuple[int | str, ...]
Raw = dict[str, Any]


class PackError(ConfigError):
    """Everything that is wrong with a pack; `problems` has each with file, key, problem and remedy."""

    def __init__(self, pack: str, problems: Sequence[ConfigError]) -> None:
        first = problems[0]
        super().__init__(first.file, first.key, first.problem, first.remedy)
        self.pack = pack
        self.problems = tuple(problems)

    def __str__(self) -> str:
        noun = "problem" if len(self.problems) == 1 else "problems"
        lines = [f"{self.pack}: {len(self.problems)} {noun}, nothing was loaded"]
        lines += [f"  {problem}" for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"  … and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


def load_pack(path: Path | str, overlay: Path | str | None = None) -> District:
    """The district in folder `path`; `overlay` is a TOML file with any subset of the keys of sla.toml.

    Raises PackError, which lists every problem found. References between files are looked at once every file is
    sound by itself.
    """
    folder = Path(path)
    if not folder.is_dir():
        missing = ConfigError(str(folder), TOP, "is not a folder", "Give the folder of a district pack")
        raise PackError(str(folder), [missing])
    problems: list[ConfigError] = []
    files_there = {n: folder / f for n, f in FILES.items() if n not in OPTIONAL or (folder / f).exists()}
    raw = {name: parsed for name, file in files_there.items() if (parsed := _read(file, problems)) is not None}
    over = None if overlay is None else _read(Path(overlay), problems)
    if over is not None and "sla" in raw:
        raw["sla"] = _laid_over(raw["sla"], over)
    try:
        files = PACK_FILES.validate_python(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=True)
        named = _Naming(folder, raw, over or {}, None if overlay is None else Path(overlay))
        problems += [named.problem(e) for e in wrong if e["loc"][0] in raw]
        raise PackError(str(folder), problems) from None
    if problems:
        raise PackError(str(folder), problems)
    district = files.assemble()
    problems = check_pack(district, files.district.counts, folder.name)
    if problems:
        raise PackError(str(folder), problems)
    return district


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read(path: Path, problems: list[ConfigError]) -> Raw | None:
    try:
        return _parsed(path)
    except ConfigError as problem:
        problems.append(problem)
        return None


def _parsed(path: Path) -> Raw:
    text = _text(path)
    label = _label(path)
    if not text.strip():
        raise ConfigError(label, TOP, "is empty", "Restore it; every file of a pack holds at least one entry")
    try:
        if path.suffix != ".geojson":
            return tomllib.loads(text)
        parsed = json.loads(text, parse_constant=_no_constant)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).removesuffix(")").partition(" (at ")
        if not place.startswith("line"):
            place = f"line {text.count(chr(10)) + 1}, end of document"
        raise ConfigError(label, place, f"is not TOML: {what}", "Correct the syntax at that place") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(label, place, f"is not JSON: {error.msg}", "Correct the syntax at that place") from None
    except RecursionError:
        raise ConfigError(label, TOP, "is nested too deep", "Write plain tables or features") from None
    except ValueError as error:
        raise ConfigError(label, TOP, f"cannot be read: {error}", "Write plain numbers and dates") from None
    if not isinstance(parsed, dict):
        raise ConfigError(label, TOP, "is not an object", 'Begin with {"type": "FeatureCollection", "features": [')
    return parsed


def _text(path: Path) -> str:
    label = _label(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(label, TOP, "is larger than 32 MB", "Put less into one pack")
        # Editors on Windows put a byte-order mark in front.
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(label, TOP, "is missing", "Add it; see config/shengli-road for an example") from None
    except OSError as error:
        raise ConfigError(label, TOP, f"cannot be read: {error.strerror}", "Check the file and its rights") from None
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 (byte {error.start})"
        raise ConfigError(label, TOP, problem, "Save it as UTF-8, not as GBK or GB18030") from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> Raw:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _laid_over(cast(Raw, below), value) if both else value
    return merged


class _Naming:
    """Turns a pydantic error into the file, the key as its writer knows it, and what to do."""

    def __init__(self, folder: Path, raw: Raw, over: Raw, overlay: Path | None) -> None:
        self._folder, self._raw, self._over, self._overlay = folder, raw, over, overlay

    def problem(self, error: ErrorDetails) -> ConfigError:
        loc = error["loc"]
        file = self._folder / FILES[str(loc[0])]
        if self._overlay is not None and loc[0] == "sla" and _reaches(self._over, loc[1:]):
            file = self._overlay
        problem, remedy = _in_words(error)
        return ConfigError(_label(file), self._key(loc), problem, remedy)

    def _key(self, loc: Loc) -> str:
        node: Any = self._raw[str(loc[0])]
        key = ""
        for step in loc[1:]:
            node = _below(node, step)
            if isinstance(step, int):
                key += f"[{_own_name(node) or step}]"
            else:
                key += f".{step}" if key else step
        return key or TOP


def _below(node: Any, step: int | str) -> Any:
    try:
        return node[step]
    except (KeyError, IndexError, TypeError):
        return None


def _reaches(node: Any, loc: Loc) -> bool:
    for step in loc:
        node = _below(node, step)
    return node is not None


def _own_name(node: Any) -> str | None:
    if not isinstance(node, dict):
        return None
    return next((str(node[key]) for key in NAMING_KEYS if isinstance(node.get(key), str)), None)


def _in_words(error: ErrorDetails) -> tuple[str, str]:
    kind, key = error["type"], error["loc"][-1]
    facts = error.get("ctx", {})
    if kind == "missing":
        return "is missing", f"Add `{key}`"
    if kind == "extra_forbidden":
        return "is not a known key", f"Remove `{key}` or correct its spelling"
    if kind in ("literal_error", "enum"):
        return f"{_shown(error['input'])} is not allowed", f"Use one of {facts.get('expected')}"
    if kind == "too_short":
        return "has too few entries", f"Give at least {facts.get('min_length')}"
    if kind == "too_long":
        return "has too many entries", f"Give at most {facts.get('max_length')}; holes and extra rings are not allowed"
    if kind == "string_pattern_mismatch":
        return f"{_shown(error['input'])} has characters that are not allowed", f"It must match {facts.get('pattern')}"
    if kind == "value_error":
        return str(facts.get("error", error["msg"])), "Change the value accordingly"
    wanted = error["msg"].removeprefix("Input should be ")
    return f"{_shown(error['input'])} is not acceptable", f"It should be {wanted}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
