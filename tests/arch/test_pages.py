"""Pages: each says whom it is for, speaks by the catalogue in both languages, and runs no script of its own making."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from domain.needs import Need
from tests.arch.files import ROOT
from web.need import need_of
from web.page import PageRoute
from web.routers import ROUTERS
from web.words import catalogue

WEB = ROOT / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
STATIC = sorted((WEB / "static").rglob("*.js"))
CHINESE = re.compile(r"[\u3400-\u9fff]")
# A language is named in itself, whatever language the page is in.
OWN_NAMES = ("中文",)
SAID = re.compile(r"""\bt\(\s*["']([a-z0-9_]+\.[a-z0-9_]+\.[A-Za-z0-9_]+)["']\s*[,)]""")


def routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def test_every_page_says_whom_it_is_for_and_does_nothing_but_show() -> None:
    found = list(routes())
    assert len(found) > 4
    for route in found:
        assert isinstance(need_of(route.endpoint), Need), f"write @page(Need.…) below the @router line of {route.path}"
        assert route.methods == {"GET"}, f"{route.path}: deeds are sent to the API"
        assert isinstance(route, PageRoute) or need_of(route.endpoint) is Need.PUBLIC, route.path


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_speaks_by_the_catalogue_and_holds_no_script(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    for name in SAID.findall(text):
        assert name in catalogue(), f"web/words/{name.partition('.')[0]}.toml lacks {name}"
    for word in OWN_NAMES:
        text = text.replace(word, "")
    assert not CHINESE.search(text), "write the sentence into web/words"
    assert not re.search(r"<script(?![^>]*\b(src=|type=\"application/json\"))", text), "scripts lie in web/static"
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|https?://(?!uri\.amap\.com|www\.w3\.org)", text
    )


@pytest.mark.parametrize("script", STATIC, ids=lambda path: path.name)
def test_a_script_holds_no_words_and_makes_no_code(script: Path) -> None:
    text = re.sub(r"(?m)^\s*(//|/?\*).*$", "", script.read_text(encoding="utf-8"))
    assert not CHINESE.search(text), "hand the words over by data attributes"
    assert not re.search(r"\beval\(|new Function\(", text)
    assert len(text.splitlines()) <= 400


def test_the_catalogue_says_everything_twice() -> None:
    for name, (zh, en) in catalogue().items():
        assert set(re.findall(r"\{(\w+)\}", zh)) >= set(re.findall(r"\{(\w+)\}", en)) - {"short"}, name
        assert not CHINESE.search(en.replace("中文", "")) or name.endswith("_zh"), name


def test_nothing_of_a_registry_is_in_the_repository() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock and lock.count('"integrity"') >= 6
