"""Modules stay small, functions short, names tell, and nothing in the tree knows the machine it was written on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from statistics import quantiles

import pytest

from tests.arch.files import PRODUCT, ROOT, modules, text_files

LONGEST_MODULE, LONGEST_TEST_MODULE, LONGEST_FUNCTION = 400, 500, 60
LONGEST_WORKFLOW = 250
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc"}
# Tables of words and generated code are long because there is much of them, not because they are complicated.
TABLES: set[str] = set()
LITERALS = {"tests/domain/test_district.py a_district"}
# Put together, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join((r"(?<![\w.])/" + "work/", r"/" + r"home/[a-z]", "/" + r"Users/[A-Za-z]", r"[A-Z]:\\" + r"Users\\"))
)  # fmt: skip
REGISTRY = re.compile(
    "|".join(
        (
            "pypi" + r"\.org",
            "files.python" + "hosted",
            r"registry\.npm" + "js",
            "--(extra-)?index-" + "url",
            r"\bindex-" + r"url\s*=",
            "registry" + r"\.yarnpkg",
            "/simp" + r"le/\s*$",
        )
    ),
    re.MULTILINE,
)


def functions() -> Iterator[tuple[str, int]]:
    for name, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_modules_stay_small() -> None:
    def limit(name: str) -> int:
        return LONGEST_TEST_MODULE if name.startswith("tests/") else LONGEST_MODULE

    lengths = {name: text.count("\n") for name, text in modules() if name not in TABLES}
    assert len(lengths) > 100, "the search found too little; it has to be mended"
    too_long = {name: length for name, length in lengths.items() if length > limit(name)}
    assert not too_long, f"split them: {too_long}"


def test_functions_stay_short() -> None:
    lengths: dict[str, int] = {}
    for name, length in functions():
        lengths[name] = max(length, lengths.get(name, 0))
    too_long = {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION and name not in LITERALS}
    assert not too_long, f"split them: {too_long}"
    assert quantiles(lengths.values(), n=10)[-1] <= 30


def test_workflows_can_be_read_aloud() -> None:
    lengths = {name: text.count("\n") for name, text in modules() if name.startswith("workflows/")}
    assert all(length <= LONGEST_WORKFLOW for length in lengths.values()), lengths


def test_no_module_is_a_drawer_for_everything() -> None:
    parts = {part for name, _ in modules() for part in name.removesuffix(".py").split("/")}
    assert not parts & FORBIDDEN_NAMES


def test_worker_is_a_composition_root_and_stays_one() -> None:
    assert (ROOT / "worker.py").read_text(encoding="utf-8").count("\n") <= 80


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [f"{name}: {hit[0]}" for name, text in text_files() if (hit := MACHINE.search(text))]
    assert not found


def test_no_file_names_a_package_registry() -> None:
    found = [f"{name}: {hit[0].strip()}" for name, text in text_files() if (hit := REGISTRY.search(text))]
    assert not found


@pytest.mark.parametrize("level", ["app", "demo", "dev"])
def test_requirements_are_pinned_by_hash_and_carry_no_address(level: str) -> None:
    text = (ROOT / "requirements" / f"{level}.txt").read_text(encoding="utf-8")
    assert "://" not in text and not re.search(r"^--?[a-z]", text, re.MULTILINE)
    pins = re.findall(r"^([a-zA-Z0-9][\w.-]*(?:\[[^]]*\])?) *==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(blocks) > 10
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_domain_asks_no_clock_and_no_chance() -> None:
    forbidden = {"now", "utcnow", "today", "uuid4", "getenv", "environ", "monotonic", "urandom"}
    found = [
        f"{name}:{node.lineno} .{node.attr}"
        for name, text in modules()
        if name.startswith(("domain/", "contracts/"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in forbidden and not _is_turns_own(node)
    ]
    assert not found


def _is_turns_own(node: ast.Attribute) -> bool:
    """`t.now`: the instant that the caller passed."""
    return node.attr == "now" and isinstance(node.value, ast.Name) and node.value.id in ("t", "self")


def test_every_package_of_the_product_says_what_each_module_is_for() -> None:
    silent = [
        name
        for name, text in modules()
        if name.split("/")[0] in PRODUCT and text.strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert [name for name in silent if "/migrations/" not in name] == []
