"""Masks: what is left of a name, a number, an address for those who need not know it; and texts without their reporter. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

STRUCK = "〔已隐去〕"
"""What stands in a text where the reporter's own name, number or room stood."""

ERASED = "〔个人信息已清除〕"
"""What a text says once it has been anonymised."""

_MASKED = re.compile("[*＊∗●•]|×{2,}|[xX]{3,}")
_BETWEEN = r"[\s\-－—–·.()（）]*"
_PHONE_DIGITS = re.compile(r"\d+")


def mask_name(name: str) -> str:
    """李小龙 → 李**; two stars always, so that the length is not told."""
    return f"{name.strip()[:1]}**"


def mask_phone(phone: str) -> str:
    """13812341234 → 138****1234; of a shorter number only its end."""
    digits = digits_of(phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"****{digits[-2:]}"


def mask_email(email: str) -> str:
    """someone@example.com → s***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def mask_room(_: str) -> str:
    return "***"


def mask_degrees(degrees: float) -> float:
    """To some hundred metres."""
    return round(degrees, 3)


def is_masked(value: str) -> bool:
    """Whether a value is, or holds, what a mask makes: such a thing is never written back."""
    return _MASKED.search(value) is not None


def digits_of(phone: str) -> str:
    """The digits alone, whatever script they are written in, without the prefix of mainland China."""
    digits = "".join(_PHONE_DIGITS.findall(unicodedata.normalize("NFKC", phone)))
    for prefix in ("0086", "86"):
        rest = digits.removeprefix(prefix)
        if rest != digits and re.fullmatch(r"1\d{10}|0\d{9,11}", rest):
            return rest
    return digits


def strike(text: str, reporter: Mapping[str, object]) -> str:
    """The text without the reporter's own name, phone, e-mail and room, however the number is spaced or written."""
    wanted = [*_written("name", reporter), *_written("email", reporter)]
    for word in sorted(wanted, key=len, reverse=True):
        text = re.sub(re.escape(word), STRUCK, text, flags=re.IGNORECASE)
    for phone in _written("phone", reporter):
        text = re.sub(_number(digits_of(phone)), STRUCK, text)
    for room in _written("room", reporter):
        # Not the 12 of 312, but the 12th of a month as well: better too much than too little.
        text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(room)}(?![0-9A-Za-z])", STRUCK, text)
    return text


def _written(field: str, reporter: Mapping[str, object]) -> list[str]:
    value = reporter.get(field)
    return [value.strip()] if isinstance(value, str) and value.strip() else []


def _number(digits: str) -> str:
    """Matches the number however it is spaced, in either width of digits, with its prefix or without."""
    if not digits:
        return r"(?!)"
    each = _BETWEEN.join(f"[{d}{chr(ord(d) - ord('0') + ord('０'))}]" for d in digits)
    return rf"(?:(?:\+|00)?86{_BETWEEN})?{each}"
