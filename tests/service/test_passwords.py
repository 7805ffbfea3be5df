"""Which passwords are refused, and that hashing harms neither the loop nor the memory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError
from service import passwords
from service.passwords import AT_ONCE, WAITING_AT_MOST, Passwords, generated, must_be_good


@pytest.mark.parametrize(
    "password",
    [
        "", "short1", "123456789", "1234567890", "0987654321", "password", "Password123!", "P@ssw0rd2026", "qwertyuiop", "aaaaaaaaaaaa",
        "ababababab", "11111111112222", "zhangsan-2026", "my ZhangSan pw", "woaini1314", "admin2026!!", "changeme123", "ｐａｓｓｗｏｒｄ１２３",
        "x" * 257,
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(DomainError, match="password_refused"):
        must_be_good(password, "zhangsan")


@pytest.mark.parametrize(
    "password", ["竹林里的蓝色水壶和一只猫", "blue kettle 41", "Tr0ub4dor&3xyz", "水壶 kettle 1 kettle"]
)
def test_other_ones_are_taken(password: str) -> None:
    must_be_good(password, "zhangsan", "ab")


def test_what_is_made_for_somebody_is_good_and_never_the_same() -> None:
    made = {generated() for _ in range(200)}
    assert len(made) == 200
    for one in made:
        must_be_good(one, "zhangsan")


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused_in_a_sentence(text: str) -> None:
    try:
        must_be_good(text, "zhangsan")
    except DomainError as refused:
        assert refused.code == "password_refused"
        assert len(text) < 5 or text not in refused.rule


async def test_a_password_fits_its_hash_however_it_was_composed() -> None:
    mine = Passwords()
    hash = await mine.hash("crème brûlée 7")
    assert await mine.check("cre\u0300me bru\u0302le\u0301e 7", hash) == (True, None)
    assert await mine.check("creme brulee 7", hash) == (False, None)


async def test_a_hash_of_another_cost_is_made_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PASSES", 1)
    old = await Passwords().hash("blue kettle 41")
    monkeypatch.undo()
    fits, better = await Passwords().check("blue kettle 41", old)
    assert fits and better is not None and better != old
    assert await Passwords().check("blue kettle 41", better) == (True, None)


async def test_the_loop_goes_on_and_few_work_at_once() -> None:
    mine, working, most, turns = Passwords(), 0, 0, 0
    real = mine._check

    def counted(password: str, hash: str | None) -> tuple[bool, str | None]:
        nonlocal working, most
        working += 1
        most = max(most, working)
        try:
            return real(password, hash)
        finally:
            working -= 1

    mine._check = counted  # type: ignore[method-assign]
    all_of_them = asyncio.gather(*(mine.check("wrong", None) for _ in range(8)))
    while not all_of_them.done():
        turns += 1
        await asyncio.sleep(0)
    assert [fits for fits, _ in await all_of_them] == [False] * 8
    assert most <= AT_ONCE and turns > 8, "the loop had its turns meanwhile"


async def test_too_many_at_once_are_told_to_wait() -> None:
    mine = Passwords()
    answers = await asyncio.gather(
        *(mine.check("wrong", None) for _ in range(WAITING_AT_MOST + 3)), return_exceptions=True
    )
    refused = [one for one in answers if isinstance(one, DomainError)]
    assert [one.code for one in refused] == ["too_many_requests"] * 3
