"""Broken rules and words of notices: refused as the pack is loaded, with file, key and what to do about it."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from tests.service.breaking import Break, a_copy, problems_of, remove_line, replace

RULES, ZH, EN = "notifications.toml", "notices-zh.toml", "notices-en.toml"

BROKEN: dict[str, tuple[Break, str, str, str]] = {
    # what: (how it is broken, file, part of the key, part of the remedy)
    "an event there is not": (
        replace(RULES, 'events = ["urged"]', 'events = ["urgd"]'),
        RULES, "rules[urged].events", "Did you mean `urged`?",
    ),
    "an audience there is not": (
        replace(RULES, 'audiences = ["lead_unit"]', 'audiences = ["lead"]'),
        RULES, "rules[help-answered].audiences[0]", "Use one of",
    ),
    "an audience that the event does not name": (
        replace(RULES, 'audiences = ["co_unit"]\ntemplate = "help-over"', 'audiences = ["told"]\ntemplate = "help-over"'),
        RULES, "rules[help-over].audiences", "another audience",
    ),
    "an owner of what was delivered": (
        replace(RULES, 'audiences = ["lead_unit"]', 'audiences = ["owner"]'),
        RULES, "rules[help-answered].audiences", "another audience",
    ),
    "a rule without a template": (
        remove_line(RULES, 'template = "urged"'), RULES, "rules[urged].template", "Add `template`",
    ),
    "a template there is not": (
        replace(RULES, 'template = "urged"', 'template = "urge"'), RULES, "rules[urged].template", "Did you mean `urged`?",
    ),
    "a template that one language lacks": (
        replace(EN, "[templates.urged]", "[templates.nagged]"), RULES, "rules[urged].template", "to notices-en.toml",
    ),
    "a field there is not": (
        replace(ZH, "催办：诉求 {number}", "催办：诉求 {nubmer}"), ZH, "templates.urged", "Use one of at, category",
    ),
    "what the resident wrote": (
        replace(ZH, "{name}，您好：", "{text}"), ZH, "templates.assigned", "Use one of",
    ),
    "a field with a format": (
        replace(EN, "{number} is yours", "{number:>9} is yours"), EN, "templates.assigned", "Change the value",
    ),
    "a brace alone": (
        replace(EN, "{number} is yours", "{number is yours"), EN, "templates.assigned", "Change the value",
    ),
    "a subject of two lines": (
        replace(EN, '"Urged: {number} ({category})"', '"Urged:\\n{number}"'), EN, "templates.urged.subject", "must match",
    ),
    "what it is about, told to a reporter": (
        replace(ZH, "编号{number}，查询码", "{category}{number}，查询码"),
        ZH, "templates.received", "use only at, code, district, due, link, number",
    ),
    "a reporter without a channel": (
        replace(RULES, 'where = { channel = ["sms"] }\naudiences = ["reporter"]\nchannels = ["sms"]',
                'where = { channel = ["sms"] }\naudiences = ["reporter"]\nchannels = []'),
        RULES, "rules[questions-by-sms]", "Change the value",
    ),
    "a reporter who is reached at work": (
        replace(RULES, 'channels = ["sms"]', 'channels = ["wecom"]'),
        RULES, "rules[questions-by-sms].channels", "Use email or sms",
    ),
    "a channel there is not": (
        replace(RULES, 'channels = ["sms"]', 'channels = ["fax"]'),
        RULES, "rules[questions-by-sms].channels[0]", "Use one of",
    ),
    "a field that the event has not": (
        replace(RULES, 'where = { kind = ["project", "shelve"] }', 'where = { knd = ["project"] }'),
        RULES, "rules[progress].where.knd", "It has chair, kind",
    ),
    "a value that never comes": (
        replace(RULES, 'where = { kind = ["project", "shelve"] }', 'where = { kind = ["projects"] }'),
        RULES, "rules[progress].where.kind", "'project'",
    ),
    "a clock that is none": (
        replace(RULES, 'where = { clock = ["contact"] }', 'where = { clock = ["contacts"] }'),
        RULES, "rules[received].where.clock", "'contact'",
    ),
    "an unknown category": (
        replace(RULES, 'id = "urged"\n', 'id = "urged"\ncategories = ["9901"]\n'),
        RULES, "rules[urged].categories", "categories.toml",
    ),
    "urgent, and waiting": (
        replace(RULES, "urgent = true", "urgent = true\ndigest = true"),
        RULES, "rules[emergency-assigned]", "Change the value",
    ),
    "one id twice": (
        replace(RULES, 'id = "joined"', 'id = "urged"'), RULES, "rules[urged]", "Give each its own id",
    ),
    "nobody owns what is stuck": (
        replace(RULES, 'events = ["undeliverable"]\naudiences = ["owner"]', 'events = ["undeliverable"]\naudiences = ["holder"]'),
        RULES, "rules", 'audiences = ["owner"]',
    ),
    "no words for a collection": (
        replace(EN, "[templates.digest]", "[templates.digests]"), EN, "templates.digest", "Add [templates.digest]",
    ),
    "a collection of one demand": (
        replace(EN, "Hello {name},\n\n{items}", "Hello {name},\n\n{items} {number}"),
        EN, "templates.digest", "Use one of count, district, items, link, name",
    ),
    "an hour that is none": (
        replace(RULES, "from = 21:00:00", 'from = "25:00"'), RULES, "quiet.from", "It should be",
    ),
    "hours that end before they begin": (
        replace(RULES, "opens = 09:00:00", "opens = 21:00:00"), RULES, "reporter_hours", "Change the value",
    ),
    "no hour for what is collected": (
        replace(RULES, "digest_at = [08:30:00, 13:30:00, 17:00:00]", "digest_at = []"), RULES, "digest_at", "at least 1",
    ),
    "no words at all": (lambda pack: (pack / ZH).unlink(), ZH, "whole file", "Add it"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_notices_name_file_key_and_remedy(what: str, tmp_path: Path) -> None:
    broken, file, key, remedy = BROKEN[what]
    pack = a_copy(tmp_path)
    broken(pack)

    def fits(problem: ConfigError) -> bool:
        return problem.file == f"pack/{file}" and key in problem.key and remedy in problem.remedy

    refused = problems_of(pack)
    assert any(fits(one) for one in refused.problems), str(refused)
