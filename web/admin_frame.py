"""What the administration's pages share: their parts, and how fields and values are named on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from domain import roles
from domain.district import District
from domain.needs import Need
from web.page import desk_of, render
from web.visitor import Visitor
from web.words import Say, has, keys_of

PARTS = (
    ("overview", "/admin", Need.SEE_PUBLICATIONS),
    ("units", "/admin/units", Need.MANAGE_UNITS),
    ("stewards", "/admin/stewards", Need.MANAGE_STEWARDS),
    ("rosters", "/admin/rosters", Need.MANAGE_ROSTERS),
    ("people", "/admin/people", Need.SETTLE_LEAVE),
    ("rules", "/admin/rules", Need.SEE_RULES),
    ("promises", "/admin/promises", Need.SEE_PUBLICATIONS),
    ("calendars", "/admin/calendars", Need.SEE_INSIDE),
    ("changes", "/admin/changes", Need.SEE_CHANGES),
    ("deliveries", "/admin/deliveries", Need.SEE_DELIVERIES),
    ("keys", "/keys", Need.MANAGE_KEYS),
    ("webhooks", "/webhooks", Need.MANAGE_WEBHOOKS),
)
# Tables of the catalogue that the scripts speak from.
_SCRIPTED = ("field", "value", "preview", "impact")
_STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?")


def shown(request: Request, visitor: Visitor, template: str, tab: str, /, **context: Any) -> Response:
    """A page of the administration: with its parts, as far as they are the visitor's, and with `said` for values."""
    parts = [(name, href) for name, href, need in PARTS if _is_open(visitor, need)]
    said = Said(visitor.t, desk_of(request).district)
    words = {
        table: {key: visitor.t(f"admin.{table}.{key}") for key in keys_of(f"admin.{table}")} for table in _SCRIPTED
    }
    return render(request, visitor, f"admin/{template}", tab=tab, parts=parts, said=said, admin_words=words, **context)


def _is_open(visitor: Visitor, need: Need) -> bool:
    """Leave is settled of one's own people too, by whoever has not the whole district."""
    return visitor.may(need) if need is Need.SETTLE_LEAVE else roles.may(visitor.staff, need)


@dataclass(frozen=True)
class Said:
    """Values of publications and fields of their differences, in words."""

    t: Say
    district: District

    def name(self, id: str | None) -> str:
        """Of a unit, a person, a place or a category by its id; what has no name keeps the id."""
        d = self.district.directory
        if id is None:
            return self.t("admin.value.none")
        for known in (d.units, d.people, d.communities, d.grids, d.categories, d.groups):
            if id in known:
                return str(known[id].name)
        return id

    def value(self, value: Any) -> str:
        if value is None or value in ("", []):
            return self.t("admin.value.none")
        if isinstance(value, bool):
            return self.t("admin.value.yes" if value else "admin.value.no")
        if isinstance(value, str):
            return self.t(f"admin.value.{value}") if has(f"admin.value.{value}") else self.name(value)
        if isinstance(value, dict):
            return self._of_object(value)
        if isinstance(value, list):
            return self.t("admin.value.comma").join(map(self.value, value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def _of_object(self, value: dict[str, Any]) -> str:
        if value.keys() == {"amount", "unit"}:
            return self.budget(value)
        told = {key: one for key, one in value.items() if one is not None}
        return self.t("admin.value.semicolon").join(f"{self.field(key)} {self.value(one)}" for key, one in told.items())

    def budget(self, budget: Any) -> str:
        """`7 个工作日`."""
        if budget is None:
            return self.t("admin.value.none")
        amount, unit = (budget["amount"], budget["unit"]) if isinstance(budget, dict) else (budget.amount, budget.unit)
        return f"{amount:g} {self.t(f'admin.value.{unit}')}"

    def field(self, path: str) -> str:
        """`resources[u-001-r1].capacity` as `资源 u-001-r1 · 能力`."""
        return " · ".join(self._steps(path))

    def _steps(self, path: str) -> Iterator[str]:
        for name, key in _STEP.findall(path):
            said = self.t(f"admin.field.{name}") if has(f"admin.field.{name}") else self.value(name)
            yield f"{said} {self.name(key)}" if key else said
