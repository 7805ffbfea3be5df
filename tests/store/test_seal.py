"""Sealed texts: opened by the right key for the right demand, by nothing else."""

from __future__ import annotations

import os

import pytest

from store.seal import Sealer, UnknownKey

OLD, NEW = os.urandom(32), os.urandom(32)
TEXT = "渝西花园3栋1201，电话13800000000"


def test_opens_what_it_sealed_and_shows_nothing() -> None:
    sealer = Sealer({"k1": OLD})
    sealed = sealer.seal(TEXT, "D-1")
    assert sealer.open(sealed, "D-1") == TEXT
    assert TEXT.encode() not in sealed and "1380000" not in repr(sealed)
    assert sealer.seal(TEXT, "D-1") != sealed


@pytest.mark.parametrize("text", ["", "x", "字" * 20_000, "\U0001f4a9\n\t"])
def test_any_text(text: str) -> None:
    sealer = Sealer({"k1": OLD})
    assert sealer.open(sealer.seal(text, "D-1"), "D-1") == text


def test_another_demand_cannot_open_it() -> None:
    sealer = Sealer({"k1": OLD})
    with pytest.raises(UnknownKey, match="another demand"):
        sealer.open(sealer.seal(TEXT, "D-1"), "D-2")


def test_rotation_keeps_the_old_readable_and_seals_with_the_new() -> None:
    before = Sealer({"k1": OLD}).seal(TEXT, "D-1")
    both = Sealer({"k2": NEW, "k1": OLD})
    assert both.open(before, "D-1") == TEXT
    after = both.seal(TEXT, "D-1")
    assert after.startswith(b"k2:") and Sealer({"k2": NEW}).open(after, "D-1") == TEXT
    with pytest.raises(UnknownKey, match="k1"):
        Sealer({"k2": NEW}).open(before, "D-1")


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:5] + bytes([b[5] ^ 1]) + b[6:],
                                   lambda b: b"k1:", lambda b: b"", lambda b: b"\xff\xfe:" + b, lambda b: b"k1:" + b"0" * 12])  # fmt: skip
def test_spoilt_bytes_are_refused_without_showing_text(spoil: object) -> None:
    sealer = Sealer({"k1": OLD})
    with pytest.raises(UnknownKey) as refused:
        sealer.open(spoil(sealer.seal(TEXT, "D-1")), "D-1")  # type: ignore[operator]
    assert TEXT not in str(refused.value)


def test_a_wrong_key_of_the_same_name() -> None:
    with pytest.raises(UnknownKey):
        Sealer({"k1": NEW}).open(Sealer({"k1": OLD}).seal(TEXT, "D-1"), "D-1")
