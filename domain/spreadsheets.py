"""Cells of tables that office programs open: nothing in them may act. Pure."""

from __future__ import annotations

_ACTING = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet program would take for a formula; some take the wide forms as well."""


def defused(cell: str) -> str:
    """The cell with an apostrophe before it where a program would compute it; the program shows it without."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_ACTING) or cell.startswith(_ACTING) else cell


def as_written(cell: str) -> str:
    """What `defused` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ").startswith(_ACTING) else cell
