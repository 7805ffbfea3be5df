"""Tokens at the door, and pages of a list."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth import Principals
from api.paging import CursorSigner, Key
from domain.errors import DomainError
from service.tokens import mint
from tests.api.plumbing_app import SECRET, WORKER, District, Person, bearer, client_of, toy_app

UNKNOWN = mint(SECRET, "nobody-9")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(toy_app()) as client:
        yield client


async def test_a_person_of_the_district_comes_with_grants(client: httpx2.AsyncClient) -> None:
    for _ in range(2):  # the second answer comes from memory
        answer = await client.get("/api/v1/me", headers=bearer())
        assert answer.json() == {"id": WORKER, "roles": ["grid_worker"]}


async def test_a_resident_needs_no_entry(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/me", headers=bearer("resident-0042"))
    assert answer.json() == {"id": "resident-0042", "roles": ["resident"]}


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Basic abc", "Bearer x", f"Token {mint(SECRET, WORKER)}",
        f"Bearer {mint('another secret here', WORKER)}", f"Bearer {mint(SECRET, WORKER)[:-1]}",
        f"Bearer {UNKNOWN}", f"Bearer {mint(SECRET, 'resident-x')}", f"Bearer {mint(SECRET, WORKER).upper()}",
        "Bearer \xff\xfe", "Bearer " + "a" * 10_000,
    ],
)  # fmt: skip
async def test_anything_else_is_401(client: httpx2.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    answer = await client.get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_without_a_secret_no_token_is_valid() -> None:
    async with client_of(toy_app(dev_token_secret=None)) as client:
        assert (await client.get("/api/v1/me", headers=bearer())).status_code == 401


async def test_a_new_district_takes_effect_at_once() -> None:
    class Emptied(District):
        def person(self, person_id: str, /) -> Person:
            raise DomainError("unknown_person", f"{person_id} has left.")

    app = toy_app()
    async with client_of(app) as client:
        assert (await client.get("/api/v1/me", headers=bearer())).status_code == 200
        app.state.desk.district = Emptied()
        assert (await client.get("/api/v1/me", headers=bearer())).status_code == 401


def test_memory_of_tokens_is_bounded() -> None:
    principals, district = Principals(SECRET), District()
    for number in range(5_000):
        assert principals.find(mint(SECRET, f"resident-{number:04}"), district) is not None
    assert len(principals._known) <= 4_096


async def test_pages_follow_one_another_to_the_end(client: httpx2.AsyncClient) -> None:
    url, rows = "/api/v1/things?limit=25&stage=网格+%26+单位", []
    for _ in range(9):
        answer = await client.get(url)
        assert answer.json()["stage"] == "网格 & 单位"
        rows += answer.json()["rows"]
        if "link" not in answer.headers:
            break
        match = re.fullmatch(r'<(/api/v1/things\?\S+)>; rel="next"', answer.headers["link"])
        assert match
        url = match[1]
    assert rows == list(range(1, 61))


async def test_a_cursor_belongs_to_its_list_and_filters(client: httpx2.AsyncClient) -> None:
    link = (await client.get("/api/v1/things?limit=10&stage=grid")).headers["link"]
    cursor = re.search(r"cursor=([^>&]+)", link)[1]  # type: ignore[index]
    assert (await client.get(f"/api/v1/things?stage=grid&cursor={cursor}")).json()["rows"][0] == 11
    for url in (f"/api/v1/things?stage=unit&cursor={cursor}", f"/api/v1/things?cursor={cursor}"):
        answer = await client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


KEYS = st.lists(
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.integers(-(2**63), 2**63)
    | st.datetimes(timezones=st.just(UTC)),
    max_size=4,
)  # fmt: skip


@given(key=KEYS)
def test_a_cursor_gives_back_its_key(key: list[Key]) -> None:
    signer = CursorSigner(b"k")
    assert signer.decode(signer.encode(key, "/x?"), "/x?") == tuple(key)


@given(position=st.integers(0, 300), letter=st.sampled_from("ABab01-_=+/ é\x00"))
def test_a_cursor_with_any_character_changed_is_refused(position: int, letter: str) -> None:
    signer = CursorSigner(b"k")
    cursor = signer.encode([datetime(2026, 1, 1, tzinfo=UTC), "2026-1"], "/x?")
    place = position % (len(cursor) + 1)
    forged = cursor[:place] + letter + cursor[place + 1 :]
    if forged != cursor:
        with pytest.raises(DomainError, match="invalid_cursor"):
            signer.decode(forged, "/x?")


@given(st.text(max_size=1_500))
def test_no_text_makes_a_cursor(text: str) -> None:
    with pytest.raises(DomainError, match="invalid_cursor"):
        CursorSigner(b"k").decode(text, "/x?")
