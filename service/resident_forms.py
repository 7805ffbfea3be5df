"""What a reporter sends through the door without an account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from domain.vocabulary import Satisfied, Solved
from service.forms import Code, Email, Phone, Words


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeForm(_Form):
    """`code` in any case, with or without its dash."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]
    code: Annotated[str, Field(min_length=1, max_length=32, json_schema_extra={"format": "password"})]


class AnswerForm(_Form):
    """The three questions: were you contacted, is it solved, are you satisfied with how it was handled."""

    contacted: StrictBool
    solved: Solved
    satisfied: Satisfied
    note: Words | None = None
    file_ids: Annotated[tuple[Code, ...], Field(max_length=20)] = ()


class AskForm(_Form):
    """催办 · 撤回 · 申请重办 · “我的是另一回事”, with a word about it."""

    type: Literal["urge", "withdraw", "reopen", "unmerge"]
    note: Words | None = None


class NoteForm(_Form):
    type: Literal["note"]
    note: Words


class AttachForm(_Form):
    """Files uploaded through this door before."""

    type: Literal["attach"]
    file_ids: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]
    note: Words | None = None


DeedForm = Annotated[AskForm | NoteForm | AttachForm, Field(discriminator="type")]


class ContactForm(_Form):
    """What is left out stays; null takes it away."""

    phone: Phone | None = None
    email: Email | None = None
