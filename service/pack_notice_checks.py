"""Cross-checks of who is told of what: events and audiences there are, templates that exist and fields they can have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.district import District
from domain.notice_rules import (
    DIGEST,
    EVENTS,
    FIELDS,
    LANGUAGES,
    NAMED_BY,
    OF_A_COLLECTION,
    TO_A_REPORTER,
    TO_REPORTER,
    UNDELIVERABLE,
    NoticeBook,
    NoticeRule,
)
from domain.vocabulary import ClockName
from service.pack_findings import Findings

RULES = "notifications.toml"
UNSET = "unset"


def check_notices(d: District, f: Findings) -> None:
    book = d.notices
    if book.settings.version == UNSET:  # a district put together without files
        return
    f.unique(RULES, "rules", (rule.id for rule in book.settings.rules))
    codes = d.directory.groups.keys() | d.directory.categories.keys()
    for rule in book.settings.rules:
        _check_rule(rule, codes, f)
        _check_template_of(book, rule, f)
    if not any(UNDELIVERABLE in r.events and "owner" in r.audiences for r in book.settings.rules):
        problem = "nobody is told of a notice that could not be delivered"
        f.add(RULES, "rules", problem, f'Add a rule with events = ["{UNDELIVERABLE}"] and audiences = ["owner"]')
    for language in LANGUAGES:
        file = file_of(language)
        if DIGEST not in book.texts.get(language, {}):
            f.add(file, f"templates.{DIGEST}", "is missing", f"Add [templates.{DIGEST}] with `{{items}}` in its body")
    _check_texts(book, f)


def file_of(language: str) -> str:
    return f"notices-{language}.toml"


def _check_rule(rule: NoticeRule, codes: Collection[str], f: Findings) -> None:
    key = f"rules[{rule.id}]"
    for code in rule.categories:
        f.known(RULES, f"{key}.categories", code, codes, "categories.toml")
    for type in rule.events:
        if not f.known(RULES, f"{key}.events", type, EVENTS, "the product"):
            continue
        fields = EVENTS[type].model_fields
        for audience in rule.audiences:
            named_by = NAMED_BY.get(audience, ())
            if (named_by and not any(name in fields for name in named_by)) or (
                audience == "owner" and type != UNDELIVERABLE
            ):
                problem = f"`{type}` names no `{audience}`"
                f.add(RULES, f"{key}.audiences", problem, "Take another audience, or put the event into another rule")
        _check_where(rule, key, type, f)
    if "reporter" in rule.audiences and (others := [via for via in rule.channels or () if via not in TO_REPORTER]):
        problem = f"a reporter leaves no address for {', '.join(others)}"
        f.add(RULES, f"{key}.channels", problem, f"Use {' or '.join(sorted(TO_REPORTER))}, or a rule of their own")


def _check_where(rule: NoticeRule, key: str, type: str, f: Findings) -> None:
    fields = EVENTS[type].model_fields
    for name, values in rule.where.items():
        if name not in fields or name == "type":
            known = ", ".join(sorted(set(fields) - {"type"})) or "none"
            f.add(RULES, f"{key}.where.{name}", f"`{type}` has no `{name}`", f"It has {known}")
            continue
        allowed: Any = ClockName if name == "clock" else fields[name].annotation
        value_of: TypeAdapter[Any] = TypeAdapter(allowed)
        for value in values:
            try:
                value_of.validate_python(value)
            except ValidationError as wrong:
                said = wrong.errors(include_url=False)[0]["msg"].removeprefix("Input should be ")
                f.add(RULES, f"{key}.where.{name}", f"`{type}` never has {value!r} there", f"It should be {said}")


def _check_template_of(book: NoticeBook, rule: NoticeRule, f: Findings) -> None:
    for language in LANGUAGES:
        templates = book.texts.get(language, {})
        if not f.known(RULES, f"rules[{rule.id}].template", rule.template, templates, file_of(language)):
            continue
        said = templates[rule.template].fields & FIELDS
        if "reporter" in rule.audiences and (too_much := said - TO_A_REPORTER):
            problem = f"it goes to a reporter and says {', '.join(sorted(too_much))} (rule {rule.id})"
            remedy = f"Whoever holds the telephone reads it: use only {', '.join(sorted(TO_A_REPORTER))}"
            f.add(file_of(language), f"templates.{rule.template}", problem, remedy)


def _check_texts(book: NoticeBook, f: Findings) -> None:
    for language, templates in book.texts.items():
        for id, template in templates.items():
            allowed = OF_A_COLLECTION if id == DIGEST else FIELDS - {"count", "items"}
            for name in sorted(template.fields - allowed):
                problem = f"`{{{name}}}` is no field that there is"
                f.add(file_of(language), f"templates.{id}", problem, f"Use one of {', '.join(sorted(allowed))}")
