"""Static files by their content: the address, the guards, packed bodies, and old addresses that heal."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from web import assets, icons

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def browser() -> TestClient:
    app = FastAPI()
    app.include_router(assets.router)
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("linli.css", "text/css; charset=utf-8"),
        ("htmx.js", "text/javascript; charset=utf-8"),
        ("icons.svg", "image/svg+xml"),
        ("images/marker-icon.png", "image/png"),
    ],
)
def test_a_file_may_be_kept_for_a_year_and_is_taken_for_nothing_else(browser: TestClient, name: str, kind: str) -> None:
    answer = browser.get(assets.url(name))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
    ],
)
def test_it_is_packed_for_whoever_unpacks(browser: TestClient, accepted: str, packed: bool) -> None:
    with browser.stream("GET", assets.url("bootstrap.css"), headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    asset = assets.find("bootstrap.css")
    assert asset is not None
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert int(answer.headers["content-length"]) == len(raw)
    assert (gzip.decompress(raw) if packed else raw) == asset.body


def test_pictures_are_not_packed_twice(browser: TestClient) -> None:
    assert "content-encoding" not in browser.get(assets.url("images/layers.png")).headers


def test_an_address_of_another_release_leads_to_what_there_is_now(browser: TestClient) -> None:
    healed = browser.get("/assets/000000000000/linli.css")
    assert (healed.status_code, healed.headers["location"]) == (302, assets.url("linli.css"))
    assert healed.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.css", "", ".", "../assets.py", "%2e%2e/assets.py", "..%2fassets.py", "/etc/passwd", "%2fetc%2fpasswd",
        "htmx.js.map", "bootstrap/dist/css/bootstrap.min.css", "a%00b", "%ff", "linli.css/", "x" * 300, "y/" * 3000 + "z",
    ],
)  # fmt: skip
def test_nothing_else_is_to_be_had(browser: TestClient, name: str) -> None:
    assert browser.get(f"/assets/000000000000/{name}", follow_redirects=True).status_code == 404


def test_a_name_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(LookupError, match=r"no asset nothing\.css.*installed by \./run"):
        assets.url("nothing.css")


def test_a_file_that_changes_gets_another_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "_STATIC", tmp_path)
    monkeypatch.setattr(assets, "_kept", {})
    (tmp_path / "a.css").write_text("a {}")
    first = assets.url("a.css")
    (tmp_path / "a.css").write_text("b {}")
    os.utime(tmp_path / "a.css", (1, 1))
    assert assets.url("a.css") != first


def test_the_sprite_holds_each_icon_once_and_takes_the_colour_of_the_text() -> None:
    root = ElementTree.fromstring(icons.sprite())
    symbols = root.findall(f"{SVG}symbol")
    assert [one.get("id") for one in symbols] == [f"i-{name}" for name in icons.ICONS]
    assert len(set(icons.ICONS)) == len(icons.ICONS)
    for one in symbols:
        assert (one.get("viewBox"), one.get("stroke"), one.get("fill")) == ("0 0 24 24", "currentColor", "none")
        assert list(one)
    assert not [use for use in root.iter() if use.get("d") == "M0 0h24v24H0z"]
