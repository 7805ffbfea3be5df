"""docs/reference/rates.md says what the definition in force counts: `python -m tests.docs.test_rates_documented`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from domain.kpi_definition import Definition, RateBook
from domain.kpi_words import AS_OF_EN, AS_OF_ZH, excluded_words, figures_of, words_of
from domain.rates import DIMENSIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "rates.md"
BOOK = RateBook.model_validate(tomllib.loads((ROOT / "config" / "shengli-road" / "rates.toml").read_text("utf-8")))

HEAD = """\
# Rates 指标口径

What the figures of `GET /api/v1/rates` count, by definition {version} of the reference district, the one in force. This page
is written from the same words that `GET /api/v1/rates/definitions` answers with; the numbers in them come from the pack's
rates.toml, which also has: {others}. Every figure is computed from the event log and from nothing else.

* {as_of_zh}<br>{as_of_en}
* {excluded_zh}<br>{excluded_en}
* Without a case a figure is `null` with the note `no cases`, never 0. 没有案例时为空，不记为 0。
* Groupings: {dimensions}. The parts of a grouping add up to the whole; what has no such key counts under `null`.

| figure | 中文 | numerator 分子 | denominator 分母 | counted in 计入 |
|---|---|---|---|---|
"""


def page() -> str:
    definition = BOOK.definition()
    assert definition is not None
    zh, en = excluded_words(definition)
    head = HEAD.format(
        version=f"`{definition.version}`", as_of_zh=AS_OF_ZH, as_of_en=AS_OF_EN, excluded_zh=zh, excluded_en=en,
        others=", ".join(f"`{d.version}`" for d in BOOK.definitions if d.version != definition.version) or "no other",
        dimensions=", ".join(f"`{d}`" for d in DIMENSIONS),
    )  # fmt: skip
    return head + "".join(_row(figure, definition) for figure in figures_of(definition))


def _row(figure: str, definition: Definition) -> str:
    w = words_of(figure, definition)
    return (
        f"| `{figure}`<br>{w.en} | {w.zh} | {w.numerator_zh}<br>{w.numerator_en} | {w.denominator_zh}<br>{w.denominator_en}"
        f" | {w.month_zh}<br>{w.month_en} |\n"
    )


def test_the_page_is_what_the_definition_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.test_rates_documented"


def test_every_figure_stands_on_the_page() -> None:
    assert all(f"| `{figure}`<br>" in page() for definition in BOOK.definitions for figure in figures_of(definition))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
