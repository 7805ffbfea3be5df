"""Reading docker-compose.yml and the Dockerfile as an engine would, as far as ours use them."""

from __future__ import annotations

import compileall
import re
import shlex
import shutil
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

import yaml

from web import vendor

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<text>[^}]*))?\}")
_DURATION = re.compile(r"(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?")


class MissingVariable(Exception):
    """A `${NAME:?text}` without a value; the text is what the person at the keyboard reads."""


def compose(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file as it stands, or with every variable replaced from `environment`."""
    tree = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return cast(dict[str, Any], tree if environment is None else _resolved(tree, environment))


def services(environment: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    return cast(dict[str, dict[str, Any]], compose(environment)["services"])


def _resolved(node: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _resolved(value, environment) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(value, environment) for value in node]
    if isinstance(node, str):
        return _VARIABLE.sub(lambda found: _value(found, environment), node)
    return node


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    given = environment.get(found["name"], "")
    if given or found["kind"] is None:
        return given
    if found["kind"] == ":?":
        raise MissingVariable(found["text"])
    return found["text"]


def variables() -> set[str]:
    text = "\n".join(
        line for line in COMPOSE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
    return {found["name"] for found in _VARIABLE.finditer(text)}


def seconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    assert found, f"{duration} is no duration like 1m30s"
    return int(found["minutes"] or 0) * 60 + int(found["seconds"] or 0)


def instructions() -> list[list[tuple[str, str]]]:
    """The Dockerfile's stages, each a list of (instruction, arguments)."""
    text = re.sub(r"\\\n", " ", DOCKERFILE.read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages: list[list[tuple[str, str]]] = []
    for line in lines:
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, arguments.strip()))
    return stages


def image_environment() -> dict[str, str]:
    """The final stage's ENV, without what only means something inside (PATH) or at build time (the commit)."""
    pairs = [word.partition("=") for name, words in instructions()[-1] if name == "ENV" for word in shlex.split(words)]
    return {key: value for key, _, value in pairs if key not in {"PATH", "PYTHONPATH", "LINLI_COMMIT"}}


def copies() -> list[tuple[list[str], str]]:
    """(sources, target) of every COPY from the checkout into the final stage."""
    found = []
    for name, arguments in instructions()[-1]:
        words = arguments.split()
        if name == "COPY" and not any(word.startswith("--from") for word in words):
            *sources, target = [word for word in words if not word.startswith("--")]
            found.append((sources, target))
    return found


def reaches_builder(path: str) -> bool:
    """Whether .dockerignore lets a file through: the last rule that names it, or a folder of it, decides."""
    through = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            keeps = rule.startswith("!")
            if _names(rule.removeprefix("!"), path):
                through = keeps
    return through


def _names(rule: str, path: str) -> bool:
    parts = path.split("/")
    heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    if rule.startswith("**/"):
        return any(fnmatch(part, rule[3:]) for part in parts)
    return any(fnmatch(head, rule) and head.count("/") == rule.count("/") for head in heads)


def lay_out_image(root: Path) -> None:
    """Put below `root` the files the image would hold of the checkout and of its stage `pages`; compiled, as the image is."""
    for sources, target in copies():
        place = root / target.lstrip("/") if target.startswith("/") else root / "app" / target
        for source in sources:
            _copy(ROOT / source, place if len(sources) == 1 and not target.endswith("/") else place / _name_in(source))
    vendor.gather(root / "app/web/node_modules")
    compileall.compile_dir(root / "app", quiet=1)


def _name_in(source: str) -> str:
    return "" if source.endswith("/") else Path(source).name  # COPY of a folder copies what is in it


def _copy(source: Path, target: Path) -> None:
    def kept_out(folder: str, names: list[str]) -> set[str]:
        below = Path(folder).relative_to(ROOT)
        return {name for name in names if not reaches_builder((below / name).as_posix())}

    if source.is_dir():
        shutil.copytree(source, target, ignore=kept_out, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
