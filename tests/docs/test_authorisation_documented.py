"""docs/reference/authorisation.md says what routes and rules say: `python -m api.authorisation_table > docs/reference/authorisation.md`."""

from __future__ import annotations

from api.authorisation_table import page, rows
from domain.needs import Need
from runtime.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "reference" / "authorisation.md"


def test_the_page_is_what_routes_and_rules_say() -> None:
    remedy = "run: python -m api.authorisation_table > docs/reference/authorisation.md"
    assert PAGE.read_text(encoding="utf-8") == page(), remedy


def test_every_route_and_every_need_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [row.path for row in rows() if f"| `{row.method} {row.path}` |" not in text]
    assert not [need for need in Need if f"| `{need}` | {need.words} |" not in text]


def test_every_need_is_asked_for_by_a_route_or_by_a_service() -> None:
    of_routes = {row.declared.need for row in rows()}
    services = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("service", "domain", "api")
        for file in (PROJECT_ROOT / folder).rglob("*.py")
        if file.name not in ("needs.py", "roles.py")
    )
    assert not [need for need in Need if need not in of_routes and f"Need.{need.name}" not in services]
