"""Exclusions over HTTP: asked, decided by somebody else, counted beside the rates, never without a trace in a kept month."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio

from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import ADMIN, CONSULT, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key

RATES, TRACE, MONTHS, LIST = "/api/v1/rates", "/api/v1/rates/trace", "/api/v1/rates/months", "/api/v1/exclusions"
AUDITOR = "p-0007"
SHANGHAI = ZoneInfo("Asia/Shanghai")
GRID, COMMUNITY = "xuanhualu-01", "xuanhualu"


class Lived(NamedTuple):
    """Two demands that were resolved and answered, seen from sixty days on."""

    first: str
    second: str
    month: str
    secretary: str
    worker: str


class Clock:
    """Goes on by a minute whenever it is asked to."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC) + timedelta(days=60)

    def now(self) -> datetime:
        return self.at

    def tick(self) -> str:
        """The instant before, as a caller would write it."""
        before, self.at = self.at, self.at + timedelta(minutes=1)
        return before.isoformat().replace("+00:00", "Z")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clock(http: Http) -> AsyncIterator[Clock]:
    made = Clock()
    yield made
    http.app.state.desk.__dict__.pop("now", None)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lived(http: Http, product: Product, clock: Clock) -> Lived:
    worker, numbers = product.desk.district.grid(GRID).duty_worker, []
    for solved in ("yes", "partly"):
        view = await http.submit(category=CONSULT, location={"grid": GRID})
        for by, type, more in (
            (worker, "accept", {}), (worker, "contact", {}), (worker, "resolve", {"reply": "已答复"}),
            (RESIDENT, "confirm", {"contacted": True, "solved": solved, "satisfied": "satisfied"}),
        ):  # fmt: skip
            answer = await http.act(view["number"], by, type, **more)
            assert answer.status_code == 200, answer.text
        numbers.append(view["number"])
    answered = datetime.fromisoformat(view["opened_at"]).astimezone(SHANGHAI)
    http.app.state.desk.now = clock.now
    secretary = product.desk.district.secretary(COMMUNITY)
    first, second = numbers
    return Lived(first, second, f"{answered:%Y-%m}", secretary, worker)


def form(lived: Lived, **changes: Any) -> dict[str, Any]:
    said = {"month": lived.month, "figures": ["resolution"], "basis": "access_refused"}
    return {k: v for k, v in (said | changes).items() if v is not None}


async def ask(
    http: Http, lived: Lived, number: str, by: str = "", key: str | None = None, **changes: Any
) -> httpx2.Response:
    path = f"/api/v1/demands/{number}/exclusions"
    return await http.post(path, form(lived, **changes), by or lived.secretary, key=key)


async def decide(
    http: Http, id: str, kind: str, by: str = SUPERVISOR, key: str | None = None, **more: Any
) -> httpx2.Response:
    return await http.post(f"{LIST}/{id}/decisions", {"kind": kind, **more}, by, key=key)


async def figure(http: Http, lived: Lived, id: str = "resolution", **asked: Any) -> dict[str, Any]:
    answer = await http.get(RATES, SUPERVISOR, month=lived.month, **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["groups"][0]["figures"][id]
    return found


@pytest_asyncio.fixture
async def asked_for(http: Http, lived: Lived, clock: Clock) -> AsyncIterator[dict[str, Any]]:
    """One that is asked for, and gone again after the test."""
    clock.tick()
    answer = await ask(http, lived, lived.first, document="渝永胜〔2027〕3号", reason="三次上门均被拒")
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    yield view
    for kind, by in (("withdraw", lived.secretary), ("revoke", SUPERVISOR)):
        await decide(http, view["id"], kind, by, reason="测试结束")


async def test_what_is_approved_stands_beside_the_rate_and_not_in_it(
    http: Http, lived: Lived, clock: Clock, asked_for: dict[str, Any]
) -> None:
    before = await figure(http, lived)
    assert (before["numerator"], before["denominator"], before["excluded"]) == (1.5, 2, {}), "asking changes nothing"
    until = clock.tick()
    approved = await decide(http, asked_for["id"], "approve")
    assert (approved.status_code, approved.json()["state"], approved.json()["counts"]) == (200, "approved", True)
    between = clock.tick()
    after = await figure(http, lived)
    assert (after["numerator"], after["denominator"], after["excluded"]) == (0.5, 1, {"access_refused": 1})
    assert (await figure(http, lived, "satisfaction"))["denominator"] == 2, "only the figures that are named"
    assert (await figure(http, lived, as_of=until)) == before
    revoked = await decide(http, asked_for["id"], "revoke", reason="入户记录已补")
    assert revoked.json()["state"] == "revoked"
    assert await figure(http, lived) == before
    assert await figure(http, lived, as_of=between) == after, "as it was then"


async def test_a_trace_names_the_exclusion(http: Http, lived: Lived, asked_for: dict[str, Any]) -> None:
    await decide(http, asked_for["id"], "approve")
    asked = {"figure": "resolution", "month": lived.month}
    (row,) = (await http.get(TRACE, SUPERVISOR, side="excluded", **asked)).json()
    assert (row["number"], row["type"], row["reason"], row["exclusion"]) == (
        lived.first, "feedback_given", "access_refused", asked_for["id"],
    )  # fmt: skip
    (left,) = (await http.get(TRACE, SUPERVISOR, side="denominator", **asked)).json()
    assert left["number"] == lived.second and "reason" not in left


async def test_an_exclusion_shows_its_log_and_what_it_takes_out(
    http: Http, lived: Lived, asked_for: dict[str, Any]
) -> None:
    view = (await http.get(f"{LIST}/{asked_for['id']}", SUPERVISOR)).json()
    assert view["effect"] == {"resolution": {"denominator": 1, "numerator": 1}}
    assert (view["basis"]["zh"], view["document"]) == ("诉求人拒绝入户或配合", "渝永胜〔2027〕3号")
    (event,) = view["events"]
    assert (event["type"], event["by"]["id"], event["data"]["reason"]) == ("asked", lived.secretary, "三次上门均被拒")
    await decide(http, asked_for["id"], "refuse", reason="记录不全")
    view = (await http.get(f"{LIST}/{asked_for['id']}", SUPERVISOR)).json()
    assert [e["type"] for e in view["events"]] == ["asked", "refused"] and view["decided_by"]["id"] == SUPERVISOR


async def test_two_people_are_needed(http: Http, lived: Lived) -> None:
    own = (await ask(http, lived, lived.second, SUPERVISOR)).json()
    answer = await decide(http, own["id"], "approve")
    assert (answer.status_code, code_of(answer)) == (403, "second_person_required")
    for by in (lived.secretary, ADMIN, AUDITOR):
        answer = await decide(http, own["id"], "approve", by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), by
    assert (await decide(http, own["id"], "withdraw")).json()["state"] == "withdrawn"
    answer = await decide(http, own["id"], "approve")
    assert answer.status_code == 403, "nor once it is over"


async def test_staff_ask_and_nobody_else(http: Http, lived: Lived, product: Product) -> None:
    for by in (RESIDENT, INTEGRATOR, AUDITOR, ADMIN):
        answer = await ask(http, lived, lived.second, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), by
    elsewhere = product.desk.district.secretary("wenqulu")
    assert (await ask(http, lived, lived.second, elsewhere)).status_code == 404
    for by in (OPERATOR, lived.worker):
        answer = await ask(http, lived, lived.second, by)
        assert answer.status_code == 201, answer.text
        await decide(http, answer.json()["id"], "withdraw", by)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"figures": ["opened"]}, "/figures"), ({"figures": ["composite"]}, "/figures"), ({"figures": []}, "/figures"),
        ({"figures": ["open_tasks"]}, "/figures"), ({"basis": "bad_luck"}, "/basis"), ({"month": "2026-13"}, "/month"),
        ({"month": "2020-01"}, "/month"), ({"month": "2090-01"}, "/month"), ({"reason": "  "}, "/reason"),
        ({"colour": "red"}, "/colour"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused(http: Http, lived: Lived, changes: dict[str, Any], field: str) -> None:
    answer = await ask(http, lived, lived.second, **changes)
    assert (answer.status_code, code_of(answer)) == (422, "validation_failed")
    assert field in answer.text


async def test_a_figure_is_left_out_once(http: Http, lived: Lived, asked_for: dict[str, Any]) -> None:
    answer = await ask(http, lived, lived.first, figures=["response", "resolution"])
    assert (answer.status_code, code_of(answer)) == (409, "exclusion_overlaps")
    assert answer.json()["facts"] == {"exclusion": asked_for["id"]}
    other = await ask(http, lived, lived.first, figures=["response", "response"])
    assert [f["id"] for f in other.json()["figures"]] == ["response"]
    await decide(http, other.json()["id"], "withdraw", lived.secretary)


async def test_a_repetition_asks_and_decides_once(http: Http, lived: Lived) -> None:
    key, other = new_key(), new_key()
    first, again = [await ask(http, lived, lived.second, key=key) for _ in range(2)]
    assert first.content == again.content and again.headers["idempotency-replayed"] == "true"
    changed = await ask(http, lived, lived.second, key=key, basis="force_majeure")
    assert (changed.status_code, code_of(changed)) == (422, "idempotency_key_reused")
    id = first.json()["id"]
    done = [await decide(http, id, "approve", key=other) for _ in range(2)]
    assert done[0].content == done[1].content
    twice = await decide(http, id, "approve")
    assert (twice.status_code, code_of(twice), twice.json()["facts"]) == (
        409,
        "exclusion_decided",
        {"state": "approved"},
    )
    unsaid = await decide(http, id, "revoke")
    assert (unsaid.status_code, code_of(unsaid)) == (422, "validation_failed")
    assert (await decide(http, id, "revoke", reason="误报")).status_code == 200


async def test_lists_keep_to_what_the_caller_may_see(
    http: Http, lived: Lived, product: Product, asked_for: dict[str, Any]
) -> None:
    async def ids(by: str, **wanted: Any) -> list[str]:
        answer = await http.get(LIST, by, limit=100, **wanted)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    everything = await ids(SUPERVISOR)
    assert everything == sorted(everything, reverse=True) and asked_for["id"] in everything
    assert await ids(AUDITOR) == await ids(ADMIN) == everything == await ids(lived.secretary)
    assert await ids(product.desk.district.secretary("wenqulu")) == []
    assert set(await ids(lived.worker)) < set(everything), "those that the worker asked for"
    assert asked_for["id"] in await ids(SUPERVISOR, state="asked") and asked_for["id"] not in await ids(
        SUPERVISOR, state="revoked"
    )
    assert asked_for["id"] in await ids(SUPERVISOR, month=lived.month, number=lived.first)
    assert await ids(SUPERVISOR, month="2020-01") == []
    page = await http.get(LIST, SUPERVISOR, limit=1)
    following = await http.get(page.links["next"]["url"], SUPERVISOR)
    assert [page.json()[0]["id"], following.json()[0]["id"]] == everything[:2]
    for by in (RESIDENT, INTEGRATOR):
        answer = await http.get(LIST, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
        assert (await http.get(f"{LIST}/{asked_for['id']}", by)).status_code == 403
    assert (await http.get(f"{LIST}/{asked_for['id']}", product.desk.district.secretary("wenqulu"))).status_code == 404
    assert (await http.get(f"{LIST}/exc-999999", SUPERVISOR)).status_code == 404
    assert (await http.get(f"{LIST}/1", SUPERVISOR)).status_code == 404


async def test_a_kept_month_changes_only_by_another_computation(
    http: Http, lived: Lived, clock: Clock, asked_for: dict[str, Any]
) -> None:
    path = f"{MONTHS}/{lived.month}"
    early = await http.post(f"{path}/computations", {"reason": "重算"}, SUPERVISOR)
    assert (early.status_code, code_of(early)) == (409, "month_not_kept")
    assert (await http.post(path, {}, SUPERVISOR)).status_code == 201
    clock.tick()
    await decide(http, asked_for["id"], "approve")
    (checked,) = (await http.get(f"{path}/check", AUDITOR)).json()["checked"]
    assert (checked["computation"], checked["differences"]) == (1, 0)
    assert checked["exclusions_since"] == {"approved": [asked_for["id"]], "revoked": []}
    key = new_key()
    anew, again = [
        await http.post(f"{path}/computations", {"reason": "核减一件"}, SUPERVISOR, key=key) for _ in range(2)
    ]
    assert anew.status_code == 201 and anew.content == again.content
    said = anew.json()
    assert (said["computation"], said["replaces"], said["reason"]) == (2, 1, "核减一件")
    assert said["exclusions"] == [asked_for["id"]]
    changed = {(s["grouping"], s["figure"]): (s["before"]["numerator"], s["now"]["numerator"]) for s in said["shown"]}
    assert changed["", "resolution"] == (1.5, 0.5) and {f for _, f in changed} == {"resolution"}
    kept = (await http.get(path, AUDITOR)).json()["computations"]
    assert [(c["computation"], c["reason"]) for c in kept] == [(1, None), (2, "核减一件")]
    assert kept[1]["exclusions_since"] == {"approved": [], "revoked": []} and "exclusions_since" not in kept[0]
    assert kept[1]["computed_by"]["id"] == SUPERVISOR
    (checked,) = (await http.get(f"{path}/check", AUDITOR)).json()["checked"]
    assert (checked["computation"], checked["differences"]) == (2, 0)
    for by, body, status in ((AUDITOR, {"reason": "x"}, 403), (SUPERVISOR, {}, 422), (SUPERVISOR, {"reason": ""}, 422)):
        assert (await http.post(f"{path}/computations", body, by)).status_code == status
    assert (await http.get(path, lived.secretary)).status_code == 403
    assert (await http.get(f"{MONTHS}/2020-01", SUPERVISOR)).status_code == 404


async def test_nobody_knows_what_will_be_approved(http: Http, lived: Lived, clock: Clock) -> None:
    ahead = (clock.at + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for path in (RATES, f"{RATES}/bulletin.csv"):
        answer = await http.get(path, SUPERVISOR, month=lived.month, as_of=ahead)
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter")
    naive = await http.get(RATES, SUPERVISOR, month=lived.month, as_of="2026-12-01T00:00:00")
    assert naive.status_code == 422
