"""The residents' scripts are read by browsers of 2017 (Chrome 60 in old WebViews): what those cannot parse, or have not got, is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from web import resident

STATIC = Path(resident.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("resident*.js"))
TOO_NEW = {
    "optional chaining": r"\?\.(?!\d)", "nullish": r"\?\?", "logical assignment": r"(\|\||&&|\?\?)=", "arrow": r"=>",
    "let or const": r"^\s*(let|const)\s", "class": r"\bclass\s+\w+\s*(extends\b|\{)", "template": r"`", "async": r"\b(async|await)\b",
    "spread": r"\.\.\.", "module": r"^\s*(import|export)\b", "catch without a name": r"catch\s*\{", "for of": r"for\s*\(.*\sof\s",
    "private field": r"[.\s]#[a-z]\w*\s*[=(;]", "numeric separator": r"\b\d+_\d", "big integer": r"\b\d+n\b",
    "replaceAll": r"\.replaceAll\(", "flat": r"\.(flat|flatMap|at|matchAll|replaceChildren|toSorted)\(", "structuredClone": r"structuredClone",
    "entries": r"Object\.(fromEntries|hasOwn)", "settled": r"Promise\.(allSettled|any)", "globalThis": r"globalThis",
    "dialog": r"showModal", "has()": r":has\(|:is\(", "clipboard": r"navigator\.clipboard", "uuid": r"randomUUID",
}  # fmt: skip
MARKUP = r"\.(innerHTML|outerHTML|insertAdjacentHTML)\b|document\.write"


def code_of(path: Path) -> str:
    """Without comments and what stands in quotes."""
    text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)


def test_there_are_scripts_and_the_search_sees_what_it_must() -> None:
    assert {path.name for path in SCRIPTS} >= {"resident.js", "resident-report.js", "resident-follow.js"}
    new = "const a = b?.c ?? `d`;\nx.replaceAll(1); try { y(); } catch { z(); }\nasync () => { await w; };\n"
    seen = {name for name, pattern in TOO_NEW.items() if re.search(pattern, new, re.MULTILINE)}
    assert seen >= {
        "let or const", "optional chaining", "nullish", "template", "replaceAll", "catch without a name", "async", "arrow",
    }  # fmt: skip


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_browser_of_2017_reads_it(path: Path) -> None:
    code = code_of(path)
    assert {n: found[0] for n, p in TOO_NEW.items() if (found := re.search(p, code, re.MULTILINE))} == {}
    assert not re.search(MARKUP, code), "text is never markup"
    assert len(code.splitlines()) <= 400


@pytest.mark.parametrize("name", ["report.html", "follow.html", "base.html"])
def test_the_pages_load_no_script_of_the_staffs(name: str) -> None:
    text = (STATIC.parent / "templates" / "resident" / name).read_text(encoding="utf-8")
    assert set(re.findall(r"asset\('([\w-]+\.js)'\)", text)) <= {path.name for path in SCRIPTS} | {"leaflet.js"}
