"""What callers send about notices: what they have read, how they can be reached."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints, model_validator

from domain.addresses import check_address
from domain.errors import DomainError
from domain.notice_rules import Language, Quiet, Via

Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=254)]
Wall = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ReadForm(_Form):
    """Either `ids`, or `all` of them, up to the notice `upto` where that is said: later ones stay unread."""

    ids: Annotated[tuple[Annotated[StrictInt, Field(ge=1)], ...], Field(min_length=1, max_length=200)] | None = None
    all: StrictBool = False
    upto: Annotated[StrictInt, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ids is None) != self.all:
            raise ValueError("give either ids, or all: true")
        if self.upto is not None and not self.all:
            raise ValueError("upto goes with all")
        return self


class QuietForm(_Form):
    """Local time, over midnight where `from` is the later one. The same twice means no quiet hours."""

    begins: Wall = Field(alias="from")
    ends: Wall = Field(alias="until")

    def quiet(self) -> Quiet:
        return Quiet.model_validate({"from": self.begins, "until": self.ends})


class ContactsForm(_Form):
    """All of it: a channel that is left out is one by which the caller is not reached any more.

    `language`, `quiet` and `digest` null are as the district has them.
    """

    channels: dict[Via, Address] = {}
    language: Language | None = None
    quiet: QuietForm | None = None
    digest: StrictBool | None = None

    def checked(self) -> dict[str, str]:
        """Channel → address. Raises DomainError `contact_invalid`, with the field but without the address."""
        for channel, address in self.channels.items():
            try:
                check_address(channel, address)
            except DomainError as wrong:
                raise DomainError(wrong.code, wrong.rule, field=f"/channels/{channel}") from None
        return {str(channel): address for channel, address in self.channels.items()}
