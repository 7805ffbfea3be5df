"""How alike two short Chinese texts are, by the two-character words they share; without a dictionary or a library.

text → one width, digits for counted numbers → runs between signs and little words → character pairs with weights

Most Chinese words of a complaint have two characters (路灯, 漏水, 停电), so the pairs of a run hold them all; a pair
across a word boundary says little, but the same sentence has the same ones. What a word weighs is whole, so that a sum
is the same in any order.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

LONGEST_TEXT = 4_000
"""Characters that are looked at."""

ORDINARY, TELLING, PLAIN = 4, 8, 1
"""What a pair weighs: any · one of the words by which a category is known · one that stands in every other complaint."""

ENOUGH = 6 * ORDINARY
"""Shared weight from which on a short text within a long one counts in full; below, it may be chance."""

MOST_WORDS = 5
LONGEST_WORD = 8

_HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
_DIGIT_OF = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_COUNTED = "栋幢号楼座单层室区期组村门路米"
_CHINESE_NUMBER = re.compile(f"[一二两三四五六七八九十]{{1,3}}(?=[{_COUNTED}])")
_SPACE_AFTER_DIGIT = re.compile(f"(?<=[0-9])\\s+(?=[{_HAN}])")
_BUILDING_ENDING = re.compile("(号楼|[栋幢号楼座])+$")

# Little words. They part what stands around them, as a sign would.
_STOP_WORDS = (
    "尊敬|领导|您好|你好|谢谢|感谢|希望|恳请|请求|要求|强烈|建议|咨询|投诉|反映|反应|举报|求助|关于|"
    "有关|相关|部门|政府|书记|市长|解决|处理|答复|回复|问题|情况|现在|目前|至今|一直|多次|已经|曾经|"
    "最近|今天|昨天|每天|时候|时间|我们|他们|你们|大家|本人|因为|所以|但是|而且|如果|可以|没有|不能|"
    "不会|是否|能否|为何|为什么|什么|怎么|如何|非常|十分|比较|严重|影响|生活|造成|导致|对于|进行|附近|"
    "一下|一个|这个|那个|这样|那样|这里|那里|尽快|赶快|及时|派人|核实|查看"
)
_STOP_CHARACTERS = "的了是在和也就都我你您他她它们这那有请吗呢啊吧呀嘛把被与及又很还让给为以但而或之于将该些么什怎"
_LITTLE = re.compile(f"{_STOP_WORDS}|[{_STOP_CHARACTERS}]")
_RUN = re.compile(f"[a-z0-9]+(?:号楼|单元|[{_COUNTED}])?|[{_HAN}]+")

_PLAIN_WORDS = "小区|社区|街道|业主|物业|居民|群众|市民|住户|开发|发商|公司|家里|楼下|门口|旁边|我家"
_PLAIN_FRAGMENTS = frozenset(_PLAIN_WORDS.split("|"))


@dataclass(frozen=True, slots=True)
class Gist:
    """What a text says, as far as it can be compared: its runs in order, and its different fragments with their weights."""

    runs: tuple[str, ...]
    weights: Mapping[str, int]
    total: int


def normalised(text: str) -> str:
    """One width and one case; 三栋 and 3 栋 become 3栋."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold()
    return _SPACE_AFTER_DIGIT.sub("", _CHINESE_NUMBER.sub(lambda found: _digits(found[0]), text))


def building_named(said: str) -> str:
    """A building as people write it, in one spelling: 3, 3栋, 三号楼 and ３ 幢 are the same."""
    text = normalised(said).replace(" ", "")
    if text and all(c in "一二两三四五六七八九十" for c in text):
        text = _digits(text)
    return _BUILDING_ENDING.sub("", text) or text


def telling_of(words: Iterable[str]) -> frozenset[str]:
    """The fragments of words that tell what a complaint is about."""
    return frozenset(fragment for word in words for run in _runs(word) for fragment in _fragments(run))


def gist(text: str, telling: frozenset[str] = frozenset()) -> Gist:
    """The text's fragments; those in `telling` weigh more."""
    runs = _runs(text)
    fragments = {fragment for run in runs for fragment in _fragments(run)}
    weights = dict.fromkeys(fragments, ORDINARY)
    weights |= dict.fromkeys(fragments & _PLAIN_FRAGMENTS, PLAIN)
    weights |= dict.fromkeys(fragments & telling, TELLING)
    return Gist(runs, weights, sum(weights.values()))


def narrowed(of: Gist, to: frozenset[str]) -> Gist:
    """Only the fragments in `to`: for callers who may learn nothing else about another text."""
    weights = {fragment: weight for fragment, weight in of.weights.items() if fragment in to}
    return Gist(of.runs, weights, sum(weights.values()))


def similarity(a: Gist, b: Gist) -> float:
    """From 0 (no fragment in common) to 1; the same for (b, a).

    Half of it is how much of both is shared, half how much of the shorter is in the longer.
    """
    weight = sum(min(a.weights[f], b.weights[f]) for f in a.weights.keys() & b.weights.keys())
    if not weight:
        return 0.0
    both = weight / sqrt(a.total * b.total)
    contained = weight / min(a.total, b.total) * min(1.0, weight / ENOUGH)
    return min(1.0, (both + contained) / 2)


def shared_words(a: Gist, b: Gist) -> tuple[str, ...]:
    """What both texts mention, the most telling first: fragments that stand in a row in both are one word again."""
    shared = a.weights.keys() & b.weights.keys()
    first, second = sorted((a, b), key=lambda g: g.runs)
    words = {word for run in first.runs for word in _joined(run, shared, lambda word: _stands_in(word, second))}
    return _weightiest(words, {f: min(a.weights[f], b.weights[f]) for f in shared})


def common_words(gists: Sequence[Gist]) -> tuple[str, ...]:
    """What at least half of the texts mention, and at least two; words of every other complaint left out."""
    counted = Counter(fragment for one in gists for fragment in one.weights)
    least = max(2.0, len(gists) / 2)
    weights = {f: w * counted[f] for g in gists for f, w in g.weights.items() if counted[f] >= least and w > PLAIN}

    def usual(word: str) -> bool:
        return sum(_stands_in(word, one) for one in gists) >= least

    telling = max(gists, key=lambda g: (sum(weights.get(f, 0) for f in g.weights), g.runs))
    words = {word for run in telling.runs for word in _joined(run, weights.keys(), usual)}
    return _weightiest(words, weights)


def _weightiest(words: Set[str], weights: Mapping[str, int]) -> tuple[str, ...]:
    """The few that say most; none that is part of another."""
    longest = [word for word in words if not any(word != other and word in other for other in words)]
    heft = {word: sum(weights[f] for f in set(_fragments(word))) for word in longest}
    return tuple(sorted(longest, key=lambda word: (-heft[word], word))[:MOST_WORDS])


@lru_cache(maxsize=512)
def _digits(chinese: str) -> str:
    """三 → 3, 十二 → 12, 二十 → 20."""
    tens, ten, ones = chinese.rpartition("十")
    if ten:
        return str((_DIGIT_OF.get(tens, 1) if tens else 1) * 10 + (_DIGIT_OF.get(ones, 0) if ones else 0))
    return "".join(str(_DIGIT_OF[c]) for c in chinese)


def _runs(text: str) -> tuple[str, ...]:
    return tuple(run for run in _RUN.findall(_LITTLE.sub(" ", normalised(text))) if len(run) > 1)


def _fragments(run: str) -> list[str]:
    """The pairs of a Chinese run. A Latin word or a counted number is one; a bare number says nothing."""
    if run[0].isascii():
        return [] if run.isdigit() else [run]
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _stands_in(word: str, text: Gist) -> bool:
    return any(word in run for run in text.runs)


def _joined(run: str, shared: Set[str], holds: Callable[[str], bool]) -> Iterable[str]:
    """The words that the shared fragments of a run make, each as long as it `holds`."""
    if run[0].isascii():
        return [run] if run in shared else []
    words: list[str] = []
    for i, pair in enumerate(_fragments(run)):
        if pair not in shared:
            continue
        longer = words[-1] + pair[1] if words and run[: i + 1].endswith(words[-1]) else ""
        if longer and len(longer) <= LONGEST_WORD and holds(longer):
            words[-1] = longer
        else:
            words.append(pair)
    return words
