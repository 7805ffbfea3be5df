"""A client of Open311 as a test needs it, and golden files of what it said and heard.

`WRITE_GOLDEN=1 pytest tests/contract` writes them anew; look at the difference before keeping it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from xml.etree import ElementTree

import httpx2

from service.tokens import mint
from tests.builders import CONSULT, TOKEN_SECRET

GOLDEN = Path(__file__).parent / "golden" / "open311"
BASE = "/open311/v2"
FORM = "application/x-www-form-urlencoded"
MOST_LINES = 60
ROOF = {"service_code": "020401", "attribute[floor]": "7"}

# What differs from run to run, and how it must look.
_VARYING = (
    ("update", re.compile(r"\b\d{8}-\d{6,12}-\d+-[0-9a-f]{8}\b|\bu-[0-9a-f]{20}\b")),
    ("token", re.compile(r"\b\d{8}-\d{6,12}-[0-9a-f]{24}\b")),
    ("id", re.compile(r"\b\d{8}-\d{6,12}\b")),
    ("asked", re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")),
    ("time", re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")),
    ("minute", re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b")),
    ("changeset", re.compile(r"\b[\w.]+\+[\w.]+\+[\w.]+\.[0-9a-f]{12}\b")),
)


def key_of(person: str) -> str:
    return mint(TOKEN_SECRET, person)


class Peer:
    def __init__(self, client: httpx2.AsyncClient, person: str | None, base: str = BASE) -> None:
        self.client = client
        self.base = base
        self.key = key_of(person) if person else None
        self.said: list[str] = []

    async def get(self, path: str, *, headers: Any = None, **params: Any) -> httpx2.Response:
        if self.key is not None:
            params = {"api_key": self.key, **params}
        answer = await self.client.get(self.base + path, params=params or None, headers=headers)
        self._note("GET", path, urlencode({k: v for k, v in params.items() if k != "api_key"}), answer)
        return answer

    async def post(self, path: str, fields: dict[str, Any] | list[tuple[str, str]]) -> httpx2.Response:
        pairs = list(fields.items()) if isinstance(fields, dict) else fields
        sent = [(k, each) for k, v in pairs for each in (v if isinstance(v, list) else [v])]
        body = urlencode([("api_key", self.key), *sent] if self.key else sent)
        answer = await self.client.post(self.base + path, content=body, headers={"Content-Type": FORM})
        self._note("POST", path, urlencode(sent), answer)
        return answer

    async def create(self, **fields: Any) -> str:
        """A request of this client; its id."""
        given = {"service_code": CONSULT, "lat": "29.3667", "long": "105.9100", "description": "请问怎么办理", **fields}
        answer = await self.post("/requests.json", {k: v for k, v in given.items() if v is not None})
        assert answer.status_code == 200, answer.text
        number: str = answer.json()[0]["service_request_id"]
        return number

    def _note(self, method: str, path: str, sent: str, answer: httpx2.Response) -> None:
        told = " ".join(f"{k}={_short(v)}" for k, v in parse_qsl(sent, keep_blank_values=True))
        kind = answer.headers["content-type"]
        body = answer.text
        if "json" in kind:
            body = json.dumps(answer.json(), ensure_ascii=False, indent=1)
        elif "xml" in kind:
            tree = ElementTree.fromstring(answer.content)
            ElementTree.indent(tree, " ")
            body = ElementTree.tostring(tree, encoding="unicode")
        self.said.append(
            f"{method} {quote(path)} {told}".rstrip() + f"\n{answer.status_code} {kind}\n{_short_body(body)}\n"
        )


def _short(value: str) -> str:
    value = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value)
    return value if len(value) <= 60 else f"{value[:30]}… ({len(value)} characters)"


def _short_body(body: str) -> str:
    lines = body.split("\n")
    return body if len(lines) <= MOST_LINES else "\n".join([*lines[:MOST_LINES], "…"])


def normal(text: str) -> str:
    """The transcript without what varies: each varying thing gets a number of its own, so that sameness still shows."""
    for name, pattern in _VARYING:
        text = pattern.sub(_Numbered(name), text)
    return text


class _Numbered:
    """What stands for a match: its name, and a number for each that is another one, but for times."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        if self._name in ("asked", "time", "minute"):
            return f"<{self._name}>"
        return self._seen.setdefault(match[0], f"<{self._name} {len(self._seen) + 1}>")


def golden(line: int, *peers: Peer) -> None:
    """What these peers said and heard is what the golden file of this line of the conformance list says."""
    said = normal("\n".join(one for peer in peers for one in peer.said))
    file = GOLDEN / f"{line:02}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8"), f"{file.name} says otherwise; WRITE_GOLDEN=1 writes it anew"


def rows_of(answer: httpx2.Response) -> list[dict[str, str | None]]:
    """The children of an XML answer as flat mappings."""
    assert answer.status_code == 200, answer.text
    root = ElementTree.fromstring(answer.content)
    return [{field.tag: field.text for field in row} for row in root]


def faults_of(answer: httpx2.Response) -> list[str]:
    """The codes of the errors, from either format; each must have a sentence."""
    if "json" in answer.headers["content-type"]:
        errors = answer.json()
    else:
        errors = [{f.tag: f.text for f in error} for error in ElementTree.fromstring(answer.content)]
    assert errors and all(set(e) == {"code", "description"} and e["description"] for e in errors), answer.text
    return [e["code"] for e in errors]
