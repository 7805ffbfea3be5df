"""The reasons of a suggestion in words: 同一小区、同类、3 小时前、都提到“路灯”“不亮”."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.duplicates import Reason
from service.views import View

_FIXED = {
    "same_category": ("同类", "same category"),
    "same_subgroup": ("同一小类", "same kind of category"),
    "same_group": ("同一大类", "same branch of categories"),
    "same_building": ("同一楼栋", "same building"),
    "same_compound": ("同一小区", "same compound"),
    "same_grid": ("同一网格", "same grid"),
}
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def sentence(reasons: Sequence[Reason], *, earlier: bool, english: bool) -> str:
    """All reasons in one line; `earlier` tells whether the other demand came first."""
    said = (reason_text(reason, earlier=earlier, english=english) for reason in reasons)
    return (", " if english else "、").join(said)


def reason_text(reason: Reason, *, earlier: bool, english: bool) -> str:
    if reason.code == "near":
        return f"{reason.metres} m away" if english else f"相距 {reason.metres} 米"
    if reason.code == "apart":
        return _apart(reason.apart or timedelta(), earlier=earlier, english=english)
    if reason.code == "words":
        words = reason.words
        return f"both mention {', '.join(words)}" if english else "都提到" + "".join(f"“{word}”" for word in words)
    return _FIXED[reason.code][english]


def reason_view(reason: Reason, *, earlier: bool) -> View:
    """The reason with its figures, and in both languages; `apart_seconds` is negative where the other came later."""
    view: View = {"code": reason.code}
    if reason.metres is not None:
        view["metres"] = reason.metres
    if reason.apart is not None:
        view["apart_seconds"] = round(reason.apart.total_seconds()) * (1 if earlier else -1)
    if reason.words:
        view["words"] = list(reason.words)
    for language, english in (("zh", False), ("en", True)):
        view[language] = reason_text(reason, earlier=earlier, english=english)
    return view


def _apart(span: timedelta, *, earlier: bool, english: bool) -> str:
    if span < _MINUTE:
        return "at the same time" if english else "同一时间"
    unit, zh, en = next(
        (one for one in ((2 * _DAY, "天", "day"), (_HOUR, "小时", "hour")) if span >= one[0]),
        (_MINUTE, "分钟", "minute"),
    )
    count = int(span / (_DAY if zh == "天" else unit))
    if english:
        return f"{count} {en}{'' if count == 1 else 's'} {'earlier' if earlier else 'later'}"
    return f"{count} {zh}{'前' if earlier else '后'}"
