"""A good case file has no findings, whatever life it tells; whatever is changed in it is found, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.case_check import KINDS, check, replayed
from domain.case_file import (
    CaseFile,
    Erased,
    Finding,
    Stand,
    Unreadable,
    Withheld,
    calendar_digest,
    calendars_named,
    case_text,
    read,
    sealed,
    spelling,
    stand_of,
    written,
)
from domain.ledger import Entry, digest
from domain.vocabulary import ClockName, DecisionKind
from domain.worktime import Calendar
from tests.domain import builders as b
from tests.domain.test_demand_machine import CALENDARS, Life
from tests.domain.test_ledger import a_long_story
from tests.domain.year_2026 import CN

KNOWN = {calendar.version: calendar for calendar in (*CALENDARS, CN)}


def a_case(story: b.Story, **changes: Any) -> CaseFile:
    """Everything there is about the demand, with a text for every id that its log names."""
    named = {
        (id, kinds[0]) for e in story.entries for f, kinds in KINDS.items() if isinstance(id := e.data.get(f), str)
    }
    texts = (
        case_text(b.NUMBER, id=id, kind=kind, author="worker", written_at=b.MONDAY_NINE, text=f"灯已修好 “{id}”")
        for id, kind in sorted(named)
    )
    said: dict[str, Any] = {
        "product": "0.1.0", "exported_at": story.now, "exported_by": "auditor", "number": b.NUMBER,
        "state": stand_of(story.demand), "entries": tuple(story.entries), "texts": tuple(texts), "withheld": (),
        "calendars": tuple(KNOWN[version] for version in calendars_named(story.entries)),
    }  # fmt: skip
    return sealed(CaseFile.model_validate(said | changes))


def findings(raw: bytes) -> list[Finding]:
    file = read(raw)
    return [*check(file), *spelling(file, raw)]


def codes(file: CaseFile) -> list[str]:
    return [finding.code for finding in check(file)]


def changed(file: CaseFile, **changes: Any) -> CaseFile:
    """Changed by somebody who knows how the digest of the whole is made."""
    return sealed(file.model_copy(update=changes))


def chained_anew(entries: list[Entry]) -> tuple[Entry, ...]:
    """By somebody who also knows how the chain is made."""
    head, made = "", list[Entry]()
    for seq, entry in enumerate(entries, 1):
        entry = entry.model_copy(update={"seq": seq})
        head = digest(head, b.NUMBER, entry)
        made.append(entry.model_copy(update={"hash": head}))
    return tuple(made)


def a_story_of_every_kind_of_shift() -> b.Story:
    """A pause, an extension, a meeting's due instant, another class, another calendar, and its end."""
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.RequestInfo(reason="weather", note_id="t-note"))
    story.lives(days=2).does(b.WORKER, c.Resume())
    story.does(b.WORKER, c.Extend(working_days=2, basis="season"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    story.adopts(b.another_calendar())
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=b.a_promise(calendar="test-2")))
    story.does(b.WORKER, c.Escalate(reason="several_units"))
    story.decides(DecisionKind.ASSIGN, due_at=story.now + timedelta(days=20))
    story.does(b.LIAISONS["D"], b.resolved())
    story.does(b.REPORTER, b.not_solved())
    story.lives(days=1).does(b.LIAISONS["D"], b.resolved())
    story.does(b.REPORTER, b.satisfied())
    return story


STORY = a_long_story()
CASE = a_case(STORY)
RAW = written(CASE)


# ---- good files


@pytest.mark.parametrize(
    "story",
    [
        *b.STAGES.values(),
        b.paused,
        b.shelved,
        b.in_committee,
        b.in_sealed,
        a_long_story,
        a_story_of_every_kind_of_shift,
    ],
)
def test_a_good_file_has_no_findings(story: Callable[[], b.Story]) -> None:
    told = story()
    raw = written(a_case(told))
    assert findings(raw) == []
    assert replayed(read(raw)) == told.demand
    assert written(read(raw)) == raw


def test_the_log_of_a_demand_of_release_0_1_is_no_worse_for_what_it_did_not_say() -> None:
    story = b.in_grid(promise=b.an_old_promise())
    story.does(b.WORKER, c.Accept())
    assert findings(written(a_case(story))) == []


def test_what_is_withheld_is_named_and_not_missing() -> None:
    hidden = changed(CASE, texts=(), withheld=tuple(Withheld(id=t.id, kind=t.kind) for t in CASE.texts))
    assert check(hidden) == []
    raw = written(hidden).decode()
    assert "灯已修好" in RAW.decode() and "灯已修好" not in raw
    assert all(text.digest in RAW.decode() and text.digest not in raw for text in CASE.texts)


def test_what_was_erased_is_stated_and_no_tampering() -> None:
    gone = tuple(Erased(id=t.id, kind=t.kind, erased_at=t.written_at) for t in CASE.texts)
    erased = changed(CASE, texts=(), erased=gone)
    assert check(erased) == [] and read(written(erased)) == erased
    assert "reference" in codes(changed(CASE, texts=(), erased=gone[1:]))  # one of them is simply not there
    assert "text" in codes(changed(CASE, erased=gone))  # erased, and there
    assert b'"erased"' not in written(CASE)  # files without any are spelled as they always were


class Exported(Life):
    """Any life at all is a good file at its end."""

    def teardown(self) -> None:
        if hasattr(self, "story"):
            assert findings(written(a_case(self.story))) == []


TestExported = Exported.TestCase
TestExported.settings = settings(
    max_examples=10, stateful_step_count=40, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)


def test_the_version_of_a_calendar_of_holiday_tables_speaks_of_its_content() -> None:
    assert CN.version.endswith(calendar_digest(CN))
    assert not CN.version.endswith(calendar_digest(CN.model_copy(update={"off": CN.off[1:]})))


# ---- one flipped byte


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
@example(len(RAW) - 1, 0x2A)  # the last line break becomes a space
@example(3, 0x29)  # a space of the indentation becomes a tab
def test_every_flipped_byte_is_found(place: int, flip: int) -> None:
    flipped = bytearray(RAW)
    flipped[place] ^= flip
    try:
        found = findings(bytes(flipped))
    except Unreadable as why:
        assert str(why).startswith("It is ")
        return
    assert found


@pytest.mark.parametrize(
    "raw", [RAW[:-1], RAW + b"\n", RAW.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + RAW, RAW[: len(RAW) // 2]]
)
def test_every_other_spelling_is_found(raw: bytes) -> None:
    try:
        assert [f.code for f in findings(raw)] == ["spelling"]
    except Unreadable:
        assert not raw.strip().endswith(b"}") or raw.startswith(b"\xef")


def test_the_same_content_written_by_another_program_is_told_from_changed_content() -> None:
    (found,) = findings(json.dumps(json.loads(RAW)).encode())
    assert found.code == "spelling"


# ---- changes by hand, with the digest of the whole made anew

CLOSED = next(n for n, entry in enumerate(STORY.entries) if entry.type == "closed")
TAMPERED: dict[str, tuple[Callable[[], CaseFile], str, str]] = {
    "an event left out": (lambda: changed(CASE, entries=CASE.entries[:9] + CASE.entries[10:]), "chain", "entries.9"),
    "the first event left out": (lambda: changed(CASE, entries=CASE.entries[1:]), "chain", "entries.0"),
    "no event at all": (lambda: changed(CASE, entries=()), "chain", "entries"),
    "two events swapped": (
        lambda: changed(CASE, entries=(*CASE.entries[:4], CASE.entries[5], CASE.entries[4], *CASE.entries[6:])),
        "chain", "entries.4",
    ),
    "an event doubled": (lambda: changed(CASE, entries=(*CASE.entries[:7], *CASE.entries[6:])), "chain", "entries.7"),
    "somebody else closed it": (
        lambda: changed(CASE, entries=(
            *CASE.entries[:CLOSED], CASE.entries[CLOSED].model_copy(update={"actor": "x"}), *CASE.entries[CLOSED + 1 :],
        )),
        "chain", f"entries.{CLOSED}",
    ),
    "the end left out": (lambda: changed(CASE, entries=CASE.entries[:-1]), "state", "state.seq"),
    "another number": (lambda: changed(CASE, number="D-2"), "chain", "entries.0"),
    "another outcome": (lambda: changed(CASE, state=_stand(outcome="explained")), "state", "state.outcome"),
    "another stage": (lambda: changed(CASE, state=_stand(stage="unit")), "state", "state.stage"),
    "a later due instant": (
        lambda: changed(CASE, state=_clock_stand("review", due_at=datetime(2030, 1, 1, tzinfo=UTC))), "state",
        "state.clocks.review.due_at",
    ),
    "a clock left out": (lambda: changed(CASE, state=_stand(clocks={})), "state", "state.clocks.accept"),
    "another word of a text": (
        lambda: changed(CASE, texts=(CASE.texts[0].model_copy(update={"text": "灯没修好"}), *CASE.texts[1:])), "text",
        "texts.0",
    ),
    "texts exchanged": (lambda: changed(CASE, texts=_exchanged()), "text", "texts.0"),
    "a text left out": (lambda: changed(CASE, texts=CASE.texts[1:]), "reference", "entries.*.data.note_id"),
    "a text twice": (lambda: changed(CASE, texts=(*CASE.texts, CASE.texts[0])), "text", f"texts.{len(CASE.texts)}"),
    "a note that is passed off as the reply": (lambda: changed(CASE, texts=_as("note")), "reference", "entries.*.data.reply_id"),
    "no calendar": (lambda: changed(CASE, calendars=()), "calendar", "calendars"),
    "a calendar twice": (lambda: changed(CASE, calendars=CASE.calendars * 2), "calendar", "calendars.1"),
    "a holiday that there was not": (
        lambda: changed(CASE, calendars=(_with_holidays(b.CALENDAR),)), "due", "state.clocks.refusal_window.due_at",
    ),
    "somebody else exported it": (lambda: CASE.model_copy(update={"exported_by": "x"}), "digest", "digest"),
}  # fmt: skip


def _stand(**changes: Any) -> Stand:
    return Stand.model_validate(CASE.state.model_dump() | changes)


def _clock_stand(name: str, **changes: Any) -> Stand:
    clocks = CASE.state.model_dump()["clocks"]
    return _stand(clocks=clocks | {name: clocks[ClockName(name)] | changes})


def _exchanged() -> tuple[Any, ...]:
    first, second = CASE.texts[:2]
    return (
        first.model_copy(update={"text": second.text, "digest": second.digest}),
        second.model_copy(update={"text": first.text, "digest": first.digest}),
    )


def _as(kind: str) -> tuple[Any, ...]:
    return tuple(
        case_text(b.NUMBER, **t.model_dump(exclude={"digest", "kind"}), kind=kind) for t in CASE.texts
    )  # fmt: skip


def _with_holidays(calendar: Calendar) -> Calendar:
    days = tuple(b.MONDAY_NINE.date() + timedelta(days=n) for n in range(1, 4))
    return calendar.model_copy(update={"off": tuple(sorted({*calendar.off, *days}))})


@pytest.mark.parametrize("tampering", TAMPERED)
def test_what_was_changed_is_found_where_it_stands(tampering: str) -> None:
    change, code, where = TAMPERED[tampering]
    found = check(change())
    pattern = where.split("*")
    hits = [f for f in found if f.code == code and f.where.startswith(pattern[0]) and f.where.endswith(pattern[-1])]
    assert hits, found
    assert read(written(change())) == change(), "it is as readable as a good one"


def test_only_the_first_broken_event_is_named() -> None:
    entries = tuple(entry.model_copy(update={"actor": "x"}) for entry in CASE.entries)
    chain = [f for f in check(changed(CASE, entries=entries)) if f.code == "chain"]
    assert [f.where for f in chain] == ["entries.0"] and "event 1 (demand_submitted" in chain[0].says


# ---- a whole chain made anew: the rules themselves still speak


def test_a_chain_made_anew_without_an_event_contradicts_the_state() -> None:
    entries = [entry for entry in CASE.entries if entry.type != "clock_breached"]
    assert len(entries) < len(CASE.entries)
    forged = changed(CASE, entries=chained_anew(entries))
    assert {"state"} == set(codes(forged))


def test_a_due_instant_moved_in_a_chain_made_anew_is_recomputed() -> None:
    story = b.in_grid()
    entries = [
        entry.model_copy(update={"data": {**entry.data, "due_at": "2027-04-01T09:30:00Z"}})
        if entry.type == "clock_started" and entry.data["clock"] == "resolve"
        else entry
        for entry in story.entries
    ]
    chained = chained_anew(entries)
    later = datetime(2027, 4, 1, 9, 30, tzinfo=UTC)
    clocks = {**story.demand.clocks, ClockName.RESOLVE: story.demand.clocks[ClockName.RESOLVE]}
    clocks[ClockName.RESOLVE] = clocks[ClockName.RESOLVE].model_copy(update={"due_at": later})
    demand = story.demand.model_copy(update={"clocks": clocks, "head": chained[-1].hash})
    forged = a_case(story, entries=chained, state=stand_of(demand))
    (found,) = check(forged)
    assert (found.code, found.where) == ("due", "state.clocks.resolve.due_at")
    assert "7 working_days by the calendar test-1 end at 2027-03-17T09:30:00+00:00" in found.says


@pytest.mark.parametrize(
    "event",
    [
        e.ClockStopped(clock="accept"), e.ClockStarted(clock="no_such_clock", due_at=b.MONDAY_NINE),
        e.ClockStarted(clock="resolve:A", due_at=b.MONDAY_NINE), e.ClockExtended(clock=ClockName.REVIEW, due_at=b.MONDAY_NINE),
    ],
    ids=lambda event: event.type,
)  # fmt: skip
def test_what_cannot_have_happened_is_a_finding_and_no_crash(event: e.Event) -> None:
    story = b.in_intake()
    data = event.model_dump(mode="json", exclude={"type"})
    made = Entry(seq=1, type=event.type, at=story.now, actor="x", data=data)
    (found,) = [f for f in check(a_case(story, entries=chained_anew([*story.entries, made]))) if f.code == "chain"]
    assert found.where == f"entries.{len(story.entries)}" and "cannot have happened" in found.says


def test_a_log_that_does_not_begin_with_an_intake_is_none() -> None:
    urged = Entry(seq=1, type="urged", at=b.MONDAY_NINE, actor="x", data={})
    forged = changed(CASE, entries=chained_anew([urged]))
    assert replayed(forged) is None
    assert "is not the intake" in check(forged)[0].says


# ---- not a case file


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "It is no JSON, or damaged"),
        (b"\x00\xff", "It is no JSON, or damaged"),
        (b"[" * 100_000, "It is no JSON, or damaged"),
        (b"[]", "It is no case file."),
        (b'{"format": 1}', "It is no case file."),
        (b'{"number": "D-1"}', "It is no case file."),
        (b'{"format": "linli-case/9"}', "It is of a format that this release does not know, not linli-case/1."),
        (b'{"format": "linli-case/1"}', "It is no complete case file: product: Field required."),
        (
            RAW.replace(b'"timezone": "Asia/Shanghai"', b'"timezone": "Asia/Nowhere"'),
            "It is no complete case file: calendars",
        ),
        (
            RAW.replace(b'"at": "2027', b'"at": "1027').replace(b'"seq": 1,', b'"seq": 1e99,'),
            "It is no complete case file: ",
        ),
    ],
)
def test_what_is_no_case_file_is_said_in_a_sentence(raw: bytes, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(raw)
    assert str(caught.value).startswith(says)
