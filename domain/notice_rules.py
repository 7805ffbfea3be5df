"""Who is told of what, through which channels, in which words: data of the district pack.

    event ── rules in their order ── people, each by the first rule that names them ── template ── channels

`domain/notices.py` works out who they are and when they are told; `service/pack_notice_checks.py` refuses what cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from functools import cached_property
from string import Formatter
from typing import Annotated, Literal, Self, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.call_backs import Hours
from domain.categories import SlaClass
from domain.events import Event
from domain.neighbours import NeighbourSilent
from domain.places import Id
from domain.policies import Version
from domain.units import CategoryCode
from domain.vocabulary import Channel, Stage

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

Via = Literal["email", "sms", "wecom", "dingtalk", "feishu", "apprise"]
VIAS: tuple[Via, ...] = get_args(Via)
TO_REPORTER: frozenset[Via] = frozenset({"email", "sms"})
"""What a reporter can be reached by: what intake asks for."""

Audience = Literal[
    "holder", "former_holder", "worker", "supervisor", "secretary", "operator", "dispatcher", "lead_unit", "co_unit",
    "co_units", "told", "asked", "reporter", "owner",
]  # fmt: skip
"""`holder` owes the next step after the event, `former_holder` before it; `told` and `asked` are named by the event;
`owner` looks after a notice that could not be delivered."""

FIELDS = frozenset({
    "number", "category", "stage", "due", "holder", "community", "grid", "unit", "clock", "at", "link", "district", "name",
    "channel", "whom", "count", "items", "code",
})  # fmt: skip
"""What a template may speak of. There is no field for what a resident wrote."""
TO_A_REPORTER = frozenset({"number", "link", "district", "at", "due", "code"})
"""A message may be read by anybody who holds the telephone: it says that there is news, not what about."""
OF_A_COLLECTION = frozenset({"count", "items", "link", "district", "name"})

DIGEST, UNDELIVERABLE = "digest", "undeliverable"


class Undeliverable(BaseModel):
    """A notice that did not get through `channel`, whatever was tried. No event of a demand's log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["undeliverable"] = "undeliverable"
    channel: str
    audience: str


def _models() -> dict[str, type[BaseModel]]:
    union = get_args(Event)[0]
    return {str(one.model_fields["type"].default): one for one in (*get_args(union), Undeliverable, NeighbourSilent)}


EVENTS: Mapping[str, type[BaseModel]] = _models()
"""Every type of event that a rule may name."""

NAMED_BY: Mapping[str, tuple[str, ...]] = {"told": ("told",), "asked": ("person",), "co_unit": ("co_unit", "unit")}
"""Audiences that only an event with one of these fields has."""


class Quiet(BaseModel):
    """Hours of the night, local time, over midnight where `from` is the later one; equal ends mean no quiet hours."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begins: time = Field(default=time(21), alias="from")
    ends: time = Field(default=time(8), alias="until")

    @model_validator(mode="after")
    def _local(self) -> Self:
        if self.begins.tzinfo or self.ends.tzinfo:
            raise ValueError("quiet hours are local wall-clock time, without an offset")
        return self

    def covers(self, wall: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= wall < self.ends
        return wall >= self.begins or wall < self.ends


class NoticeRule(BaseModel):
    """All that is given must hold: `stages` after the event, `categories` (codes or prefixes), `classes`, and `where`, a
    field of the event with the values it may have.

    `channels` are in the order of preference, None meaning the district's: `reach` takes the first one that the person has
    an address for, or all. `urgent` does not wait for quiet hours to end; `digest` may wait to be told together with
    others. Whoever works here finds each notice in the inbox as well; with no channels at all, only there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    events: Annotated[tuple[str, ...], Field(min_length=1)]
    audiences: Annotated[tuple[Audience, ...], Field(min_length=1)]
    stages: tuple[Stage, ...] = ()
    categories: tuple[CategoryCode, ...] = ()
    classes: tuple[SlaClass, ...] = ()
    where: dict[str, Annotated[tuple[str | bool, ...], Field(min_length=1)]] = {}
    channels: tuple[Via, ...] | None = None
    reach: Literal["first", "all"] = "first"
    template: Id
    urgent: Annotated[bool, Field(strict=True)] = False
    digest: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _one_pace(self) -> Self:
        if self.urgent and self.digest:
            raise ValueError("what is urgent is not collected: write `urgent` or `digest`, not both")
        if "reporter" in self.audiences and self.channels == ():
            raise ValueError("a reporter has no inbox: give at least one of email, sms")
        return self

    def holds(self, event: BaseModel, *, stage: Stage, category: str, sla_class: str) -> bool:
        return (
            (not self.stages or stage in self.stages)
            and (not self.categories or category.startswith(self.categories))
            and (not self.classes or sla_class in self.classes)
            and all(getattr(event, name) in values for name, values in self.where.items())
        )


class Template(BaseModel):
    """Words with `{fields}` in them; `short` takes the body's place where a channel has little room (SMS)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
    body: Annotated[str, Field(min_length=1, max_length=4000)]
    short: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\r\n]+$")] | None = None

    @property
    def fields(self) -> frozenset[str]:
        """Every field it names. Raises ValueError for what is no plain `{field}`."""
        return frozenset().union(*(_fields(text) for text in (self.subject, self.body, self.short or "")))

    @model_validator(mode="after")
    def _plain(self) -> Self:
        self.fields  # noqa: B018  (raises)
        return self

    def said(self, text: str, facts: Mapping[str, str]) -> str:
        """`text` with its fields filled in; a dash for what there is not."""
        return text.format_map({name: facts.get(name, "—") for name in _fields(text)})


def _fields(text: str) -> set[str]:
    found = set()
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"a brace stands alone ({error}): write {{{{ and }}}} for braces themselves") from None
    for _, name, form, conversion in parsed:
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            shown = f"{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}"
            raise ValueError(f"`{{{shown}}}` is no plain field: write it as {{number}}")
        found.add(name)
    return found


class TemplateFile(BaseModel):
    """The words of one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    templates: Annotated[dict[Id, Template], Field(min_length=1)]


class NoticeSettings(BaseModel):
    """The rules, in their order, and the hours of a district. `channels` and `reporter_channels` are for rules that name none.

    A reporter is only written to inside `reporter_hours`. `days_off_are_quiet` holds what is not urgent back from the
    staff on days without work. Collected notices go out at the `digest_at` hours. Of an event that is older than
    `skip_older_than_hours` when it is first seen nobody is told, nor of the intake of what came by `bulk_doors`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    language: Language = "zh"
    channels: tuple[Via, ...] = ()
    reporter_channels: tuple[Literal["email", "sms"], ...] = ("email", "sms")
    quiet: Quiet = Quiet()
    days_off_are_quiet: Annotated[bool, Field(strict=True)] = False
    reporter_hours: Hours = Hours()
    digest_at: Annotated[tuple[time, ...], Field(min_length=1, max_length=24)] = (time(9),)
    skip_older_than_hours: Annotated[int, Field(ge=1, le=8_784, strict=True)] = 24
    bulk_doors: tuple[Channel, ...] = (Channel.IMPORT,)
    rules: tuple[NoticeRule, ...] = ()

    def channels_of(self, rule: NoticeRule, audience: Audience) -> tuple[Via, ...]:
        if rule.channels is not None:
            return rule.channels
        return self.reporter_channels if audience == "reporter" else self.channels

    @cached_property
    def rules_of(self) -> Mapping[str, tuple[NoticeRule, ...]]:
        """By type of event; only those that somebody is told of."""
        types = {type for rule in self.rules for type in rule.events}
        return {type: tuple(rule for rule in self.rules if type in rule.events) for type in types}


class NoticeBook(BaseModel):
    """The settings of a district with the words of every language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: NoticeSettings = NoticeSettings(version="unset")
    texts: dict[Language, dict[Id, Template]] = {}

    def template(self, id: str, language: str) -> Template | None:
        """In that language, or in the district's where it does not have it; None for one that is gone."""
        for known in (language, self.settings.language):
            found = self.texts.get(known, {}).get(id)  # type: ignore[call-overload]
            if found is not None:
                return cast(Template, found)
        return None

    def rule(self, id: str) -> NoticeRule | None:
        return next((rule for rule in self.settings.rules if rule.id == id), None)
