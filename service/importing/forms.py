"""What is said of a file that shall be imported."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from domain.vocabulary import Channel


class ImportForm(BaseModel):
    """`system` is where the rows come from: together with a row's number it is what keeps the row from coming in twice.

    `map` says which column is which field where the names do not tell: `text=标题+正文,id=编号`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    channel: Channel = Channel.IMPORT
    map: Annotated[str, StringConstraints(max_length=1_000)] = ""
    dry_run: Literal["true", "false"] = "false"
