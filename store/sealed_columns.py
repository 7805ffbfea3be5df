"""Every column that holds sealed bytes, in one list: what a rotation seals anew, and what anonymising a demand takes away.

Who adds a table with such a column adds a line here; a test compares the list with the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class SealedColumn:
    """`key` is the primary key with its types; `bound_to` the SQL expression of what the bytes are bound to.

    `of_demand` is the column that names the demand whose person this is about, if any; anonymising that demand deletes
    the row, or overwrites the text with a mark that says so.
    """

    table: str
    key: dict[str, str] = field(hash=False)
    bound_to: str
    column: str = "sealed"
    of_demand: str | None = None
    erase: Literal["delete", "overwrite"] = "delete"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


SEALED: tuple[SealedColumn, ...] = (
    SealedColumn("demand_text", {"id": "text"}, "number", of_demand="number", erase="overwrite"),
    SealedColumn("reporter", {"number": "text"}, "number", of_demand="number"),
    SealedColumn("care_entry", {"id": "text"}, "id"),
)

NOT_SEALED: dict[str, str] = {}
"""Columns of bytes that are no sealed values, each with what they are instead."""

ALSO_FORGOTTEN: tuple[tuple[str, str], ...] = (
    ("reporter_index", "number"),
    ("demand_likeness", "number"),
)
"""Tables, and their column with the demand's number, whose rows were made from what is sealed and go with it."""
