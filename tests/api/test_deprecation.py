"""An operation that will be taken away says so in every answer and in the document."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import APIRouter, Request

from api.auth import Caller
from api.demands import IdempotencyKey
from api.deprecation import deprecated
from api.direct import DirectRoute
from api.needs import needs
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from tests.api.plumbing_app import Accept, bearer, client_of, toy_app

SINCE, SUNSET = date(2027, 1, 4), date(2027, 9, 1)

strict = APIRouter(prefix="/api/v1", route_class=StrictRoute)
direct = APIRouter(prefix="/api/v1", route_class=DirectRoute)


@strict.get("/old-things/{number}")
@needs(Need.PUBLIC, because="a test of the plumbing")
@deprecated(since=SINCE, sunset=SUNSET, instead="/api/v1/things")
async def read_old_thing(number: int) -> dict[str, int]:
    """An old thing."""
    if number == 0:
        raise problem("not_found")
    return {"number": number}


@direct.post("/old-acts")
@needs(Need.BE_KNOWN)
@deprecated(since=SINCE, sunset=SUNSET, instead="/api/v1/things")
async def act_as_before(
    form: Accept, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Act as before."""
    return {"type": form.type}


def said(headers: Any) -> tuple[str, str, str]:
    return headers["deprecation"], headers["sunset"], headers["link"]


EXPECTED = (
    "@1799020800 Wed, 01 Sep 2027 00:00:00 GMT "
    '</api/v1/things>; rel="successor-version", </docs>; rel="deprecation"; type="text/html"'
)


async def test_answers_and_refusals_say_that_it_ends() -> None:
    async with client_of(toy_app((strict, direct))) as client:
        for path, status in (
            ("/api/v1/old-things/1", 200),
            ("/api/v1/old-things/0", 404),
            ("/api/v1/old-things/x", 422),
        ):
            answer = await client.get(path)
            assert answer.status_code == status and " ".join(said(answer.headers)) == EXPECTED, path
        acted = await client.post("/api/v1/old-acts", json={"type": "accept"}, headers=bearer())
        assert acted.json() == {"type": "accept"} and " ".join(said(acted.headers)) == EXPECTED
        refused = await client.post("/api/v1/old-acts", json={"type": "accept"})
        assert refused.status_code == 401 and refused.headers["deprecation"] == "@1799020800"
        assert "deprecation" not in (await client.get("/api/v1/things")).headers


async def test_the_document_says_so_too() -> None:
    app = toy_app((strict, direct))
    operation = app.openapi()["paths"]["/api/v1/old-things/{number}"]["get"]
    assert (operation["deprecated"], operation["x-sunset"]) == (True, "2027-09-01")
    assert "deprecated" not in app.openapi()["paths"]["/api/v1/things"]["get"]


def test_the_notice_is_long_enough() -> None:
    with pytest.raises(ValueError, match="180 days"):
        deprecated(since=SINCE, sunset=SINCE + timedelta(days=179), instead="/x")
