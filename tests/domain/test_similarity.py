"""How alike two texts are: words of two characters count, little words do not, and the order never matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.similarity import (
    LONGEST_TEXT,
    MOST_WORDS,
    building_named,
    common_words,
    gist,
    narrowed,
    normalised,
    shared_words,
    similarity,
    telling_of,
)

TELLING = telling_of(["路灯", "不亮", "电梯", "停水"])
LAMP = "三栋门前那盏路灯坏了，一到晚上就不亮"
SAME_LAMP = "我家楼下路灯不亮，晚上走路看不见"
LIFT = "2单元电梯又停了，老人下不了楼"

chinese = st.text(st.sampled_from("路灯不亮三栋楼下电梯停水了的，。3 abc　ＡＢ１号"), max_size=60)


def alike(a: str, b: str) -> float:
    return similarity(gist(a, TELLING), gist(b, TELLING))


def words(a: str, b: str) -> tuple[str, ...]:
    return shared_words(gist(a, TELLING), gist(b, TELLING))


def test_the_same_matter_in_other_words_is_liker_than_another_matter() -> None:
    assert alike(LAMP, SAME_LAMP) > 0.25 > 0.1 > alike(LAMP, LIFT)


def test_what_both_mention_is_told_in_whole_words_the_telling_ones_first() -> None:
    assert words(LAMP, SAME_LAMP)[:2] == ("不亮", "路灯")
    assert words("厨房的下水管道又堵了", "下水管道堵了三天") == ("下水管道",)


def test_a_word_of_the_categories_weighs_more() -> None:
    told, untold = alike("路灯", "路灯旁的井盖"), similarity(gist("路灯"), gist("路灯旁的井盖"))
    assert told > untold


@pytest.mark.parametrize(
    ("one", "other"),
    [("３栋停水", "3栋停水"), ("三栋停水", "3 栋停水"), ("十二号楼停水", "12号楼停水"), ("WiFi断了", "ｗｉｆｉ断了")],
)
def test_one_width_one_case_one_way_of_counting(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert gist(one).weights == gist(other).weights


def test_signs_and_little_words_part_words() -> None:
    assert gist("停，水").weights == {}
    assert set(gist("楼下的路灯坏了").weights) == {"楼下", "路灯", "灯坏"}
    assert gist("尊敬的领导您好，希望尽快解决这个问题，谢谢").weights == {}


def test_bare_numbers_say_nothing() -> None:
    assert gist("13800001111，2026-11-23").weights == {}
    assert set(gist("103路公交").weights) == {"103路", "公交"}


@pytest.mark.parametrize("said", ["3", "3栋", "三号楼", "３ 幢", "三"])
def test_a_building_has_one_spelling(said: str) -> None:
    assert building_named(said) == "3"


def test_a_building_that_is_all_ending_keeps_its_name() -> None:
    assert building_named("楼") == "楼" and building_named("A座") == "a"


def test_two_characters_shared_by_chance_do_not_carry_a_long_text() -> None:
    long = "".join(chr(0x4E00 + 7 * n) for n in range(300))
    assert alike("路灯", long + "路灯") < 0.3
    assert alike("路灯不亮晚上走路看不见台阶", long + "路灯不亮晚上走路看不见台阶") > 0.5


def test_narrowed_to_public_words_nothing_else_is_compared() -> None:
    one = narrowed(gist("王小梅家停水", TELLING), TELLING)
    other = narrowed(gist("王小梅说停水", TELLING), TELLING)
    assert shared_words(one, other) == ("停水",)
    assert narrowed(gist("王小梅", TELLING), TELLING).weights == {}


@given(chinese, chinese)
def test_it_is_bounded_and_the_same_both_ways(a: str, b: str) -> None:
    x, y = gist(a, TELLING), gist(b, TELLING)
    score, found = similarity(x, y), shared_words(x, y)
    assert (score, found) == (similarity(y, x), shared_words(y, x))
    assert 0.0 <= score <= 1.0
    assert (score > 0) == bool(found) == bool(x.weights.keys() & y.weights.keys())
    assert len(found) <= MOST_WORDS
    assert all(any(word in run for run in text.runs) for word in found for text in (x, y))


def test_what_many_mention_stands_in_half_of_the_texts_and_never_in_one_alone() -> None:
    texts = [
        gist(text, TELLING)
        for text in ("西门路灯不亮，张三丰说", "小区西门路灯坏了", "西门路灯闪烁，小区很暗", "李四家")
    ]
    assert common_words(texts) == ("西门路灯",)
    assert common_words(texts[::-1]) == ("西门路灯",)
    assert common_words(texts[:1]) == ()


@given(chinese)
def test_nothing_is_liker_than_the_text_itself(a: str) -> None:
    own = alike(a, a)
    assert all(alike(a, b) <= own + 1e-9 for b in (LAMP, SAME_LAMP, LIFT, a[::-1]))


@given(st.lists(st.sampled_from(["路灯不亮", "电梯停运", "下水堵塞", "停水三天"]), min_size=1, max_size=4, unique=True))
def test_the_order_of_sentences_does_not_matter(sentences: list[str]) -> None:
    assert gist("，".join(sentences)).weights == gist("。".join(reversed(sentences))).weights


def test_only_the_beginning_of_a_very_long_text_is_looked_at() -> None:
    assert "路灯" not in gist("，" * LONGEST_TEXT + "路灯").weights
