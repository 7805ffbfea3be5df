"""Records of any CSV file: what the standard writer writes comes back, and a broken record costs only itself."""

from __future__ import annotations

import csv
import io
import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.importing import csv_records
from service.importing.csv_records import LONGEST, records

cells = st.text(st.sampled_from('a,;"\n\r灯\t '), max_size=12)


def _written(rows: list[list[str]], delimiter: str, encoding: str, quoting: int) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode(encoding)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6), st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "gb18030"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.integers(1, 9),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_what_was_written_is_read(
    rows: list[list[str]], delimiter: str, encoding: str, quoting: int, chunk: int
) -> None:
    raw = _written(rows, delimiter, encoding, quoting)
    with pytest.MonkeyPatch.context() as patch:  # every boundary between two chunks comes up
        patch.setattr(csv_records, "_FIRST_CHUNK", chunk)
        patch.setattr(csv_records, "_CHUNK", chunk)
        found = list(records(io.BytesIO(raw), delimiter.encode()))
    assert [r.problem for r in found] == [None] * len(rows)
    back = [next(csv.reader([r.raw.decode(encoding)], delimiter=delimiter)) for r in found]
    assert back == rows


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_at_all_make_it_stop_or_lose_its_place(raw: bytes) -> None:
    ends = [r.end for r in records(io.BytesIO(raw))]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(raw) for end in ends)


class _Endless(io.RawIOBase):
    """A file with one field of `size` bytes between two good rows, made while it is read."""

    def __init__(self, size: int) -> None:
        self._head, self._tail, self._size, self._at = b"1,good\n2,", b"\n3,good\n", size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = place
        return place

    def read(self, count: int = -1) -> bytes:
        whole = len(self._head) + self._size + len(self._tail)
        end = min(whole, self._at + count)
        part = (
            bytes(self._byte(at) for at in range(self._at, end)) if self._near_an_end(end) else b"x" * (end - self._at)
        )
        self._at = end
        return part

    def _near_an_end(self, end: int) -> bool:
        return self._at < len(self._head) or end > len(self._head) + self._size

    def _byte(self, at: int) -> int:
        behind = at - len(self._head) - self._size
        return self._head[at] if at < len(self._head) else self._tail[behind] if behind >= 0 else ord("x")


def test_a_field_of_any_size_is_measured_and_not_kept() -> None:
    size = 200 * 1024 * 1024
    tracemalloc.start()
    try:
        found = list(records(_Endless(size)))  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(r.line, r.problem) for r in found] == [(1, None), (2, "too_long"), (3, None)]
    assert found[1].widest == (1, size)
    assert peak < 8 * LONGEST


@pytest.mark.parametrize("broken", ['2,"never closed,x\n', '2,"closed" and more,x\n', '2,"two ""quotes"" and" one,x\n'])
def test_a_broken_quote_costs_its_own_line_only(broken: str) -> None:
    raw = ("1,a,b\n" + broken + '3,"c, d",e\n4,f,g\n').encode()
    found = list(records(io.BytesIO(raw)))
    assert [(r.line, r.problem) for r in found] == [(1, None), (2, "bad_quotes"), (3, None), (4, None)]


def test_lines_are_counted_through_quoted_line_ends_and_empty_lines() -> None:
    raw = b'1,"a\nb\nc"\r\n\r\n2,d\r\n3,"unclosed\n4,e'
    assert [(r.line, r.problem) for r in records(io.BytesIO(raw))] == [
        (1, None), (5, None), (6, "bad_quotes"), (7, None)
    ]  # fmt: skip


def _shuffled(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(3000):
        yield bytes(chance.choice(b'ab,"\n\r') for _ in range(chance.randint(0, 40)))


def test_where_the_standard_reader_agrees_strictly_so_do_we() -> None:
    for raw in _shuffled(5):
        try:
            expected = [row for row in csv.reader(io.StringIO(raw.decode(), newline="\n"), strict=True) if row]
        except csv.Error:
            continue
        found = list(records(io.BytesIO(raw)))
        if b"\r" in raw.replace(b"\r\n", b""):  # it ends lines at a lone CR, which no program writes any more
            continue
        assert not [r for r in found if r.problem], raw
        assert [next(csv.reader([r.raw.decode()])) for r in found] == expected
