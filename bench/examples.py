"""Records the examples of the OpenAPI document: one short story on a fresh installation, every exchange as it was.

    python -m bench.examples

writes api/static/examples.json anew. Secrets are cut; nothing else is touched, so an example is never what somebody
imagined. tests/contract holds that each is what the document says of its operation.
"""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from pathlib import Path
from typing import Any

import httpx2

from devstack.stack import Stack
from service.tokens import mint

PAGE = Path(__file__).resolve().parent.parent / "api" / "static" / "examples.json"
ROWS, LONGEST_TEXT = 2, 400
PEOPLE = {"resident": "resident-0001", "supervisor": "p-0002", "operator": "p-0004", "integrator": "p-0009"}
_RECEIVER, _SHOWN = "http://127.0.0.1:9/", "https://receiver.example.cn/"
_SECRET = re.compile(r"(linli_[a-z0-9]{4,}_|whsec_)[A-Za-z0-9_+/=-]{12,}")


class Recorder:
    """An HTTP client that remembers, by operation id, what was sent and what came."""

    def __init__(self, url: str, token_secret: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=30)
        self._secret = token_secret
        self._operations = _operations(self._client.get("/openapi.json").json())
        self.found: dict[str, dict[str, Any]] = {}

    def get(self, path: str, by: str, **query: str) -> Any:
        return self._ask("GET", path, by, query=query)

    def post(self, path: str, by: str, body: Any, name: str = "example") -> Any:
        return self._ask("POST", path, by, body=body, name=name)

    def put(self, path: str, by: str, body: Any) -> Any:
        return self._ask("PUT", path, by, body=body)

    def _ask(
        self, method: str, path: str, by: str, *, body: Any = None, query: dict[str, str] | None = None,
        name: str = "example",
    ) -> Any:  # fmt: skip
        headers = {
            "Authorization": f"Bearer {mint(self._secret, PEOPLE.get(by, by))}",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        answer = self._client.request(method, path, headers=headers, params=query or None, json=body)
        if answer.status_code >= 500 or (answer.is_error and name == "example"):
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        said = answer.json() if answer.content else None
        kept = self.found.setdefault(self._operation(method, path), {})
        if body is not None and answer.is_success:
            kept.setdefault("requests", {}).setdefault(name, _cut(body))
        kept.setdefault("answers", {}).setdefault(str(answer.status_code), _cut(said))
        return said

    def _operation(self, method: str, path: str) -> str:
        return next(id for verb, pattern, id in self._operations if verb == method and pattern.fullmatch(path))


def _operations(document: dict[str, Any]) -> list[tuple[str, re.Pattern[str], str]]:
    """Fixed paths before those with parameters, as the server tries them."""
    rows = [(m.upper(), p, o["operationId"]) for p, ms in document["paths"].items() for m, o in ms.items()]
    rows.sort(key=lambda row: row[1].count("{"))
    return [(m, re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(p))), id) for m, p, id in rows]


def _cut(value: Any) -> Any:
    """Without secrets, and with no more rows than show the shape."""
    if isinstance(value, dict):
        return {key: _cut(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cut(one) for one in value[:ROWS]]
    if isinstance(value, str):
        return _SECRET.sub(r"\1…", value[:LONGEST_TEXT]).replace(_RECEIVER, _SHOWN)
    return value


def _follow_one(to: Recorder, number: str) -> None:
    one = f"/api/v1/demands/{number}"
    worker = to.get(one, "operator")["holder"]["id"]
    to.post(f"{one}/actions", worker, {"type": "accept"}, "accept")
    to.post(f"{one}/actions", worker, {"type": "contact", "note": "已电话联系，今晚上门。"}, "contact")
    to.post(f"{one}/actions", "operator", {"type": "accept"}, "refused")
    to.post(f"{one}/actions", worker, {"type": "resolve", "reply": "路灯已修复，灯泡已更换。"}, "resolve")
    for path in ("", "/events", "/clocks", "/texts", "/notices", "/references", "/routing", "/files", "/followers"):
        to.get(one + path, "operator")
    to.post(f"{one}/references", "operator", {"system": "12345", "number": "2026-081599"})


def _tell(to: Recorder) -> None:
    """The story: a resident reports, a worker acts, an integrator follows."""
    report = {
        "text": "3号楼2单元楼道灯不亮，晚上老人下楼看不见。", "category": "120101", "location": {"grid": "xuanhualu-01"},
        "external_refs": [{"system": "12345", "number": "2026-081512"}],
    }  # fmt: skip
    to.post("/api/v1/demands", "integrator", {**report, "category": "no-such"}, "refused")
    number = to.post("/api/v1/demands", "integrator", report)["number"]
    to.post(
        "/api/v1/demands",
        "resident",
        {"text": "小区门口垃圾没有清运。", "location": {"grid": "xuanhualu-02"}},
        "resident",
    )
    _follow_one(to, number)
    to.post("/api/v1/demands/duplicates", "operator", {"text": report["text"], "location": report["location"]})
    to.get("/api/v1/demands", "integrator", reference="12345:2026-081512")
    for path in ("communities", "grids", "units", "categories", "meetings", "clocks", "clocks/summary", "menu",
                 "routing/rules", "rulings", "rotation", "channels", "publications"):  # fmt: skip
        to.get(f"/api/v1/{path}", "supervisor")
    to.get("/api/v1/calendar", "integrator", **{"from": "2026-10-01", "until": "2026-10-08"})
    to.post(
        "/api/v1/calendar/due",
        "integrator",
        {"start": "2026-11-23T09:00:00+08:00", "amount": 7, "unit": "working_days"},
    )
    to.get("/api/v1/calendar/2026-10-10", "integrator")
    webhook = to.post("/api/v1/webhooks", "integrator", {
        "url": f"{_RECEIVER}linli", "types": ["linli.demand.*"], "communities": ["xuanhualu"],
        "description": "12345",
    })  # fmt: skip
    to.get("/api/v1/webhooks", "integrator")
    to.get(f"/api/v1/webhooks/{webhook['id']}", "integrator")
    to.get(f"/api/v1/webhooks/{webhook['id']}/deliveries", "integrator")
    key = {"name": "12345", "scopes": ["demands:read", "demands:write"], "days": 90}
    to.post("/api/v1/api-keys", "integrator", key)
    to.get("/api/v1/api-keys", "integrator")
    to.get("/api/v1/events", "integrator")
    to.get("/api/v1/inbox", "supervisor")
    to.get("/api/v1/session", "supervisor")


def _stack(folder: Path) -> Stack:
    return Stack(folder, port=0, settings={"LINLI_WEBHOOK_ALLOW": "127.0.0.0/8"})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, _stack(Path(folder) / "data") as stack:
        to = Recorder(stack.url, stack.token_secret)
        _tell(to)
    text = json.dumps(dict(sorted(to.found.items())), ensure_ascii=False, indent=1)
    PAGE.write_text(text + "\n", encoding="utf-8")
    print(f"{PAGE.name}: {len(to.found)} operations")


if __name__ == "__main__":
    main()
