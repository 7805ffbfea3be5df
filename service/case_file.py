"""A demand's case file: everything that is kept of it and that the caller may read, signed."""

from __future__ import annotations

from domain.actors import Actor
from domain.case_file import CaseFile, Erased, Withheld, calendars_named, case_text, stand_of
from domain.errors import DomainError
from domain.masking import STRUCK
from domain.privacy import ReadingReason
from domain.worktime import Calendar
from service import case_signing
from service.desk import Desk
from service.reading import find
from service.words import may_read, opened, reading
from store import calendars, personal
from store import case_file as storing
from store.texts import KeptText


async def case_file(desk: Desk, actor: Actor, number: str, *, product: str) -> CaseFile:
    """The file as of now; `product` is the version that makes it.

    It holds what stands in the tables, whether that fits together or not: finding that out is for whoever checks it.
    The reporter's name and phone never are in it. Raises DomainError `not_found` as in `find`.
    """
    await find(desk, actor, number)
    kept = await storing.whole(desk.pool, number)
    if kept is None:
        raise DomainError("not_found", "There is no demand with this number, or it is not in your scope.")
    erased = [one for one in kept.texts if one.erased_at is not None]
    shown = await _shown(desk, actor, kept)
    file = CaseFile(
        product=product,
        exported_at=desk.now(),
        exported_by=actor.id,
        number=number,
        state=stand_of(kept.demand),
        calendars=await _calendars(desk, calendars_named(kept.entries)),
        entries=kept.entries,
        texts=tuple(
            case_text(number, id=one.id, kind=one.kind, author=one.author, written_at=one.written_at, text=text)
            for one, text in shown
        ),
        withheld=tuple(
            Withheld(id=one.id, kind=one.kind)
            for one in kept.texts
            if one not in erased and one not in [it for it, _ in shown]
        ),
        erased=tuple(Erased(id=one.id, kind=one.kind, erased_at=one.erased_at) for one in erased if one.erased_at),
    )
    return case_signing.sign(file, desk.settings.key_ring())


async def _shown(desk: Desk, actor: Actor, kept: storing.Kept) -> list[tuple[KeptText, str]]:
    """The texts that the caller may read as they are. A signed file holds none that something was struck out of."""
    may = [
        one
        for one in kept.texts
        if one.erased_at is None and may_read(kept.demand, actor, one.kind, one.author)
    ]  # fmt: skip
    if not may:
        return []
    number = kept.demand.number
    kinds = sorted({one.kind for one in may})
    await personal.tell(desk.pool, reading(desk, actor, "case_file", ReadingReason.HANDLING, *kinds), [number])
    words = await opened(desk, actor, kept.demand, may)
    return [(one, text) for one, text in zip(may, words, strict=True) if STRUCK not in text]


async def _calendars(desk: Desk, versions: list[str]) -> tuple[Calendar, ...]:
    """One that was never kept is left out; the check says so."""
    found = [await calendars.load(desk.pool, version) for version in versions]
    known = [desk.calendar if one is None and version == desk.calendar.version else one
             for version, one in zip(versions, found, strict=True)]  # fmt: skip
    return tuple(one for one in known if one is not None)
