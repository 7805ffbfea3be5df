"""What somebody without an account sends who reports something: the draft that is looked at, and the demand itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from domain.vocabulary import Channel
from service.forms import Code, DraftForm, Location, Reporter, Story, SubmitForm

MOST_FILES = 9


class LookForm(DraftForm):
    """What stands in the draft so far."""


class WalkInForm(BaseModel):
    """As a demand of any other door; its channel is the resident's.

    `follow` is a matter that was offered for the draft: this demand keeps its own number and is handled with that one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Story
    category: Code | None = None
    location: Location | None = None
    reporter: Reporter | None = None
    confidential: StrictBool = False
    file_ids: Annotated[tuple[Code, ...], Field(max_length=MOST_FILES)] = ()
    follow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,400}$")] | None = None

    def submitted(self) -> SubmitForm:
        return SubmitForm(
            text=self.text, category=self.category, location=self.location, reporter=self.reporter,
            confidential=self.confidential, file_ids=self.file_ids, channel=Channel.RESIDENT,
        )  # fmt: skip
