"""The words of a notice: its template, filled in when it is sent or read, so that nothing of it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.demand import Demand
from domain.district import District
from domain.errors import DomainError
from domain.explain_words import clock_words
from domain.notice_rules import DIGEST, NoticeBook
from domain.vocabulary import ClockName, Stage

STAGES: Mapping[str, tuple[str, str]] = {
    Stage.INTAKE: ("受理", "intake"), Stage.GRID: ("网格", "grid"), Stage.UNIT: ("成员单位", "unit"),
    Stage.MEETING: ("联席会议", "joint meeting"), Stage.FEEDBACK: ("回访反馈", "feedback"), Stage.CLOSED: ("结案", "closed"),
}  # fmt: skip
CHANNELS: Mapping[str, tuple[str, str]] = {
    "email": ("电子邮件", "e-mail"), "sms": ("短信", "SMS"), "wecom": ("企业微信", "WeCom"), "dingtalk": ("钉钉", "DingTalk"),
    "feishu": ("飞书", "Feishu"), "apprise": ("消息服务", "message service"),
}  # fmt: skip
REPORTER = ("诉求人", "the reporter")
SHORT_ON = frozenset({"sms"})


@dataclass(frozen=True)
class Letter:
    """What goes out, or is read in the inbox."""

    subject: str
    body: str
    language: str


@dataclass(frozen=True)
class Telling:
    """A notice with what there is to say. `demand` is how it stands now, None where there is none; `data` is the event's.

    `lost` tells of a notice that could not be delivered: its channel, and the person, None for the reporter. `code` goes
    with the number, for its reporter only.
    """

    template: str
    language: str
    person: str | None
    link: str
    at: datetime
    demand: Demand | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, str | None] | None = None
    code: str = ""


def letter(district: District, one: Telling, *, channel: str | None = None) -> Letter | None:
    """The notice in its words; None where its template is gone from the pack. `channel` None is the inbox."""
    facts = _Facts(district, one).all()
    return _filled(district.notices, one.template, one.language, facts, channel)


def collection(
    district: District, one: Telling, members: Sequence[Telling], *, channel: str | None = None
) -> Letter | None:
    """Several notices in one, in their order: of each its subject."""
    said = [letter(district, member) for member in members]
    subjects = [words.subject for words in said if words is not None]
    items = "\n".join(f"{n}. {subject}" for n, subject in enumerate(subjects, 1))
    facts = {**_Facts(district, one).all(), "count": str(len(subjects)), "items": items}
    return _filled(district.notices, DIGEST, one.language, facts, channel) if subjects else None


def _filled(
    book: NoticeBook, template_id: str, language: str, facts: Mapping[str, str], channel: str | None
) -> Letter | None:
    template = book.template(template_id, language)
    if template is None:
        return None
    body = template.short if template.short and channel in SHORT_ON else template.body
    return Letter(template.said(template.subject, facts), template.said(body, facts).strip(), language)


class _Facts:
    """The fields of a template; what there is not is left out."""

    def __init__(self, district: District, one: Telling) -> None:
        self._d, self._zone, self._one = district, ZoneInfo(district.timezone), one
        self._english = one.language == "en"

    def all(self) -> dict[str, str]:
        one, found = self._one, {"district": self._said(self._d.name, self._d.name_en), "link": self._one.link}
        found |= {"at": self._local(one.at), "code": one.code}
        if one.person is not None:
            found["name"] = self._person(one.person)
        if one.demand is not None:
            found |= self._of_demand(one.demand)
        if one.lost is not None:
            channel, person = one.lost
            found["channel"] = self._said(*CHANNELS.get(channel, (channel, channel)))
            found["whom"] = self._said(*REPORTER) if person is None else self._person(person)
        return {name: text for name, text in found.items() if text or name == "link"}

    def _of_demand(self, demand: Demand) -> dict[str, str]:
        place, due_at = demand.place, self._due(demand)
        clock = self._one.data.get("clock")
        return {
            "number": demand.number,
            "category": self._named(self._d.category, demand.category),
            "stage": self._said(*STAGES[demand.stage]),
            "community": self._named(self._d.community, place.community) if place else "",
            "grid": self._named(self._d.grid, place.grid) if place else "",
            "unit": self._named(self._d.unit, demand.unit) if demand.unit else "",
            "holder": self._person(demand.holder) if demand.holder else "",
            "clock": self._said(*_clock(clock)) if clock else "",
            "due": self._local(due_at) if due_at else "",
        }

    def _due(self, demand: Demand) -> datetime | None:
        """Of the clock that the event speaks of; of a closed demand, until when it may be reopened."""
        name = self._one.data.get("clock") or (ClockName.REOPEN if demand.stage is Stage.CLOSED else None)
        clock = demand.clocks.get(name) if name else None
        return clock.due_at if clock else demand.due_at

    def _named(self, find: Callable[[str], Any], id: str) -> str:
        """Its name as the district has it now; its id where the district has it no more."""
        try:
            found = find(id)
        except DomainError:
            return id
        return self._said(found.name, getattr(found, "name_en", found.name))

    def _person(self, id: str) -> str:
        try:
            return self._d.person(id).name
        except DomainError:
            return id

    def _local(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local.day} {local:%b %H:%M}" if self._english else f"{local.month}月{local.day}日 {local:%H:%M}"

    def _said(self, zh: str, en: str) -> str:
        return en if self._english else zh


def _clock(key: str) -> tuple[str, str]:
    try:
        return clock_words(key)
    except (KeyError, ValueError):
        return key, key
