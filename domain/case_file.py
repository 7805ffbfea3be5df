"""One demand as a file that proves itself: its log, the calendars that it was promised by, its texts, and how it stands.

    bytes ── read ──> CaseFile ── spelling, check ──> findings, in words

Needs no database and no server, only this module and the rules that made the demand. A digest shows that nothing was changed by
accident or in part; who made the file is shown by its signature (`service/case_signing.py`). Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain.demand import Clock, Demand
from domain.ladder import is_promised
from domain.ledger import Entry
from domain.tasks import ClockKey
from domain.vocabulary import Outcome, Stage
from domain.worktime import Calendar

FORMAT: Literal["linli-case/1"] = "linli-case/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaseText(_Part):
    """What somebody wrote about the demand, as it was kept. `digest` covers all the rest and the demand's number."""

    id: str
    kind: str
    author: str
    written_at: AwareDatetime
    text: str
    digest: str


class Withheld(_Part):
    """A text that whoever exported the file may not read. Without a digest: short texts could be guessed from it."""

    id: str
    kind: str


class Erased(_Part):
    """A text that was erased to protect the persons in it, when their time was over or they asked for it."""

    id: str
    kind: str
    erased_at: AwareDatetime


class ClockStand(_Part):
    """One clock. `kept` is None while that is open, and for a clock that promises nothing to anybody."""

    started_at: AwareDatetime
    due_at: AwareDatetime
    paused_at: AwareDatetime | None
    stopped_at: AwareDatetime | None
    breached: bool
    kept: bool | None


class Stand(_Part):
    """How the demand stood when the file was made, as the product had it in its table: the log must lead to the same."""

    stage: Stage
    outcome: Outcome | None
    category: str
    seq: int
    head: str
    opened_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    sealed: bool
    breached: bool
    clocks: dict[ClockKey, ClockStand]


class Signature(_Part):
    """Ed25519 over the canonical JSON of everything before it; both values in hex."""

    public_key: str
    value: str


class CaseFile(_Part):
    """The whole file, in the order in which it is written. `product` is the version that made it.

    `digest` is the SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of everything before it.
    """

    format: Literal["linli-case/1"] = FORMAT
    product: str
    exported_at: AwareDatetime
    exported_by: str
    number: str
    state: Stand
    calendars: tuple[Calendar, ...]
    entries: tuple[Entry, ...]
    texts: tuple[CaseText, ...]
    withheld: tuple[Withheld, ...]
    # Left out where there is none, so that files of earlier releases keep their spelling and their digest.
    erased: Annotated[tuple[Erased, ...], Field(exclude_if=lambda texts: not texts)] = ()
    signature: Signature | None = None
    digest: str = ""


class Finding(_Part):
    """Something that does not hold: `where` in the file, `says` in a sentence."""

    code: str
    where: str
    says: str


class Unreadable(Exception):
    """Not a case file at all, or none that this release knows. The sentence says which."""


# ---- making one


def stand_of(demand: Demand) -> Stand:
    clocks = {name: _clock_stand(name, clock) for name, clock in demand.clocks.items()}
    same = {name: getattr(demand, name) for name in Stand.model_fields if name != "clocks"}
    return Stand(clocks=clocks, **same)


def _clock_stand(name: ClockKey, c: Clock) -> ClockStand:
    kept = None if not is_promised(name) else False if c.breached else True if c.stopped_at else None
    return ClockStand(
        started_at=c.started_at, due_at=c.due_at, paused_at=c.paused_at, stopped_at=c.stopped_at, breached=c.breached,
        kept=kept,
    )  # fmt: skip


def case_text(number: str, *, id: str, kind: str, author: str, written_at: datetime, text: str) -> CaseText:
    bare = CaseText(id=id, kind=kind, author=author, written_at=written_at, text=text, digest="")
    return bare.model_copy(update={"digest": text_digest(number, bare)})


def signed_part(file: CaseFile) -> bytes:
    """What a signature covers."""
    return _canonical(file.model_dump(mode="json", exclude={"signature", "digest"}))


def sealed(file: CaseFile, signature: Signature | None = None) -> CaseFile:
    """The file with its signature, and its digest over all of it."""
    signed = file.model_copy(update={"signature": signature})
    return signed.model_copy(update={"digest": digest_of(signed)})


def written(file: CaseFile) -> bytes:
    """The only spelling of this file: UTF-8, one value a line, so that people can read and compare it."""
    return (json.dumps(file.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()


def digest_of(file: CaseFile) -> str:
    return hashlib.sha256(_canonical(file.model_dump(mode="json", exclude={"digest"}))).hexdigest()


def text_digest(number: str, text: CaseText) -> str:
    """SHA-256 over the number and the text with everything about it, so that it fits no other place."""
    said = text.model_dump(mode="json", exclude={"digest"})
    return hashlib.sha256(_canonical({"number": number, **said})).hexdigest()


def calendar_digest(calendar: Calendar) -> str:
    """What the version of a calendar of holiday tables ends with: eight digits over its content."""
    content = calendar.model_copy(update={"version": "content"})
    return hashlib.sha256(content.model_dump_json().encode()).hexdigest()[:8]


def calendars_named(entries: Iterable[Entry]) -> list[str]:
    """The versions of all calendars that the log promises by, in their order."""
    named: dict[str, None] = {}
    for entry in entries:
        promise = entry.data.get("promise")
        version = entry.data.get("version") if entry.type == "calendar_adopted" else None
        if isinstance(promise, Mapping):
            version = promise.get("calendar")
        if version is not None:
            named[str(version)] = None
    return list(named)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# ---- reading one


def read(raw: bytes) -> CaseFile:
    """Raises Unreadable, with a sentence that says why."""
    try:
        return CaseFile.model_validate_json(raw)
    except ValidationError as wrong:
        raise Unreadable(_why(wrong, raw)) from None


def _why(wrong: ValidationError, raw: bytes) -> str:
    first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return f"It is no JSON, or damaged: {first['msg'].removeprefix('Invalid JSON: ')}."
    claimed = _claimed(raw)
    if claimed != FORMAT:
        return (
            "It is no case file."
            if claimed is None
            else f"It is of a format that this release does not know, not {FORMAT}."
        )
    where = ".".join(str(part) for part in first["loc"])
    return f"It is no complete case file: {where}: {first['msg']}."


def _claimed(raw: bytes) -> str | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    found = value.get("format") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def spelling(file: CaseFile, raw: bytes) -> Iterator[Finding]:
    """Whether these bytes are the ones that were written, down to the last space."""
    right = written(file)
    if raw != right:
        place = next((n for n, (a, b) in enumerate(zip(raw, right, strict=False)) if a != b), min(len(raw), len(right)))
        says = f"is spelled otherwise than the product writes it, from byte {place} on: another program has written it"
        yield Finding(code="spelling", where=f"byte {place}", says=says)
