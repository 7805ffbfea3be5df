"""Rows that were not taken: which, why, where in the row, and what to do. Never what the row says."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from domain.spreadsheets import defused


@dataclass(frozen=True)
class Refusal:
    """`row` counts data rows from 1, `line` the lines of the file; `field` is a column of the file where one is meant."""

    row: int
    line: int
    code: str
    field: str
    what_to_do: str


HEADS = tuple(field.name for field in fields(Refusal))


def line_of(refusal: Refusal) -> tuple[str, ...]:
    """As a line of a report that an office program opens as it is: no cell is a formula."""
    return tuple(defused(str(cell)) for cell in astuple(refusal))
