"""Hostile inputs through every door of the application: what each got stands in docs/reference/hostile.md.

Bodies, actions, keys, numbers and uploads have tests of their own (ELSEWHERE); what goes past a parser of HTTP is in
test_hostile_wire.py.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import httpx2
import openpyxl
import pytest

from api.openapi import product_document
from service import user_accounts
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.api.residents import by_telephone, messages
from tests.api.signing_in import PASSWORD, Browser, new_user
from tests.builders import ADMIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key, until
from tests.contract.hostile_table import ROOT, Table, told
from tests.contract.peers import Peer

TABLE = Table("Application", "tests/contract/test_hostile_doors.py")
ELSEWHERE = {
    ("JSON bodies", "depth, size, huge numbers, duplicate keys, NUL, lone surrogates, wrong encodings: 422, 413 or 415"):
        ("tests/api/test_hostile.py", "test_a_hostile_demand_is_refused_and_leaves_nothing"),
    ("uploads", "wrong types, picture bombs, polyglots, paths as names: 415, 422, or the other half is gone"):
        ("tests/api/test_files_hostile.py", "test_bombs_do_not_go_off"),
    ("imports", "zip bomb and far-apart cells as XLSX: 422 import_unreadable"):
        ("tests/api/test_imports.py", "test_a_file_of_no_use_is_refused_at_once"),
    ("mail", "line ends in subjects: one header, one line"):
        ("tests/gateways/test_email.py", "test_nothing_in_a_subject_becomes_a_header"),
    ("cookies", "requests from other sites: 403"): ("tests/api/test_session_cross_site.py", "test_the_table"),
    ("webhooks", "addresses of the inside"): ("tests/api/test_webhooks.py", "def test_"),
}  # fmt: skip
SQL = [
    "' OR 1=1 --",
    "'; DROP TABLE demand; --",
    "' UNION SELECT null,null --",
    "%' AND pg_sleep(30)::text='' --",
    "\\'; select 1",
]
TEMPLATES = "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {number} %(number)s %s {0.__class__} <script>alert(1)</script>&amp;\"'"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠SUM(1)", " =1", "\n=1"]
CRLF = "x\r\nSet-Cookie: a=b\r\n\r\n<h1>"
TRICKS = {
    "right-to-left override": "报告\u202efdp.exe", "zero width": "ad\u200bmin", "four bytes": "𠮷野家 👩‍👩‍👧‍👦",
    "combining": "Z" + "\u0327\u0301" * 40, "not characters": "\ufdd0\U0010ffff", "line separators": "a\u2028b\u2029c\u0085d",
}  # fmt: skip
_WATCHED = ("demand", "demand_event", "account", "api_key", "webhook", "publication")


async def counted(product: Product) -> dict[str, int]:
    """Once no import of an earlier test is under way any more."""

    async def quiet() -> bool | None:
        return (
            None if await product.pool.fetchval("select 1 from bulk_import where finished_at is null limit 1") else True
        )

    await until(quiet)
    return {t: await product.pool.fetchval(f"select count(*) from {t}") for t in _WATCHED}


def readings() -> list[tuple[str, str]]:
    """(path with ids filled in, query parameter) of every GET that has an end."""
    found = []
    for path, methods in product_document()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", ()):
            if parameter["in"] == "query" and not path.endswith("/stream"):
                found.append((re.sub(r"\{fmt\}", "json", path), parameter["name"]))
    return found


async def asking(http: Http, path: str, name: str, value: Any) -> httpx2.Response:
    return await http.client.get(path, headers=bearer(SUPERVISOR), params={name: value})


async def test_sql_in_every_query_parameter(http: Http, product: Product) -> None:
    number = (await http.submit())["number"]
    before, answers, asked = await counted(product), [], readings()
    assert len(asked) > 200
    for at, (path, name) in enumerate(asked):
        filled = re.sub(r"\{[^}]+\}", lambda m: number if m[0] == "{number}" else "xuanhualu", path)
        answer = await asking(http, filled, name, SQL[at % len(SQL)])
        answers.append(answer)
        assert answer.status_code < 500, (filled, name, answer.text)
        assert "syntax" not in answer.text.lower() and "pg_" not in answer.text and "DROP" not in answer.text, (
            answer.text
        )
    assert await counted(product) == before
    statuses = ", ".join(str(one) for one in sorted({a.status_code for a in answers}))
    TABLE.note("every query parameter of every GET", "SQL", f"{statuses}; nothing changed, nothing of it repeated")


@pytest.mark.parametrize("at", range(len(SQL)))
async def test_sql_in_texts_and_names(http: Http, product: Product, at: int) -> None:
    evil = SQL[at]
    view = await http.submit(OPERATOR, text=evil, channel="hotline", reporter={"name": evil},
                             external_refs=[{"system": evil, "number": new_key() + evil}])  # fmt: skip
    texts = (await http.get(f"/api/v1/demands/{view['number']}/texts", OPERATOR)).json()["texts"]
    assert [t["text"] for t in texts] == [evil]
    TABLE.note("POST /demands: text, reporter, references", "SQL", "201; comes back as it was written")
    found = await http.get("/api/v1/demands", OPERATOR, reference=f"{evil}:{evil}")
    assert found.status_code in (200, 422) and (found.status_code == 422 or found.json() == [])
    async with Browser(http).client as client:
        answer = await client.post("/api/v1/session", json={"user": evil, "password": evil})
        door = await client.post("/api/v1/resident/session", json={"number": evil, "code": evil})
    assert answer.status_code in (401, 422) and door.status_code in (401, 404, 422), (answer.text, door.text)
    TABLE.note("POST /session, /resident/session", "SQL", "401 or 422")
    unknown = await http.post("/api/v1/demands/search", {"phone": evil, "reason": "handling"}, OPERATOR)
    assert unknown.status_code == 422
    TABLE.note("POST /demands/search", "SQL as a phone number", told([unknown]))


async def test_templates_are_words(http: Http, product: Product, peer: Peer) -> None:
    view = await by_telephone(http, text=TEMPLATES, reporter={"name": TEMPLATES[:40], "email": "template@example.cn"})
    number = view["number"]
    demand = await product.row(number)
    assert demand.place is not None and demand.place.grid is not None
    await product.act(number, product.worker_of(demand.place.grid), "resolve", reply=TEMPLATES)
    texts = (await http.get(f"/api/v1/demands/{number}/texts", OPERATOR)).json()["texts"]
    assert {t["text"] for t in texts} == {TEMPLATES}
    letters = await messages(product, number)
    assert letters and all("49" not in re.sub(r"\S*\d{6,}\S*", "", one.body) for _, one in letters)
    assert not any("7*7" in one.body or "script" in one.body + one.subject for _, one in letters)
    TABLE.note(
        "texts and replies, read again",
        "template languages, HTML",
        "literally; nothing is evaluated, and mail holds none of it",
    )
    own = await peer.create(description=TEMPLATES)
    answer = await peer.get(f"/requests/{own}.xml")
    described = ElementTree.fromstring(answer.content).findtext(".//description")
    assert described == TEMPLATES and "<script>" not in answer.text
    TABLE.note("Open311 XML", "template languages, HTML", "escaped; the same text after parsing")
    page = await http.client.get("/f", headers={"Accept-Language": TEMPLATES[:20]}, params={"x": TEMPLATES})
    assert "49" not in page.text and "alert" not in page.text
    TABLE.note("/f, the residents' page", "template languages, HTML", "not on the page")
    refused = await http.get(f"/api/v1/demands/{'<script>alert(1)</script>{{7*7}}'}", SUPERVISOR)
    assert refused.headers["content-type"] == "application/problem+json" and "<script>" not in refused.text
    TABLE.note("problem documents", "HTML in the address", told([refused]))


async def test_line_ends_make_no_header(http: Http, product: Product) -> None:
    answers: list[httpx2.Response] = []
    for path in (f"/api/v1/demands/{'a%0d%0aSet-Cookie:x=1'}", "/f/%0d%0aSet-Cookie:x=1", "/api/v1/files/%0d%0aX:1"):
        answers.append(await http.get(path, SUPERVISOR))
    for name in ("month", "heads"):
        answers.append(await http.get("/api/v1/rates/bulletin.csv", SUPERVISOR, **{name: CRLF}))
    answers.append(await http.client.get("/api/v1/session/oidc", params={"to": "/" + CRLF}))
    answers.append(await http.post("/api/v1/demands", {"text": "x", "reporter": {"email": f"a@b.cn{CRLF}"}}, OPERATOR))
    named = {"file": (CRLF + ".csv", "编号,内容\r\n1,灯不亮\r\n".encode())}
    headers = bearer(OPERATOR) | {"Idempotency-Key": new_key()}
    answers.append(await http.client.post("/api/v1/imports", headers=headers, files=named, data={"system": "12345"}))
    for answer in answers:
        assert answer.status_code < 500, answer.text
        assert "set-cookie" not in answer.headers and "x" not in answer.headers
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())
    TABLE.note("paths, queries, mail addresses, file names", "CR LF and a header", told(answers))


@pytest.mark.parametrize("climb", ["../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc", "..%5c..%5cwin.ini",
                                   "....//....//etc/passwd", "%252e%252e%252fetc", "..%00.js", "%c0%ae%c0%ae%c0%afetc"])  # fmt: skip
async def test_nobody_climbs_out(http: Http, climb: str) -> None:
    doors = (
        "/f/",
        "/docs/",
        "/docs/errors/",
        "/api/v1/files/",
        "/api/v1/imports/",
        "/api/v1/units/",
        "/open311/v2/requests/",
    )
    answers = [await http.get(door + climb, SUPERVISOR) for door in doors]
    answers += [await http.get(f"/api/v1/files/{climb}/thumbnail", SUPERVISOR)]
    for answer in answers:
        assert answer.status_code in (400, 404, 405, 422), (str(answer.url), answer.status_code)
        assert "root:" not in answer.text and "[fonts]" not in answer.text
    TABLE.note("every path with an id or a file", "../ plain, encoded, twice encoded, overlong", "400, 404, 405 or 422")


ENTITY = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]><r>&c;&x;</r>"""


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "application/soap+xml"])
async def test_xml_is_not_read(http: Http, product: Product, kind: str) -> None:
    before = await counted(product)
    key = {"api_key": bearer(INTEGRATOR)["Authorization"].removeprefix("Bearer ")}
    peer = await http.client.post(
        "/open311/v2/requests.xml", content=ENTITY, params=key, headers={"Content-Type": kind}
    )
    door = await http.raw("/api/v1/demands", ENTITY, **{"Content-Type": kind})
    assert peer.status_code in (400, 415) and door.status_code == 415, (peer.text, door.text)
    assert "root:" not in peer.text + door.text and "aaaaaaaaaa" not in peer.text + door.text
    assert await counted(product) == before
    TABLE.note("POST Open311 requests", "XML with entities", told([peer]))
    TABLE.note("POST /demands", "XML with entities", told([door]))


def with_entities(member: str) -> bytes:
    """A workbook whose `member` declares an outside entity and one that grows, and uses both."""
    plain, out, book = io.BytesIO(), io.BytesIO(), openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["编号", "内容"])
    book.active.append(["x-1", "灯不亮MARK"])
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                declared = ENTITY.partition(b"<r>")[0].partition(b"?>")[2].replace(b"DOCTYPE r", b"DOCTYPE sst")
                head, end, rest = content.partition(b"?>") if content.startswith(b"<?xml") else (b"", b"", content)
                content = head + end + declared + rest.replace(b"MARK", b"&c;&x;")
            new.writestr(name, content)
    return out.getvalue()


async def test_entities_in_a_workbook_stay_what_they_are(http: Http, product: Product) -> None:
    answers = []
    for member in ("xl/sharedStrings.xml", "xl/workbook.xml"):
        headers = bearer(OPERATOR) | {"Idempotency-Key": new_key()}
        content = with_entities(member)
        answer = await http.client.post(
            "/api/v1/imports", headers=headers, files={"file": ("a.xlsx", content)}, data={"system": "12345", "dry_run": "true"}
        )  # fmt: skip
        answers.append(answer)
        assert answer.status_code in (202, 422), answer.text
        if answer.status_code == 202:
            report = await finished(http, answer.headers["location"])
            assert "root:" not in report and "aaaaaaaaaa" not in report
    TABLE.note("POST /imports, XLSX", "entities, outside and growing", f"{told(answers)}; none is expanded")


async def finished(http: Http, path: str) -> str:
    async def over() -> str | None:
        view = await http.get(path, OPERATOR)
        return view.text if view.json()["finished_at"] else None

    await until(over, seconds=60)
    return (await http.get(f"{path}/report.json", OPERATOR)).text


async def test_no_cell_of_any_table_acts(http: Http, product: Product) -> None:
    for n, evil in enumerate(FORMULAS):
        view = await http.submit(
            OPERATOR, text=evil + "灯", channel="hotline", reporter={"name": evil + "王"},
            external_refs=[{"system": "12345", "number": f"{evil.strip()}{n}{new_key()}"}],
        )  # fmt: skip
        await product.started(view["number"])
        noted = await http.act(view["number"], OPERATOR, "note", note=evil + "注")
        assert noted.status_code == 200, noted.text
    tables = ["exports/demands.csv", "exports/demands.csv?personal=true&reason=handling", "exports/history.csv",
              f"rates/bulletin.csv?month={product.desk.now():%Y-%m}", f"rates?month={product.desk.now():%Y-%m}&format=csv"]  # fmt: skip
    seen, guarded = 0, set[str]()
    for path in tables:
        answer = await http.get(f"/api/v1/{path}", SUPERVISOR)
        if answer.status_code == 422:  # a figure of a month that is not over
            continue
        assert answer.status_code == 200, (path, answer.text)
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        acting = [
            c
            for row in rows
            for c in row
            if c[:1] in "=+-@\t\r\n＝＋－＠" and c and not re.fullmatch(r"-?\d+(\.\d+)?", c)
        ]
        assert not acting, (path, acting[:5])
        seen += sum(len(row) for row in rows)
        guarded |= {c[1] for row in rows for c in row if len(c) > 1 and c[0] == "'"}
    assert seen > 100 and set("=+-@") <= guarded, guarded
    TABLE.note("every CSV", "cells that begin with = + - @ tab CR LF or a wide = + - @", "each behind an apostrophe")


async def test_tricks_of_unicode(http: Http, product: Product) -> None:
    for what, text in TRICKS.items():
        view = await http.submit(OPERATOR, text=text)
        texts = (await http.get(f"/api/v1/demands/{view['number']}/texts", OPERATOR)).json()["texts"]
        assert [t["text"] for t in texts] == [text], what
        exported = await http.get("/api/v1/exports/demands.csv", SUPERVISOR)
        exported.content.decode("utf-8-sig")
    TABLE.note("POST /demands: text", ", ".join(TRICKS), "201; the same code points come back")
    name = await new_user(product, ADMIN)
    other = product.person("p-0004").id
    cyrillic = name.replace("e", "е")
    assert cyrillic != name
    async with Browser(http, address="192.0.2.88").client as client:
        answers = [
            await client.post("/api/v1/session", json={"user": one, "password": PASSWORD})
            for one in (cyrillic, f"\u202e{name}", f"{name}\u200b", f"{name}\u0000")
        ]
        assert {a.status_code for a in answers} <= {400, 401, 422}, [a.text for a in answers]
        TABLE.note("POST /session", "homographs, overrides, zero width, NUL in a user name", told(answers))
        wide = "".join(chr(ord(c) + 0xFEE0) for c in name)
        assert (await client.post("/api/v1/session", json={"user": wide, "password": PASSWORD})).status_code == 201
    for bad in (f"\u202e{name}", f"{name}\u200b", "a b", "a\x00b"):
        with pytest.raises(Exception) as refused:
            await user_accounts.add(product.pool, other, bad, PASSWORD, by="system", now=product.desk.now())
        assert type(refused.value).__name__ == "DomainError"
    TABLE.note("./run user add", "overrides, zero width, NUL, blanks in a name", "refused")


async def test_a_host_is_the_senders_word(http: Http, product: Product) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript",
            "X-Forwarded-For": "127.0.0.1", "Forwarded": "host=evil.example", "X-Original-URL": "/metrics",
            "X-HTTP-Method-Override": "DELETE", "X-Rewrite-URL": "/api/v1/people/p-0008"}  # fmt: skip
    made = await http.client.post(
        "/api/v1/demands", json={"text": "灯", "category": "120101"},
        headers=bearer(RESIDENT) | evil | {"Idempotency-Key": new_key()},
    )  # fmt: skip
    listed = await http.client.get("/api/v1/demands?limit=1", headers=bearer(SUPERVISOR) | evil)
    lost = await http.client.get("/api/v1/nothing", headers=evil)
    assert (made.status_code, listed.status_code, lost.status_code) == (201, 200, 404)
    for answer in (made, listed, lost):
        assert "evil.example" not in answer.text + str(answer.headers) and "javascript" not in str(answer.headers)
    TABLE.note(
        "API", "Host, X-Forwarded-*, Forwarded, X-Original-URL, method override", "no effect; links are relative"
    )
    settings = http.app.state.settings
    http.app.state.settings = settings.model_copy(update={"public_url": "https://linli.test"})
    try:
        found = await http.client.get("/open311/v2/discovery.json", headers=evil)
        paged = await http.client.get("/open311/v2/requests.json?page=1&page_size=1", headers=evil)
    finally:
        http.app.state.settings = settings
    assert "evil.example" not in found.text + str(paged.headers)
    assert paged.headers["x-next-page-url"].startswith("https://linli.test/open311/v2/requests.json?")
    TABLE.note("Open311 discovery and paging", "Host, X-Forwarded-Host", "LINLI_PUBLIC_URL stands there, not the Host")


LONG = {
    "nested quantifiers": "a" * 20_000 + "!", "many at signs": "a@" * 2_000, "digits": "1" * 20_000, "blanks": " " * 19_000 + "x",
    "commas": "," * 20_000, "plus signs": "+" * 20_000, "dots": "." * 20_000, "mixed": "-" * 10_000 + "a" * 9_999,
}  # fmt: skip
SINGLE_SECONDS = 30.0
"""Not a measure: a pattern that goes back and forth would need ages for these."""


@pytest.mark.parametrize("what", LONG)
async def test_no_pattern_goes_back_and_forth(http: Http, what: str) -> None:
    text = LONG[what]
    asked: list[Any] = [
        http.post("/api/v1/demands/duplicates", {"text": text}, OPERATOR),
        http.post("/api/v1/demands/search", {"phone": text, "reason": "handling"}, OPERATOR),
        http.post("/api/v1/demands", {"text": "x", "reporter": {"email": text, "phone": text}}, OPERATOR),
        http.post("/api/v1/webhooks", {"url": f"https://{text}", "types": [text[:60]]}, INTEGRATOR),
        http.get("/api/v1/demands", SUPERVISOR, category=text[:6000], reference=text[:6000]),
        http.get("/open311/v2/requests.json", SUPERVISOR, service_code=text[:6000], bbox=text[:6000], updated_after=text[:6000]),
        http.get("/api/v1/calendar", SUPERVISOR, **{"from": text[:15_000]}),
        http.client.get("/api/v1/session", headers={"Authorization": f"Bearer linli_{text.strip()}", "Cookie": f"__Host-linli={text.strip()}"}),
        http.client.get("/api/v1/demands", headers=bearer(SUPERVISOR) | {"If-None-Match": text.strip() or "x", "Prefer": text.strip() or "x", "Accept-Language": text.strip() or "x"}),
    ]  # fmt: skip
    answers = [await asyncio.wait_for(one, SINGLE_SECONDS) for one in asked]
    assert all(a.status_code < 500 for a in answers), [a.status_code for a in answers]
    TABLE.note(
        "texts, phones, mail, webhooks, filters, Open311, tokens, headers",
        "20,000 characters made for backtracking",
        "answered, never 5xx",
    )


BIG = [2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, "1e9", "0x10", "１２", "1_000", "NaN", "-0"]


@pytest.mark.parametrize("number", BIG)
async def test_numbers_beyond_their_limits(http: Http, product: Product, number: Any) -> None:
    answers = []
    for path, name in readings():
        if name in ("limit", "page", "page_size", "level", "year", "days", "within", "lat", "radius"):
            filled = re.sub(r"\{[^}]+\}", "xuanhualu", path)
            answers.append(await asking(http, filled, name, number))
            assert answers[-1].status_code < 500, (filled, name, answers[-1].text)
    assert len(answers) > 30
    TABLE.note(
        "limit, page, level, year, days, lat, radius of every list",
        "beyond 32 and 64 bits, odd digits",
        "200 within the limits, else 400, 404 or 422",
    )


async def test_a_cursor_is_not_made_by_hand(http: Http) -> None:
    for _ in range(2):
        await http.submit()
    first = await http.get("/api/v1/demands", SUPERVISOR, limit=1)
    cursor = re.search(r"cursor=([^&>]+)", first.headers["link"])
    assert cursor is not None
    good = cursor[1]
    forged = [
        good[:-2] + "AA",
        good[::-1],
        "A" * len(good),
        good.swapcase(),
        good + "A" * 4000,
        good[: len(good) // 2],
        "W10",
        "e30",
        "\u0661" * 8,
    ]
    answers = [await http.get("/api/v1/demands", SUPERVISOR, limit=1, cursor=one) for one in forged]
    assert {a.status_code for a in answers} <= {400, 422}, [
        (a.status_code, f) for a, f in zip(answers, forged, strict=True)
    ]
    TABLE.note("cursors", "changed, turned round, cut, made by hand", told(answers))
    elsewhere = await http.get("/api/v1/changes", ADMIN, limit=1, cursor=good)
    assert elsewhere.status_code in (400, 422), elsewhere.text
    TABLE.note("cursors", "of another list", told([elsewhere]))


async def test_instants_of_no_calendar(http: Http) -> None:
    answers = []
    month = "2026-10"
    for at in (
        "0",
        "1700000000",
        "-62135596800",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-10-01T00:00:00",
        "+002026-10-01T00:00:00Z",
    ):
        answers.append(await http.get("/api/v1/rates", SUPERVISOR, month=month, as_of=at))
        answers.append(await http.get("/api/v1/rates/bulletin.csv", SUPERVISOR, month=month, as_of=at))
        answers.append(
            await http.post("/api/v1/deliveries/replay", {"from": at, "until": "2026-10-02T00:00:00Z"}, ADMIN)
        )
    answers.append(await http.post("/api/v1/deliveries/replay", {"from": 0, "until": 1.5e9}, ADMIN))
    assert {a.status_code for a in answers} == {422}, [
        (a.status_code, str(a.url)) for a in answers if a.status_code != 422
    ]
    TABLE.note("as_of, from, until", "numbers, year 1, year 9999, no offset", told(answers))


async def test_promises_of_no_sense(http: Http) -> None:
    shipped = (ROOT / "config" / "shengli-road" / "sla.toml").read_text(encoding="utf-8")
    import tomllib

    sla = tomllib.loads(shipped)
    sla["version"] = "hostile"
    steps = sla.get("call_back", {}).get("steps", [])
    sla["call_back"] = {
        **sla.get("call_back", {}),
        "steps": steps,
        "hours": {"opens": "09:00:00", "closes": "20:00:00+08:00"},
    }
    answer = await http.post("/api/v1/publications/sla?dry_run=true", sla, ADMIN)
    assert answer.status_code == 422, answer.text
    TABLE.note("POST /publications/sla", "hours of which one has an offset", told([answer]))


async def test_an_address_of_its_own_is_no_id(http: Http) -> None:
    for path, by in (("/api/v1/demands/search", OPERATOR), ("/api/v1/calendar/due", SUPERVISOR),
                     ("/api/v1/deliveries/replay", ADMIN), ("/api/v1/publications/sla", SUPERVISOR)):  # fmt: skip
        answer = await http.get(path, by)
        assert (answer.status_code, code_of(answer), answer.headers["allow"]) == (405, "method_not_allowed", "POST")
    TABLE.note("addresses that take POST alone", "GET, as if the last word were an id", "405, Allow: POST")


@pytest.mark.parametrize("session", ["%25b", "%C2%9B%F2%8B%B6%9C", "a%20b", "x" * 81, "'", "%0a", "xuanhualu%2F1"])
async def test_a_session_of_no_possible_name(http: Http, session: str) -> None:
    answers = [
        await http.post(f"/api/v1/meetings/{meeting}/sessions/{session}/actions", body, SUPERVISOR)
        for meeting in ("xuanhualu", "shengli-road")
        for body in ({"type": "close"}, {"type": "open"}, {"type": "consent", "number": "B"})
    ]
    assert {a.status_code for a in answers} == {404}, [a.text for a in answers]
    TABLE.note("POST …/sessions/{session}/actions", "ids that no session can have", told(answers))


def test_what_is_tested_elsewhere_is_there() -> None:
    for (door, attack), (file, test) in ELSEWHERE.items():
        assert test in (ROOT / file).read_text(encoding="utf-8"), (file, test)
        TABLE.note(door, attack, f"`{file}`")


def test_the_page_says_what_each_got() -> None:
    TABLE.must_stand_on_the_page()
