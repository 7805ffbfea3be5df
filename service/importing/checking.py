"""What is wrong with a row, before anything is taken in: the same rules as those of a submission, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.district import District
from domain.errors import DomainError
from service.forms import SubmitForm
from service.importing.bodies import BadRow, Maker
from service.importing.refusals import Refusal
from service.importing.rows import CsvFile, Row

_COLUMN_OF: Mapping[str, str] = {
    "text": "text", "category": "category", "location": "compound", "reporter": "name", "external_refs": "id",
    "lat": "lat", "lon": "lon", "compound": "compound", "building": "building", "room": "room", "grid": "grid",
    "name": "name", "phone": "phone",
}  # fmt: skip
_ADVICE: Mapping[str, str] = {
    "text": "Write what the demand is about, in at most 20,000 characters.",
    "phone": "Write digits, spaces and hyphens only, 5 to 20 of them, after an optional +.",
    "id": "Shorten the number to 80 characters.",
    "idempotency_key_reused": "It was imported before with other content or other options; change that demand instead.",
}


def column_of(pointer: str) -> str | None:
    """The field of a row that a place in the body (`/reporter/phone`) is made from."""
    return next((_COLUMN_OF[part] for part in reversed(pointer.strip("/").split("/")) if part in _COLUMN_OF), None)


def category_codes(district: District) -> dict[str, str]:
    """Name -> code of every leaf, in Chinese and in English."""
    return {name: leaf.code for leaf in district.categories for name in (leaf.name_en, leaf.name)}


def form_of(row: Row, file: CsvFile, maker: Maker) -> tuple[SubmitForm, str] | Refusal:
    """What is submitted for the row, and its Idempotency-Key; or why there is nothing to submit."""
    if row.refusal is not None:
        return row.refusal
    try:
        body, key = maker.make(row.values)
        return SubmitForm.model_validate(body), key
    except BadRow as bad:
        return Refusal(row.number, row.line, bad.code, file.column(bad.field), bad.what_to_do)
    except ValidationError as wrong:
        return _of_validation(row, file, wrong)


def _of_validation(row: Row, file: CsvFile, wrong: ValidationError) -> Refusal:
    error: Any = wrong.errors(include_url=False, include_input=False)[0]
    where = column_of("/".join(str(part) for part in error["loc"]))
    advice = _ADVICE.get(where or "", f"{error['msg']}.")
    return Refusal(row.number, row.line, "validation_failed", file.column(where) if where else "", advice)


def refused(row: Row, file: CsvFile, error: DomainError) -> Refusal:
    """As a submission was refused."""
    where = column_of(str(error.facts.get("field", ""))) or ("category" if error.code == "unknown_category" else None)
    advice = _ADVICE.get(error.code, error.rule)
    return Refusal(row.number, row.line, error.code, file.column(where) if where else "", advice)


def known_to(district: District, form: SubmitForm) -> None:
    """Raises DomainError where the form names what the district does not have."""
    if form.category is not None:
        district.category(form.category)
    location = form.location
    if location is None:
        return
    try:
        if location.grid is not None:
            district.grid(location.grid)
        if location.compound is not None:
            district.compound(location.compound)
    except DomainError:
        rule = "This district has no such grid or compound. Take one from /api/v1/grids, or send a point, or nothing."
        raise DomainError("unknown_place", rule, field=f"/location/{'grid' if location.grid else 'compound'}") from None


def problem_of(row: Row, file: CsvFile, maker: Maker, district: District) -> tuple[Refusal | None, str]:
    """(what a submission of this row would be refused for, its Idempotency-Key)."""
    made = form_of(row, file, maker)
    if isinstance(made, Refusal):
        return made, ""
    form, key = made
    try:
        known_to(district, form)
    except DomainError as unknown:
        return refused(row, file, unknown), key
    return None, key
