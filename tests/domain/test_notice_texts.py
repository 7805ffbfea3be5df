"""The words of notices: filled in from what stands now, in both languages, and nothing in them that must not be."""

from __future__ import annotations

import pytest

from domain.demand import Demand
from domain.district import District
from domain.notice_rules import FIELDS, LANGUAGES, TO_A_REPORTER, Template
from domain.notice_texts import Telling, collection, letter
from service.pack import load_pack
from tests.domain import builders as b
from tests.service.breaking import PACK

LINK = "https://linli.example.cn/demands/D-1"


@pytest.fixture(scope="module")
def district() -> District:
    return load_pack(PACK)


@pytest.fixture(scope="module")
def demand() -> Demand:
    story = b.Story(category="120101", place=b.a_place(community="xuanhualu", grid="xuanhualu-01", worker="p-0022"))
    return story.demand


def telling(demand: Demand | None, template: str, **changes: object) -> Telling:
    said = {"language": "zh", "person": "p-0022", "link": LINK, "at": b.MONDAY_NINE, "demand": demand, **changes}
    return Telling(template=template, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_of_the_pack_can_be_filled_in(district: District, demand: Demand, language: str) -> None:
    for template in district.notices.texts["zh"]:
        if template == "digest":
            continue
        found = letter(
            district, telling(demand, template, language=language, data={"clock": "accept"}, lost=("sms", None))
        )
        assert found is not None and "{" not in found.subject + found.body, template
        assert "—" not in found.subject, (template, found.subject)


def test_names_and_times_are_those_of_the_district_and_of_the_reader(district: District, demand: Demand) -> None:
    zh, en = (letter(district, telling(demand, "assigned", language=one)) for one in ("zh", "en"))
    assert zh is not None and en is not None
    assert "萱花路" in zh.body and "吴静" in zh.body and "3月8日 11:00" in zh.body and LINK in zh.body
    assert district.category("120101").name_en in en.subject and "8 Mar 11:00" in en.body
    assert district.community("xuanhualu").name_en in en.body


def test_a_clocks_notice_tells_of_that_clock(district: District, demand: Demand) -> None:
    found = letter(district, telling(demand, "soon-due", data={"clock": "contact"}))
    assert found is not None and "联系群众" in found.subject
    due = demand.clocks["contact"].due_at.astimezone(b.CALENDAR.table.zone)
    assert f"{due.month}月{due.day}日 {due:%H:%M}" in found.body


def test_a_closed_demand_tells_until_when_it_may_be_reopened(district: District) -> None:
    story = b.in_feedback(category="120101")
    story.does(b.REPORTER, b.satisfied())
    found = letter(district, telling(story.demand, "closed-reopenable", person=None))
    assert found is not None and "3月15日 09:00" in found.body


def test_a_channel_with_little_room_gets_the_short_words(district: District, demand: Demand) -> None:
    one = telling(demand, "received", person=None, data={"clock": "contact"})
    long, short = letter(district, one, channel="email"), letter(district, one, channel="sms")
    assert long is not None and short is not None
    assert len(short.body) < len(long.body) and "\n" not in short.body and LINK in short.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_several_in_one_name_each_once_in_their_order(district: District, demand: Demand, language: str) -> None:
    members = [
        telling(demand, "moved", language=language),
        telling(demand, "soon-due", language=language, data={"clock": "accept"}),
    ]
    found = collection(district, telling(None, "digest", language=language), members)
    assert found is not None and "2" in found.subject
    lines = [line for line in found.body.splitlines() if line[:2] in ("1.", "2.")]
    subjects = [said.subject for one in members if (said := letter(district, one))]
    assert lines == [f"1. {subjects[0]}", f"2. {subjects[1]}"]


def test_without_an_address_of_ours_there_is_no_link_and_no_gap(district: District, demand: Demand) -> None:
    found = letter(district, telling(demand, "assigned", link=""))
    assert found is not None and found.body.endswith("。")


def test_what_is_gone_from_the_pack_is_not_told(district: District, demand: Demand) -> None:
    assert letter(district, telling(demand, "no-such-template")) is None
    assert collection(district, telling(None, "digest"), [telling(demand, "no-such-template")]) is None


def test_what_the_district_no_longer_knows_is_told_by_its_id(district: District, demand: Demand) -> None:
    gone = demand.model_copy(update={"category": "999999", "holder": "p-gone"})
    found = letter(district, telling(gone, "moved"))
    assert found is not None and "999999" in found.body and "p-gone" in found.body


def test_nothing_of_what_a_resident_wrote_can_be_in_a_template() -> None:
    assert not FIELDS & {"text", "reply", "note", "reporter", "phone", "address", "building", "room"}
    assert not TO_A_REPORTER & {"category", "holder", "name", "community", "grid"}


@pytest.mark.parametrize(
    "text", ["{number:>9}", "{number!r}", "{demand.number}", "{0}", "{}", "{number[0]}", "{number"]
)
def test_a_template_has_plain_fields_only(text: str) -> None:
    with pytest.raises(ValueError):
        Template(subject="s", body=text)


def test_braces_can_be_written() -> None:
    template = Template(subject="s", body="{{number}} is {number}")
    assert template.said(template.body, {"number": "7"}) == "{number} is 7"
