"""Every column that holds sealed bytes, in one list: what a rotation seals anew, and what anonymising a demand takes away.

Who adds a table with such a column adds a line here; a test compares the list with the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class SealedColumn:
    """`key` is the primary key with its types; `bound_to` the SQL expression of what the bytes are bound to.

    `of_demand` is the column that names the demand whose person this is about, if any. Anonymising that demand deletes
    the row, empties the column, or overwrites the text with a mark that says so.
    """

    table: str
    key: dict[str, str] = field(hash=False)
    bound_to: str
    column: str = "sealed"
    of_demand: str | None = None
    erase: Literal["delete", "empty", "overwrite"] = "delete"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


_ID = {"id": "text"}

SEALED: tuple[SealedColumn, ...] = (
    SealedColumn("demand_text", _ID, "number", of_demand="number", erase="overwrite"),
    SealedColumn("reporter", {"number": "text"}, "number", of_demand="number"),
    SealedColumn("file", _ID, "id", column="sealed_key", of_demand="number", erase="empty"),
    SealedColumn("file", _ID, "id", column="gps", of_demand="number", erase="empty"),
    SealedColumn("care_entry", _ID, "id"),
    SealedColumn("contact", {"person": "text", "channel": "text"}, "'contact:' || person || ':' || channel"),
    SealedColumn("webhook", _ID, "'webhook ' || id", column="secret"),
    SealedColumn("webhook", _ID, "'webhook ' || id", column="old_secret"),
    SealedColumn("bulk_import", _ID, "id", column="sealed_key"),
)

NOT_SEALED: dict[str, str] = {
    "account_session.token_hash": "a hash of the session's token",
    "account_session.agent": "a keyed digest",
    "account_session.address": "a keyed digest",
    "api_key.hash": "a hash of the key",
    "sign_in_try.mark": "a keyed digest",
    "reporter_pass.token_hash": "a hash of a link's or a session's token",
}
"""Columns of bytes that are no sealed values, each with what they are instead."""

ALSO_FORGOTTEN: tuple[str, ...] = (
    "delete from reporter_index where number = any($1::text[])",
    "delete from demand_likeness where number = any($1::text[])",
    "delete from reporter_pass where number = any($1::text[])",
    # Without its key the content is lost; the worker removes it, and then the row.
    "update file set state = 'going' where number = any($1::text[])",
)
"""What was made from sealed values, and goes with them: statements that take the numbers of the demands."""
