"""ETag, If-None-Match, If-Match and `Prefer: respond-async` on a demand, and If-Match on a webhook."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.api.callers import Http, bearer, code_of, http_for
from tests.builders import INTEGRATOR, OPERATOR, Product, new_key, until


async def act(http: Http, number: str, by: str, body: Any, **headers: str) -> httpx2.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.client.post(
        f"/api/v1/demands/{number}/actions", json=body, headers=bearer(by) | {"Idempotency-Key": new_key()} | said
    )


async def read(http: Http, number: str, by: str, **headers: str) -> httpx2.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.client.get(f"/api/v1/demands/{number}", headers=bearer(by) | said)


async def test_what_has_not_changed_is_not_sent_again(product: Product, http: Http) -> None:
    view = await http.submit()
    number, worker = view["number"], view["holder"]["id"]
    first = await read(http, number, OPERATOR)
    tag = first.headers["etag"]
    assert tag.startswith(f'"{first.json()["seq"]}-') and first.headers["cache-control"] == "private, no-cache"
    for had in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = await read(http, number, OPERATOR, If_None_Match=had)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), had
    other = await read(http, number, worker, If_None_Match=tag)
    assert other.status_code == 200, "somebody else may do other things: another view"
    accepted = await act(http, number, worker, {"type": "accept"})
    assert accepted.headers["etag"].startswith(f'"{accepted.json()["seq"]}-')
    assert (await read(http, number, OPERATOR, If_None_Match=tag)).status_code == 200


async def test_nobody_decides_on_what_has_gone_on_since(product: Product, http: Http) -> None:
    view = await http.submit()
    number, worker = view["number"], view["holder"]["id"]
    seen = (await read(http, number, worker)).headers["etag"]
    assert (await act(http, number, worker, {"type": "accept"}, If_Match=seen)).status_code == 200
    refused = await act(http, number, worker, {"type": "contact"}, If_Match=seen)
    assert refused.status_code == 412 and code_of(refused) == "changed_meanwhile"
    now = refused.json()["facts"]["seq"]
    assert now == (await read(http, number, worker)).json()["seq"]
    assert "contacted" not in await product.types(number), "it was not done"
    for wrong in (f'W/"{now}"', '"1"', '"x"', "nonsense", ""):
        assert (await act(http, number, worker, {"type": "contact"}, If_Match=wrong)).status_code == 412, wrong
    assert (await act(http, number, worker, {"type": "contact"}, If_Match=f'"7000", "{now}"')).status_code == 200
    assert (await act(http, number, worker, {"type": "note", "note": "已约晚上"}, If_Match="*")).status_code == 200


async def test_a_repetition_under_if_match_is_not_refused(product: Product, http: Http) -> None:
    view = await http.submit()
    number, worker = view["number"], view["holder"]["id"]
    seen, key = (await read(http, number, worker)).headers["etag"], new_key()
    answers = [
        await act(http, number, worker, {"type": "accept"}, If_Match=seen, Idempotency_Key=key) for _ in range(3)
    ]
    assert [a.status_code for a in answers] == [200] * 3
    assert (await product.types(number)).count("accepted") == 1
    other = await act(http, number, worker, {"type": "contact"}, If_Match=seen, Idempotency_Key=key)
    assert other.status_code == 412, "another body is no repetition"


async def test_if_match_gives_nobody_away(product: Product, http: Http) -> None:
    number = (await http.submit())["number"]
    assert (await act(http, number, "resident-0002", {"type": "urge"}, If_Match='"1"')).status_code == 404


async def test_an_impatient_caller_gets_202_and_the_verdict_later(product: Product, http: Http) -> None:
    view = await http.submit()
    number, worker, key = view["number"], view["holder"]["id"], new_key()
    first = await act(http, number, worker, {"type": "accept"}, Prefer="respond-async, wait=0", Idempotency_Key=key)
    assert first.status_code == 202 and first.headers["preference-applied"] == "respond-async"
    assert first.headers["location"] == f"/api/v1/demands/{number}"
    assert first.json() == {"status": "under_way", "number": number, "follow": f"/api/v1/demands/{number}"}

    async def done() -> bool | None:
        return True if "accepted" in await product.types(number) else None

    await until(done)
    verdict = await act(http, number, worker, {"type": "accept"}, Idempotency_Key=key)
    assert verdict.status_code == 200 and (await product.types(number)).count("accepted") == 1


async def test_a_patient_one_gets_the_answer_itself(product: Product, http: Http) -> None:
    view = await http.submit()
    number, worker = view["number"], view["holder"]["id"]
    done = await act(http, number, worker, {"type": "accept"}, Prefer="respond-async, wait=30")
    assert done.status_code == 200 and "preference-applied" not in done.headers
    refused = await act(http, number, worker, {"type": "accept"}, Prefer="handling=lenient,respond-async;wait=30")
    assert refused.status_code == 409, "what a rule refuses at once is refused at once"


async def test_a_refusal_behind_a_202_is_had_by_asking_again(product: Product, http: Http) -> None:
    view = await http.submit()
    number, key = view["number"], new_key()
    body = {"type": "accept"}
    first = await act(http, number, OPERATOR, body, Prefer="respond-async,wait=0", Idempotency_Key=key)
    assert first.status_code == 202
    again = await act(http, number, OPERATOR, body, Prefer="respond-async, wait=30", Idempotency_Key=key)
    assert again.status_code == 403 and code_of(again) == "not_holder"


async def test_without_a_key_nobody_could_ask_what_became_of_it(product: Product, http: Http) -> None:
    view = await http.submit()
    for path, body in (("actions", {"type": "urge"}), ("followers", {"demands": ["20261123-000001"]})):
        answer = await http.client.post(
            f"/api/v1/demands/{view['number']}/{path}", json=body,
            headers=bearer(OPERATOR) | {"Prefer": "respond-async"},
        )  # fmt: skip
        assert answer.status_code == 400 and code_of(answer) == "idempotency_key_required"


@pytest.mark.parametrize("said", ["wait=0", "return=minimal", "x-respond-async", ""])
async def test_other_preferences_are_left_alone(product: Product, http: Http, said: str) -> None:
    view = await http.submit()
    answer = await act(http, view["number"], view["holder"]["id"], {"type": "accept"}, Prefer=said)
    assert answer.status_code == 200


async def test_duplicates_are_gathered_behind_a_202(product: Product, http: Http) -> None:
    primary, other = await http.submit(), await http.submit("resident-0002")
    headers = bearer("p-0002") | {"Idempotency-Key": new_key(), "Prefer": "respond-async, wait=0"}
    path = f"/api/v1/demands/{primary['number']}/followers"
    taken = await http.client.post(path, json={"demands": [other["number"]]}, headers=headers)
    assert taken.status_code == 202 and taken.headers["location"] == path

    async def done() -> bool | None:
        return True if (await product.row(other["number"])).primary == primary["number"] else None

    await until(done)


async def test_a_webhook_is_changed_by_whoever_has_seen_it(product: Product) -> None:
    async with http_for(product.settings.model_copy(update={"webhook_allow": "127.0.0.0/8"})) as http:
        form = {"url": "http://127.0.0.1:9/hook", "description": "a"}
        made = await http.post("/api/v1/webhooks", form, INTEGRATOR)
        path = f"/api/v1/webhooks/{made.json()['id']}"
        seen = (await http.get(path, INTEGRATOR)).headers["etag"]

        async def put(description: str, **headers: str) -> httpx2.Response:
            said = {name.replace("_", "-"): value for name, value in headers.items()} | bearer(INTEGRATOR)
            return await http.client.put(path, json={**form, "description": description}, headers=said)

        changed = await put("b", If_Match=seen)
        assert changed.status_code == 200 and changed.headers["etag"] != seen
        refused = await put("c", If_Match=seen)
        assert refused.status_code == 412 and code_of(refused) == "changed_meanwhile"
        assert (await put("d", If_Match="*")).status_code == 200 and (await put("e")).status_code == 200
