"""What hostile inputs got, door by door, as the page docs/reference/hostile.md has it.

Each test notes what it saw; at the end of its file the notes must be what the page says.
`WRITE_HOSTILE=1 pytest tests/contract/test_hostile_*.py` writes the page anew; look at the difference before keeping it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import httpx2

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "hostile.md"
HEAD = """# Hostile inputs

What was sent to hurt, through which door, and what it got. Every line is asserted by the tests named in its section; this page is checked against what they saw.

Every operation of the OpenAPI document is also run by schemathesis, for six callers: `tests/contract/test_schemathesis.py` in short, `python -m bench.fuzz` at length (`--examples N`, `--seed N`, `--caller NAME`, `--operation ID`).
"""
_SECTION = re.compile(r"^## .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class Table:
    """The lines of one section, in the order in which they were seen."""

    def __init__(self, title: str, tests: str) -> None:
        self._title, self._tests = title, tests
        self._rows: dict[tuple[str, str], str] = {}

    def note(self, door: str, attack: str, got: str) -> None:
        self._rows[door, attack] = got

    def section(self) -> str:
        lines = [f"## {self._title}\n", f"Tests: `{self._tests}`\n", "| door | attack | got |", "| --- | --- | --- |"]
        lines += [f"| {_cell(door)} | {_cell(attack)} | {_cell(got)} |" for (door, attack), got in self._rows.items()]
        return "\n".join(lines) + "\n"

    def must_stand_on_the_page(self) -> None:
        section, page = self.section(), PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
        sections = {found[0].partition("\n")[0]: found[0].rstrip() + "\n" for found in _SECTION.finditer(page)}
        head = section.partition("\n")[0]
        if os.environ.get("WRITE_HOSTILE"):
            sections[head] = section
            PAGE.write_text(HEAD + "\n" + "\n".join(sections[one] for one in sorted(sections)), encoding="utf-8")
        print(f"\n{section}")
        assert sections.get(head) == section, f"{PAGE.name} says otherwise; WRITE_HOSTILE=1 writes it anew"


def _cell(text: str) -> str:
    shown = "".join(c if c.isprintable() and ord(c) not in range(0x2000, 0x2070) else f"\\u{ord(c):04x}" for c in text)
    return shown.replace("|", "\\|").replace("<", "&lt;")


def told(answers: Iterable[httpx2.Response]) -> str:
    """Which answers there were: statuses with the codes of the problems, each once."""
    seen = Counter(f"{a.status_code} {_code(a)}".strip() for a in answers)
    return ", ".join(sorted(seen))


def _code(answer: httpx2.Response) -> str:
    kind = answer.headers.get("content-type", "")
    return str(answer.json()["code"]) if kind == "application/problem+json" else ""
