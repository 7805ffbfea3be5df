"""The page about the lifecycle says what the rules say, and the README's diagram is the page's."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.diagram import mermaid, page
from domain.lifecycle import RULES
from domain.vocabulary import Stage

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "lifecycle.md"


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m domain.diagram > docs/reference/lifecycle.md"


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_diagram_in_the_readme_is_the_drawn_one(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert mermaid() in text, "take the diagram of `python -m domain.diagram` into both READMEs"


def test_every_stage_and_every_command_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [r.command for r in RULES if f"| `{r.command}` |" not in text]
    assert not [stage for stage in Stage if f"    {stage}: {stage} " not in text]
