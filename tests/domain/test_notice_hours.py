"""When a notice goes out: quiet hours over midnight and holidays, the reporter's hours, collections, ways to be reached."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from domain import commands as c
from domain.notice_rules import NoticeRule, NoticeSettings, Quiet, Via
from domain.notices import Meant, Planned, Reach, after_quiet, happenings, next_digest, plan
from tests.domain import builders as b

CALENDAR = b.CALENDAR  # Monday 5 April 2027 is a holiday, Saturday 10 April is worked
EVERYBODY: frozenset[Via] = frozenset({"email", "sms", "wecom"})


def local(text: str) -> datetime:
    """A wall-clock instant of the district, in UTC."""
    return (datetime.fromisoformat(text) - timedelta(hours=8)).replace(tzinfo=UTC)


def a_book(**changes: Any) -> NoticeSettings:
    said: dict[str, Any] = {
        "version": "1", "quiet": {"from": time(21), "until": time(8)}, "digest_at": [time(8, 30), time(17)],
        "channels": ["wecom", "email"],
    }  # fmt: skip
    return NoticeSettings.model_validate(said | changes)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2027-03-08T20:59:59", "2027-03-08T20:59:59"),
        ("2027-03-08T21:00", "2027-03-09T08:00"),
        ("2027-03-08T23:59", "2027-03-09T08:00"),
        ("2027-03-09T00:00", "2027-03-09T08:00"),
        ("2027-03-09T07:59", "2027-03-09T08:00"),
        ("2027-03-09T08:00", "2027-03-09T08:00"),
        ("2027-12-31T22:00", "2028-01-01T08:00"),  # a holiday, and nothing says that it is quiet
    ],
)
def test_quiet_hours_last_over_midnight(at: str, sent: str) -> None:
    assert after_quiet(a_book(), CALENDAR, local(at)) == local(sent)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2027-04-02T20:00", "2027-04-02T20:00"),  # Friday evening
        ("2027-04-02T22:00", "2027-04-06T08:00"),  # over the weekend and the holiday, to Tuesday
        ("2027-04-03T12:00", "2027-04-06T08:00"),
        ("2027-04-05T03:00", "2027-04-06T08:00"),
        ("2027-04-06T03:00", "2027-04-06T08:00"),
        ("2027-04-10T12:00", "2027-04-10T12:00"),  # the Saturday that is worked
        ("2027-04-10T21:30", "2027-04-12T08:00"),
    ],
)
def test_days_off_may_be_quiet_as_a_whole(at: str, sent: str) -> None:
    assert after_quiet(a_book(days_off_are_quiet=True), CALENDAR, local(at)) == local(sent)


def test_a_siesta_is_not_a_night_and_no_quiet_hours_are_none() -> None:
    siesta = Quiet.model_validate({"from": time(12), "until": time(14)})
    never = Quiet.model_validate({"from": time(9), "until": time(9)})
    assert after_quiet(a_book(), CALENDAR, local("2027-03-08T13:00"), siesta) == local("2027-03-08T14:00")
    assert after_quiet(a_book(), CALENDAR, local("2027-03-08T23:00"), siesta) == local("2027-03-08T23:00")
    assert after_quiet(a_book(), CALENDAR, local("2027-03-08T23:00"), never) == local("2027-03-08T23:00")
    off = a_book(days_off_are_quiet=True)
    assert after_quiet(off, CALENDAR, local("2027-04-03T13:00"), siesta) == local("2027-04-06T00:00")


def test_a_calendar_without_a_working_day_in_reach_holds_nothing_back_for_ever() -> None:
    sundays = tuple(date(2027, 3, 7) + timedelta(weeks=n) for n in range(12))
    idle = CALENDAR.model_copy(update={"workdays": (6,), "off": sundays, "work": ()})
    at = local("2027-03-08T23:00")
    assert after_quiet(a_book(days_off_are_quiet=True), idle, at) == at


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2027-03-08T08:00", "2027-03-08T08:30"),
        ("2027-03-08T08:29:30", "2027-03-08T17:00"),  # it is about to leave
        ("2027-03-08T17:30", "2027-03-09T08:30"),
        ("2027-03-08T23:00", "2027-03-09T08:30"),
    ],
)
def test_what_is_collected_waits_for_the_next_hour(at: str, sent: str) -> None:
    assert next_digest(a_book(), CALENDAR, local(at)) == local(sent)


def test_an_hour_that_is_quiet_for_somebody_is_not_theirs() -> None:
    late_riser = Quiet.model_validate({"from": time(20), "until": time(10)})
    assert next_digest(a_book(), CALENDAR, local("2027-03-08T23:00"), late_riser) == local("2027-03-09T17:00")
    off = a_book(days_off_are_quiet=True)
    assert next_digest(off, CALENDAR, local("2027-04-02T18:00")) == local("2027-04-06T08:30")
    recluse = Quiet.model_validate({"from": time(8), "until": time(18)})
    assert next_digest(a_book(), CALENDAR, local("2027-03-08T09:00"), recluse) == local("2027-03-08T18:00")


def planned(at: str, known: Reach, *, person: str | None = "worker", book: Any = None, **rule: Any) -> Planned:
    story = b.in_grid()
    story.does(b.REPORTER, c.Urge())
    last = story.entries[-1]
    (happening,) = happenings(b.NUMBER, story.entries, {last.seq: last.hash})
    said = NoticeRule.model_validate(
        {"id": "r", "events": ["urged"], "audiences": ["holder" if person else "reporter"], "template": "t", **rule}
    )
    one = Meant(said, said.audiences[0], person)
    return plan(book or a_book(), happening, one, known, CALENDAR, local(at))


def test_the_first_channel_that_works_is_taken_or_all_of_them() -> None:
    night = "2027-03-08T12:00"
    assert planned(night, Reach(EVERYBODY)).channels == ("wecom",)
    assert planned(night, Reach(frozenset({"email"}))).channels == ("email",)
    assert planned(night, Reach(EVERYBODY), reach="all").channels == ("wecom", "email")
    assert planned(night, Reach(EVERYBODY), channels=["sms"]).channels == ("sms",)
    nowhere = planned(night, Reach(frozenset({"feishu"})))
    assert (nowhere.channels, nowhere.state, nowhere.reader) == ((), "inbox", "worker")
    assert planned(night, Reach(EVERYBODY), channels=[]).state == "inbox"


def test_what_is_urgent_breaks_through_and_is_never_collected() -> None:
    night, wants_all = "2027-03-08T23:00", Reach(frozenset({"email"}), digest=True)
    urgent = planned(night, wants_all, urgent=True)
    assert (urgent.send_at, urgent.collected, urgent.state) == (local(night), False, "outgoing")
    assert planned(night, Reach(frozenset({"email"}))).send_at == local("2027-03-09T08:00")


def test_a_person_may_want_everything_collected_or_nothing() -> None:
    noon, mail = "2027-03-08T12:00", frozenset[Any]({"email"})
    assert planned(noon, Reach(mail), digest=True).state == "collected"
    assert planned(noon, Reach(mail), digest=True).send_at == local("2027-03-08T17:00")
    assert planned(noon, Reach(mail, digest=False), digest=True).send_at == local(noon)
    assert planned(noon, Reach(mail, digest=True)).state == "collected"
    assert planned(noon, Reach(), digest=True).state == "inbox"  # there is nothing to send


def test_a_persons_own_hours_and_language_count() -> None:
    early = Reach(frozenset({"email"}), language="en", quiet=Quiet.model_validate({"from": time(18), "until": time(6)}))
    found = planned("2027-03-08T19:00", early)
    assert (found.send_at, found.language) == (local("2027-03-09T06:00"), "en")


def test_a_reporter_is_written_to_in_the_hours_for_reporters_however_urgent() -> None:
    mail = Reach(frozenset({"sms"}))
    assert planned("2027-03-08T20:00", mail, person=None, urgent=True).send_at == local("2027-03-09T09:00")
    assert planned("2027-03-08T08:59", mail, person=None).send_at == local("2027-03-08T09:00")
    assert planned("2027-03-13T12:00", mail, person=None).send_at == local("2027-03-13T12:00")  # a Saturday
    assert planned("2027-03-13T12:00", mail, person=None).channels == ("sms",)


def test_a_reporter_without_an_address_has_an_inbox_or_is_unreachable() -> None:
    assert planned("2027-03-08T12:00", Reach(), person=None).state == "unreachable"
    account = planned("2027-03-08T12:00", Reach(account="resident-0001"), person=None)
    assert (account.state, account.reader, account.person) == ("inbox", "resident-0001", None)


def test_a_district_may_have_one_hour_of_quiet_only() -> None:
    book = a_book(quiet={"from": time(3), "until": time(4)})
    assert after_quiet(book, CALENDAR, local("2027-03-08T03:30")) == local("2027-03-08T04:00")
    assert after_quiet(book, CALENDAR, local("2027-03-08T23:30")) == local("2027-03-08T23:30")
