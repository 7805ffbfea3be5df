"""Every problem code is documented, every code that is raised is in the table.

Run this file to write docs/reference/errors.md anew: `python -m tests.docs.test_errors_documented`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from api.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "errors.md"
SOURCES = ("domain", "contracts", "workflows", "activities", "store", "gateways", "service", "api", "web")
# Where the code stands among the arguments of what raises or declares it.
CODE_ARGUMENT = {"DomainError": 0, "problem": 0, "problem_response": 1, "Condition": 1}

HEAD = """\
# Errors 错误代码

Every refusal of the HTTP API is an `application/problem+json` document (RFC 9457). This page is written from the
table in `api/problems.py`; the server shows the same at `/docs/errors`.

| member | meaning |
|---|---|
| `code` | stable word of the table below; programs decide by it |
| `type` | `/docs/errors#code` |
| `title`, `detail` | the kind, and what to do; Chinese, or English where `Accept-Language` prefers it |
| `status` | the HTTP status again |
| `instance` | the path that was asked for |
| `request_id` | the answer's `X-Request-Id`; `trace_id` stands beside it where the request had a `traceparent` |
| `rule` | the rule that refused, in its own words |
| `facts` | what the rule looked at: ids, stages, instants; never personal data |
| `errors` | with `validation_failed`: `in`, `pointer` (JSON Pointer within it), `code`, `detail` |

Nothing of what was sent is repeated, except field names. `Retry-After` is in seconds; a repeat carries the same
`Idempotency-Key`.

| code | status | 中文 | English | what to do 怎么办 | Retry-After |
|---|---|---|---|---|---|
"""


def page() -> str:
    rows = (
        f"| `{code}` | {k.status} | {k.zh} | {k.en} | {k.do_zh}<br>{k.do_en} | {k.retry_after or ''} |\n"
        for code, k in PROBLEMS.items()
    )
    return HEAD + "".join(rows)


def _codes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_ARGUMENT:
            place = CODE_ARGUMENT[node.func.id]
            if len(node.args) > place and not isinstance(node.args[place], ast.JoinedStr):
                # All of it, because `problem("a" if … else "b")` raises either.
                yield from _words(node.args[place])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_known":
            # domain/district.py puts its codes together from what was looked for.
            yield from (f"unknown_{what}" for what in _words(node.args[2]))


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value


def raised_codes() -> dict[str, str]:
    files = (f for source in SOURCES for f in sorted((ROOT / source).rglob("*.py")))
    return {code: str(f.relative_to(ROOT)) for f in files for code in _codes(ast.parse(f.read_text(encoding="utf-8")))}


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.test_errors_documented"


def test_every_code_that_is_raised_is_in_the_table() -> None:
    raised = raised_codes()
    assert {"nested_too_deep", "unknown_person"} <= raised.keys(), "the search found nothing; it has to be mended"
    missing = {code: file for code, file in raised.items() if code not in PROBLEMS}
    assert not missing, f"add them to api/problems.py: {missing}"


def test_codes_are_words_and_titles_are_distinct() -> None:
    assert all(code.isidentifier() and code == code.lower() for code in PROBLEMS)
    assert len({k.zh for k in PROBLEMS.values()}) == len(PROBLEMS) == len({k.en for k in PROBLEMS.values()})


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
