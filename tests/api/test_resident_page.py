"""The page that links lead to: the same for everybody, with nothing of any demand in it, and what no browser may be talked into."""

from __future__ import annotations

import re

import pytest

from tests.api.callers import Http
from tests.api.residents import by_telephone


@pytest.mark.parametrize(("language", "title"), [("zh-CN,zh;q=0.9", "您的诉求"), ("en-GB", "Your demand")])
async def test_the_page_is_the_same_for_everybody_and_runs_only_our_script(
    http: Http, language: str, title: str
) -> None:
    answer = await http.client.get("/f", headers={"Accept-Language": language})
    assert answer.status_code == 200 and f"<h1>{title}</h1>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer" and "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|https?://", answer.text)
    told = await by_telephone(http)
    assert (await http.client.get("/f", headers={"Accept-Language": language})).text == answer.text
    assert told["number"] not in answer.text


@pytest.mark.parametrize(("path", "kind"), [("/f/page.js", "text/javascript"), ("/f/page.css", "text/css")])
async def test_what_the_page_loads_is_ours(http: Http, path: str, kind: str) -> None:
    answer = await http.client.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
    assert "innerHTML" not in answer.text and not re.search(r"https?://", answer.text)
