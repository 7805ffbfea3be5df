"""Streams sealed in pieces: the same comes out, and whatever is done to what is kept is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.sealed_stream import PIECE, TAG, Damaged, new_key, opened, pieces, sealed

KEY = new_key()


def through(plain: bytes, spoil: Callable[[bytes], bytes] = lambda kept: kept, name: str = "f-1") -> bytes:
    return b"".join(opened(KEY, name, [spoil(b"".join(sealed(KEY, "f-1", [plain])))]))


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17])
def test_what_goes_in_comes_out(size: int) -> None:
    plain = os.urandom(size)
    kept = b"".join(sealed(KEY, "f-1", [plain[:10], plain[10:]]))
    assert len(kept) == size + TAG * max(1, -(-size // PIECE))
    assert through(plain) == plain
    assert size < 32 or plain[:32] not in kept


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept[:-1],
        lambda kept: kept[: PIECE + TAG],
        lambda kept: b"",
        lambda kept: kept[PIECE + TAG :],
        lambda kept: kept[PIECE + TAG : 2 * (PIECE + TAG)] + kept[: PIECE + TAG] + kept[2 * (PIECE + TAG) :],
        lambda kept: kept + kept[-40:],
        lambda kept: kept[:5] + bytes([kept[5] ^ 1]) + kept[6:],
    ],
    ids=["a byte short", "ends after a piece", "nothing", "first piece gone", "swapped", "more behind", "a bit"],
)
def test_what_was_changed_is_not_opened(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Damaged):
        through(os.urandom(2 * PIECE + 40), spoil)


def test_name_and_key_are_bound() -> None:
    with pytest.raises(Damaged):
        through(b"x", name="f-2")
    with pytest.raises(Damaged):
        list(opened(new_key(), "f-1", sealed(KEY, "f-1", [b"x"])))


def test_two_streams_of_one_key_share_no_keystream() -> None:
    """AES-GCM under one key and nonce would give the difference of two plain texts away."""
    first, second = (b"".join(sealed(KEY, name, [b"\x00" * 64])) for name in ("f-1", "f-1.small"))
    assert first[:64] != second[:64]


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 64))
def test_pieces_keep_the_bytes(chunks: list[bytes], size: int) -> None:
    found = list(pieces(chunks, size))
    assert b"".join(found) == b"".join(chunks)
    assert all(len(one) == size for one in found[:-1]) and all(found)
