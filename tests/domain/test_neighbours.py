"""What leaves for another system, and what its answers mean."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.masking import STRUCK
from domain.neighbours import (
    LONGEST_WAIT,
    Meaning,
    Neighbour,
    Standing,
    description,
    mark,
    pause,
    reference_of,
    their_id,
    their_words,
)

PERSON = {"name": "张小满", "phone": "13912345678", "room": "302"}


def neighbour(**more: object) -> Neighbour:
    given = {
        "id": "city",
        "name": "城管",
        "unit": "u-1",
        "base_url": "https://city.example.cn/v2",
        "services": {"04": "A", "0401": "B"},
    }
    return Neighbour.model_validate({**given, **more})


def test_the_longest_prefix_decides() -> None:
    assert [neighbour().service_for(code) for code in ("040102", "0403", "0101")] == ["B", "A", None]


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "ftp://city.example.cn"}, {"base_url": "https://key@city.example.cn/v2"}, {"services": {}},
     {"base_url": "https://city.example.cn/v2?key=1"}, {"api_key": "secret"}, {"poll_minutes": 0}, {"attributes": {"a b": "x"}}],
)  # fmt: skip
def test_a_line_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        neighbour(**wrong)


@pytest.mark.parametrize(
    ("closed", "extended", "meaning"),
    [
        (False, "", Meaning.NOTHING),
        (False, "in_progress", Meaning.ACCEPTED),
        (False, "FIXED", Meaning.NOTHING),
        (True, "", Meaning.RESOLVED),
        (True, "FIXED", Meaning.RESOLVED),
        (True, "NO_FURTHER_ACTION", Meaning.EXPLAINED),
        (True, "IN_PROGRESS", Meaning.RESOLVED),
        (True, "NOT_COUNCILS_RESPONSIBILITY", Meaning.REFUSED),
        (True, "DUPLICATE", Meaning.HANDED_BACK),
        (True, "made up", Meaning.RESOLVED),
    ],
)
def test_what_a_status_means(closed: bool, extended: str, meaning: Meaning) -> None:
    assert Standing(closed, "", "", extended).meaning is meaning


def test_the_story_goes_without_its_reporter_and_with_our_number() -> None:
    story = "我是张小满，住 302，电话 139 1234 5678，邻居李四 13700001111，身份证 500383199001011234，下水道堵了"
    said = description(story, PERSON, "shengli-road", "20261123-000001", share=False)
    for secret in ("张小满", "302", "5678", "13700001111", "500383199001011234"):
        assert secret not in said
    assert "下水道堵了" in said and said.endswith(mark("shengli-road", "20261123-000001"))
    assert "张小满" in description(story, PERSON, "s", "r", share=True)


def test_a_long_story_is_cut_and_the_number_stays() -> None:
    said = description("漏" * 20_000, {}, "s", "r", share=False)
    assert len(said) < 4_000 and said.endswith(mark("s", "r"))


def test_one_reference_is_never_found_in_another() -> None:
    first, second = reference_of("20261123-000001", 1), reference_of("20261123-000001", 2)
    assert first != second and mark("s", first) not in description("x", {}, "s", second, share=False)


@pytest.mark.parametrize(
    "text",
    ["王师傅 13800001111", "座机 023-49812345", "write to a.b@example.cn", "+86 138 0000 1111", "张小满已确认", "500383199001011234"],
)  # fmt: skip
def test_their_words_tell_nobodys_numbers(text: str) -> None:
    assert STRUCK in their_words(text, PERSON)


def test_their_words_keep_what_is_no_number_of_a_person() -> None:
    text = "工单 20261123 已办结，更换 DN110 管道 12 米，2026-11-23 10:30 完工"
    assert their_words(text, {}) == text


def test_their_words_are_cut_and_cleaned() -> None:
    assert len(their_words("长" * 9_000, {})) < 4_000 and their_words("a\x00b\x1b", {}) == "ab"


def test_pauses_grow_and_what_they_ask_for_counts_within_reason() -> None:
    assert pause(1, None) < pause(3, None) < pause(9, None) == pause(99, None)
    assert pause(1, timedelta(hours=2)) == timedelta(hours=2)
    assert pause(1, timedelta(days=9)) == LONGEST_WAIT and pause(6, timedelta(seconds=1)) == pause(6, None)


@pytest.mark.parametrize(("value", "id"), [("C-1", "C-1"), (17, "17"), ("", None), (None, None), (True, None), ("x" * 81, None), ("a b", None), ("a\nb", None), (["a"], None)])  # fmt: skip
def test_what_can_be_an_id(value: object, id: str | None) -> None:
    assert their_id(value) == id
