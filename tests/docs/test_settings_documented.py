"""Every setting stands in docs/reference/settings.md.

Run this file to write the page anew: `python -m tests.docs.test_settings_documented`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from runtime.settings import Settings, variable_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"

HEAD = """\
# Settings 设置

Linli is configured by environment variables alone. API and worker read the same ones, once, when they start; what is
missing or unusable is named in one sentence and nothing is started. An empty variable counts as not set.

| variable | default | meaning |
|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(
        f"| `{variable_of(name)}` | {_default(name)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.is_required():
        return "required"
    return "not set" if field.default is None or isinstance(field.default, SecretStr) else f"`{field.default}`"


def test_the_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.test_settings_documented"


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
