from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens import mint, person_of

IDS = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)


@given(person=IDS, secret=st.text(min_size=1, max_size=40, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_minted_token_speaks_for_its_person_under_its_secret_only(person: str, secret: str) -> None:
    token = mint(secret, person)
    assert person_of(secret, token) == person
    assert person_of(secret + "x", token) is None


@given(IDS, IDS)
def test_a_signature_is_of_no_use_for_another_person(one: str, other: str) -> None:
    if one != other:
        signature = mint("secret", one).rpartition("_")[2]
        assert person_of("secret", f"dev_{other}_{signature}") is None


@given(position=st.integers(0, 25), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_every_character_of_the_signature_counts(position: int, letter: str) -> None:
    token = mint("secret", "gw-1")
    head, _, signature = token.rpartition("_")
    if signature[position] != letter:
        forged = signature[:position] + letter + signature[position + 1 :]
        assert person_of("secret", f"{head}_{forged}") is None


@given(st.text(max_size=120))
def test_anything_else_is_nobody(text: str) -> None:
    assert person_of("secret", text) is None


def test_the_format_stays() -> None:
    assert mint("secret", "resident-0001") == "dev_resident-0001_" + mint("secret", "resident-0001")[-26:]
    assert len(mint("s", "a")) == len("dev_a_") + 26


@pytest.mark.parametrize("person", ["", "a b", "张三", "a/b", "x" * 65, "a\n"])
def test_ids_that_cannot_stand_in_a_token_are_refused(person: str) -> None:
    with pytest.raises(ValueError, match="person id"):
        mint("secret", person)
