"""Cells that a spreadsheet program would compute are made texts, and found again as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.spreadsheets import as_written, defused


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "－1"])
def test_what_would_act_is_a_text(cell: str) -> None:
    assert defused(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "a=b", "1-2", "路灯坏了", "'quoted'", "3+4"])
def test_all_else_stays(cell: str) -> None:
    assert defused(cell) == cell


@given(st.text())
def test_it_can_be_taken_back(cell: str) -> None:
    assert as_written(defused(cell)) == cell or cell.startswith("'")
    assert not defused(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
