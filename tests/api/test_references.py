"""One demand, many numbers in other systems; found by any of them, and never two demands for one number."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key

ODD = "渝信访〔2026〕12/3 号:附"


async def refs(http: Http, number: str, by: str = OPERATOR) -> list[tuple[str, str]]:
    answer = await http.get(f"/api/v1/demands/{number}/references", by)
    assert answer.status_code == 200, answer.text
    return [(one["system"], one["number"]) for one in answer.json()]


async def remove(http: Http, number: str, system: str, ref: str, by: str = OPERATOR) -> int:
    said = {"system": system, "number": ref}
    answer = await http.client.delete(f"/api/v1/demands/{number}/references", headers=bearer(by), params=said)
    return answer.status_code


async def test_added_found_and_taken_away(http: Http) -> None:
    mark = new_key()
    number = (await http.submit(external_refs=[{"system": "12345", "number": mark}]))["number"]
    path = f"/api/v1/demands/{number}/references"
    for system, ref in (("城管", mark), ("信访", ODD + mark)):
        answer = await http.post(path, {"system": system, "number": ref}, OPERATOR)
        assert answer.status_code == 201, answer.text
    assert await refs(http, number) == sorted([("12345", mark), ("城管", mark), ("信访", ODD + mark)])
    for reference in (f"12345:{mark}", f"城管:{mark}", f"信访:{ODD}{mark}"):
        found = (await http.get("/api/v1/demands", OPERATOR, reference=reference)).json()
        assert [one["number"] for one in found] == [number]
    assert (await http.get("/api/v1/demands", OPERATOR, reference=f"141:{mark}")).json() == []
    assert await remove(http, number, "信访", ODD + mark) == 204
    assert await remove(http, number, "信访", ODD + mark) == 404
    assert (await http.get("/api/v1/demands", OPERATOR, reference=f"信访:{ODD}{mark}")).json() == []


async def test_adding_twice_is_adding_once(http: Http) -> None:
    number, body, key = (await http.submit())["number"], {"system": "141", "number": new_key()}, new_key()
    path = f"/api/v1/demands/{number}/references"
    first = await http.post(path, body, OPERATOR, key=key)
    again = await http.post(path, body, OPERATOR, key=key)
    assert again.json() == first.json() and again.headers["idempotency-replayed"] == "true"
    assert (await http.post(path, body, OPERATOR)).json() == first.json()
    other = await http.post(path, {**body, "number": new_key()}, OPERATOR, key=key)
    assert code_of(other) == "idempotency_key_reused"
    assert len(await refs(http, number)) == 1


async def test_a_number_stands_for_one_demand_which_is_named_to_who_may_see_it(http: Http, product: Product) -> None:
    ref = {"system": "12345", "number": new_key()}
    first = (await http.submit(external_refs=[ref]))["number"]
    second = (await http.submit(location={"grid": product.desk.district.grids[-1].id}))["number"]
    path = f"/api/v1/demands/{second}/references"
    told = await http.post(path, ref, SUPERVISOR)
    assert code_of(told) == "external_ref_taken" and told.json()["facts"] == {"number": first}
    stranger = product.worker_of(product.desk.district.grids[-1].id).id
    assert (await http.get(f"/api/v1/demands/{first}", stranger)).status_code == 404
    kept_quiet = await http.post(path, ref, stranger)
    assert code_of(kept_quiet) == "external_ref_taken" and "facts" not in kept_quiet.json()
    assert first not in kept_quiet.text
    by_another = await http.post("/api/v1/demands", {"text": "路灯坏了", "external_refs": [ref]}, "resident-0666")
    assert code_of(by_another) == "external_ref_taken" and first not in by_another.text


async def test_two_at_once_give_it_to_one(http: Http) -> None:
    ref = {"system": "12345", "number": new_key()}
    numbers = [(await http.submit())["number"] for _ in range(4)]
    answers = await asyncio.gather(
        *(http.post(f"/api/v1/demands/{n}/references", ref, INTEGRATOR) for n in numbers)
    )  # fmt: skip
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]


async def test_who_may(http: Http, product: Product) -> None:
    number, ref = (await http.submit())["number"], {"system": "141", "number": new_key()}
    path = f"/api/v1/demands/{number}/references"
    auditor = next(p.id for p in product.desk.district.people if all(g.role == "auditor" for g in p.grants))
    assert [code_of(await http.post(path, ref, who)) for who in (RESIDENT, auditor)] == ["not_permitted"] * 2
    elsewhere = product.worker_of(product.desk.district.grids[-1].id).id
    assert code_of(await http.post(path, ref, elsewhere)) == "not_found"
    assert await remove(http, number, "141", "x", RESIDENT) == 403
    assert await refs(http, number, RESIDENT) == []


async def test_not_without_end(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.references.MOST", 2)
    number = (await http.submit())["number"]
    path = f"/api/v1/demands/{number}/references"
    answers = [await http.post(path, {"system": "141", "number": new_key()}, OPERATOR) for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 409]
    assert code_of(answers[2]) == "too_many_references"


@pytest.mark.parametrize("reference", ["12345", ":1", "12345:", "x" * 41 + ":1", ""])
async def test_a_reference_is_a_system_and_a_number(http: Http, reference: str) -> None:
    assert (await http.get("/api/v1/demands", OPERATOR, reference=reference)).status_code == 422
