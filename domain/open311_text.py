"""What an Open311 client sends along besides the description, as lines of the demand's text that a worker can read.

    电梯坏了，三天没修。

    —— 随单信息 ——
    轿厢内是否有人〔inside〕：已脱困
    地址：3 栋 2 单元
    附图：https://…

Kept in the one text, so that it is sealed and stored with it; read back from there for the client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MARK = "\n\n—— 随单信息 ——\n"
ADDRESS, PICTURE, POINT, EMAIL, FROM, STATUS, WRITTEN, PHONE = (
    "地址", "附图", "地图点", "邮箱", "留言人", "对方状态", "对方时间", "电话",
)  # fmt: skip

# Illegal in XML 1.0, and nothing that anybody writes: control characters, halves of characters, non-characters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_ATTRIBUTE = re.compile(r"(.+)〔([A-Za-z0-9_]{1,40})〕")


def writable(text: str) -> str:
    """The text without what no XML document can hold, with one kind of line end; the same for both formats."""
    return _UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Sent:
    """A text taken apart; `attributes` are (label, code, answer)."""

    description: str
    address: str | None = None
    pictures: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str, str], ...] = field(default=())


def joined(description: str, lines: Sequence[tuple[str, str]]) -> str:
    """The description, then (label, value) a line each; nothing is added where there are none."""
    if not lines:
        return description
    return description + MARK + "\n".join(f"{label}：{one_line(value)}" for label, value in lines)


def taken_apart(text: str) -> Sent:
    """The reverse; a text of another door is all description."""
    description, mark, rest = text.rpartition(MARK)
    if not mark:
        return Sent(text)
    address, pictures, attributes = None, [], []
    for line in rest.split("\n"):
        label, _, value = line.partition("：")
        attribute = _ATTRIBUTE.fullmatch(label)
        if attribute is not None:
            attributes.append((attribute[1], attribute[2], value))
        elif label == PICTURE:
            pictures.append(value)
        elif label == ADDRESS:
            address = value
    return Sent(description, address, tuple(pictures), tuple(attributes))
