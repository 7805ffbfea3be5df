"""Is a set of routing rules fit to be used? What is broken blocks it; a rule that can never match is a warning."""

from __future__ import annotations

from domain.district import District
from domain.errors import ConfigError
from domain.policies import RoutingRule, RoutingRules, When
from service.pack_findings import Findings
from service.pack_settings_checks import ROUTING, check_routing
from service.views import View


def check_rules(district: District, rules: RoutingRules) -> tuple[list[ConfigError], list[View]]:
    """Problems, as of a file of the pack; and warnings, each with the rule's `key`, the `problem` and the `remedy`."""
    findings = Findings(district.id)
    findings.unique(ROUTING, "rules", (rule.id for rule in rules.rules))
    check_routing(district.model_copy(update={"routing": rules}), findings)
    return findings.problems, [] if findings.problems else _shadowed(district, rules)


def _shadowed(district: District, rules: RoutingRules) -> list[View]:
    """Rules before which others take every demand, or all of some category, that they ask for."""
    warnings: list[View] = []
    for n, rule in enumerate(rules.rules):
        asked = [c.code for c in district.categories if c.code.startswith(rule.when.categories)]
        taken = {code: _taker(rules.rules[:n], rule.when, code) for code in asked}
        by = sorted({earlier for earlier in taken.values() if earlier})
        if by:
            never = all(taken.values())
            codes = "" if never else " " + ", ".join(code for code, earlier in taken.items() if earlier)
            warnings.append(
                {
                    "key": f"rules[{rule.id}]",
                    "problem": f"never matches{codes and ' for' + codes}: {', '.join(by)} before it take all of that",
                    "remedy": f"Move it before {by[0]}, or narrow that, or remove this",
                    "unreachable": never,
                    "shadowed_by": by,
                }
            )
    return warnings


def _taker(earlier: tuple[RoutingRule, ...], when: When, category: str) -> str | None:
    """The first of the earlier rules that takes every demand of this category that `when` holds for."""
    return next((rule.id for rule in earlier if _covers(rule.when, when, category)), None)


def _covers(wider: When, when: When, category: str) -> bool:
    return (
        category.startswith(wider.categories)
        and wider.community in (None, when.community)
        and wider.property_grade in (None, when.property_grade)
        and wider.has_property_unit in (None, when.has_property_unit)
    )
