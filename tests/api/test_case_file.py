"""A demand's case file over HTTP: good after every kind of life, and for each caller without what is not theirs to read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from domain.case_check import check, replayed
from domain.case_file import CaseFile, read, spelling
from domain.vocabulary import Role
from runtime.settings import Settings
from service.case_signing import check_signature
from store import calendars
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import ADMIN, BLOCKED_DRAIN, INTEGRATOR, OPERATOR, SUPERVISOR, WASTE, Product, with_days_off

TEXT, NOTE, REPLY, MINUTE = (
    "三单元门口的路灯不亮",
    "打不通电话，改日再去",
    "路灯已修好，谢谢您的反映",
    "经研究，由燃气公司办理",
)
GRID, COMMUNITY = "xuanhualu-01", "xuanhualu"


def path(number: str) -> str:
    return f"/api/v1/demands/{number}/case-file"


async def exported(http: Http, number: str, by: str = SUPERVISOR) -> httpx2.Response:
    answer = await http.get(path(number), by)
    assert answer.status_code == 200, answer.text
    return answer


async def good(http: Http, number: str, by: str = SUPERVISOR) -> CaseFile:
    raw = (await exported(http, number, by)).content
    case = read(raw)
    assert [*check(case), *check_signature(case), *spelling(case, raw)] == []
    return case


async def lived(http: Http, product: Product) -> str:
    """A demand that was accepted, waited, was resolved and rated; with a note, a reply and a reporter."""
    number = str((await http.submit(
        text=TEXT, category=WASTE, location={"grid": GRID}, reporter={"name": "甲某某", "phone": "13800000000"}
    ))["number"])  # fmt: skip
    worker = product.worker_of(GRID).id
    for type, by, more in (
        ("accept", worker, {}),
        ("request_info", worker, {"reason": "awaiting_access", "note": NOTE}),
        ("resume", worker, {}),
        ("resolve", worker, {"reply": REPLY}),
        ("verify", SUPERVISOR, {"ok": True}),
        ("confirm", RESIDENT, {"contacted": True, "solved": "yes", "satisfied": "satisfied"}),
    ):
        answer = await http.act(number, by, type, **more)
        assert answer.status_code == 200, answer.text
    return number


def kinds(case: CaseFile) -> dict[str, str]:
    return {text.kind: text.text for text in case.texts}


async def test_a_whole_life_comes_as_a_file_that_proves_itself(http: Http, product: Product) -> None:
    number = await lived(http, product)
    answer = await exported(http, number)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}.linli-case.json"'
    assert answer.headers["cache-control"] == "no-store"
    case = await good(http, number)
    row, version = await product.row(number), (await http.get("/version")).json()["version"]
    assert (case.number, case.exported_by, case.product) == (number, SUPERVISOR, version)
    assert abs(case.exported_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert replayed(case) == row and case.entries == tuple(await product.entries(number))
    assert (case.state.stage, case.state.outcome, case.state.head) == ("closed", "resolved", row.head)
    assert [calendar.version for calendar in case.calendars] == [row.terms.calendar]
    assert kinds(case) == {"demand": TEXT, "note": NOTE, "reply": REPLY} and case.withheld == ()


async def test_the_head_is_that_of_the_log(http: Http, product: Product) -> None:
    number = await lived(http, product)
    last = (await http.get(f"/api/v1/demands/{number}/events", SUPERVISOR, limit=100)).json()[-1]
    case = await good(http, number)
    assert (case.entries[-1].hash, case.entries[-1].seq) == (last["hash"], last["seq"])


async def test_the_reporters_name_and_phone_are_in_nobodys_file(http: Http, product: Product) -> None:
    number = await lived(http, product)
    for by in (SUPERVISOR, OPERATOR, ADMIN):
        text = (await exported(http, number, by)).text
        assert "甲某某" not in text and "13800000000" not in text


@pytest.mark.parametrize("by", [RESIDENT, INTEGRATOR])
async def test_the_whole_log_is_for_the_office(http: Http, product: Product, by: str) -> None:
    """A file that proves itself cannot be narrowed to what concerns its reader."""
    number = await lived(http, product)
    answer = await http.get(path(number), by)
    assert (answer.status_code, code_of(answer)) == (403, "not_permitted")


async def test_an_auditor_gets_the_whole_log_and_no_words(http: Http, product: Product) -> None:
    number = await lived(http, product)
    (auditor,) = product.desk.district.people_with(Role.AUDITOR)
    case = await good(http, number, auditor.id)
    assert case.texts == () and sorted(text.kind for text in case.withheld) == ["demand", "note", "reply"]
    raw = (await exported(http, number, auditor.id)).text
    assert not any(words in raw for words in (TEXT, NOTE, REPLY))
    assert case.entries == (await good(http, number)).entries


@pytest.mark.parametrize("by", ["liaison", "stranger"])
async def test_what_is_not_visible_has_no_file(http: Http, product: Product, by: str) -> None:
    number = (await http.submit(location={"grid": GRID}))["number"]
    who = {"liaison": product.liaison_of("u-gas").id, "stranger": product.worker_of("wenqulu-01").id}.get(by, by)
    for wanted in (number, "20200101-000001"):
        answer = await http.get(path(wanted), who)
        assert (answer.status_code, code_of(answer)) == (404, "not_found")
    assert (await http.client.get(path(number))).status_code == 401


async def test_a_decision_of_the_meeting_is_in_it_with_its_minute(http: Http, product: Product) -> None:
    number = str((await http.submit(category=BLOCKED_DRAIN, location={"grid": GRID}))["number"])
    row = await product.started(number)
    liaison = product.liaison_of(row.unit or "").id
    await http.act(number, liaison, "escalate", reason="several_units")
    due_at = datetime.now(UTC) + timedelta(days=60)
    keeper = product.secretary_of(COMMUNITY)
    await product.decide(COMMUNITY, keeper, number, "assign", unit="u-gas", due_at=due_at, minute=MINUTE)
    case = await good(http, number)
    assert kinds(case)["minute"] == MINUTE
    assert case.state.clocks["resolve"].due_at == due_at
    (auditor,) = product.desk.district.people_with(Role.AUDITOR)
    assert "minute" in {text.kind for text in (await good(http, number, auditor.id)).withheld}


async def test_every_calendar_that_counted_is_in_it(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": GRID}))["number"]
    first = await product.started(number)
    today = datetime.now(UTC).date()
    new = with_days_off(product.desk.calendar, today + timedelta(days=1), today + timedelta(days=9), "adopted")
    await calendars.keep(product.pool, new)
    await product.handle(number).signal("adopt", new)
    await product.until_type(number, "clock_replanned", 1)
    case = await good(http, number)
    assert [calendar.version for calendar in case.calendars] == [first.terms.calendar, new.version]


async def test_a_file_made_while_somebody_acts_is_whole(http: Http, product: Product) -> None:
    """Row, log and texts are of one instant, whatever is recorded meanwhile."""
    number = (await http.submit(location={"grid": GRID}))["number"]
    worker = product.worker_of(GRID).id

    async def writes() -> None:
        for n in range(12):
            answer = await http.act(number, worker, "note", note=f"第{n}次")
            assert answer.status_code == 200, answer.text

    writing = asyncio.create_task(writes())
    lengths = []
    while not writing.done():
        lengths.append(len((await good(http, number)).entries))
    await writing
    assert lengths == sorted(lengths) and len((await good(http, number)).entries) > lengths[0]


# ---- what was changed in the database itself


async def _in_the_database(product: Product, number: str, statement: str) -> None:
    assert await product.pool.execute(statement, number) == "UPDATE 1"


CHANGES = {
    "an event": (
        "update demand_event set actor = 'p-0001' where number = $1 and type = 'resolved'", "chain", "entries.",
    ),
    "the row": ("update demand set state = jsonb_set(state, '{outcome}', '\"explained\"') where number = $1", "state", "state.outcome"),
    "a clock of the row": (
        "update demand set state = jsonb_set(state, '{clocks,resolve,due_at}', '\"2027-12-31T09:30:00Z\"') where number = $1",
        "state", "state.clocks.resolve.due_at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
async def test_what_was_changed_in_the_database_is_found_in_the_file(http: Http, product: Product, what: str) -> None:
    statement, code, where = CHANGES[what]
    number = await lived(http, product)
    await _in_the_database(product, number, statement)
    case = read((await exported(http, number)).content)
    found = check(case)
    assert [f.code for f in found] == [code] and found[0].where.startswith(where)
    assert list(check_signature(case)) == [], "it is what the product has; that this is wrong, the check says"


# ---- who made it


async def keys(http: Http, by: str = RESIDENT) -> list[dict[str, Any]]:
    answer = await http.get("/api/v1/case-file-keys", by)
    assert answer.status_code == 200
    body = answer.json()
    assert body["algorithm"] == "Ed25519"
    found: list[dict[str, Any]] = body["keys"]
    return found


async def test_it_is_signed_with_the_key_that_the_product_names(http: Http, product: Product) -> None:
    number = (await http.submit())["number"]
    (key,) = await keys(http)
    assert key["id"] == "k1"
    case = await good(http, number)
    assert list(check_signature(case, [key["public_key"]])) == []
    (foreign,) = check_signature(case, ["00" * 32])
    assert foreign.where == "signature.public_key"
    assert (await http.client.get("/api/v1/case-file-keys")).status_code == 401


async def test_the_signing_key_is_not_the_data_key(http: Http, product: Product) -> None:
    settings: Settings = product.settings
    (key,) = await keys(http)
    (data_key,) = settings.key_ring().values()
    case = (await exported(http, (await http.submit())["number"])).text
    assert key["public_key"] in case and data_key.hex() not in case + str(await keys(http))
