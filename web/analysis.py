"""The analysis page: months beside one another, grids on our own map, hours of the week, grids within their property grade.

The page is there at once; what is computed from the whole log (`/analysis/rates`) is fetched by it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from domain.errors import DomainError
from domain.exclusions import MONTH
from domain.kpi_words import COUNTS, rates_of
from domain.needs import Need
from service import analysis, rate_answers, rates
from service.analysis import Chosen
from service.desk import Desk
from service.rates import Asked, Days, Traced
from service.views import View
from web.page import Known, PageRoute, desk_of, page, render
from web.visitor import Visitor

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN = ("response", "resolution", "satisfaction", "composite", "on_time_resolve")
MONTHS_OFFERED = 12
TRACED_AT_ONCE = 100


@dataclass(frozen=True)
class Filters:
    """What the address asks for; an empty field of the form is none."""

    month: str
    community: str | None
    version: str | None
    figure: str

    @property
    def chosen(self) -> Chosen:
        return Chosen(self.month, self.community, self.version)

    def parameters(self, **more: str) -> str:
        said = {"month": self.month, "community": self.community, "definition": self.version, "figure": self.figure}
        return urlencode({name: value for name, value in {**said, **more}.items() if value})


def _filters(
    request: Request,
    month: Annotated[str, Query(pattern=rf"{MONTH}|^$")] = "",
    community: Annotated[str, Query(max_length=64)] = "",
    definition: Annotated[str, Query(max_length=32)] = "",
    figure: Annotated[str, Query(max_length=40)] = "",
) -> Filters:
    desk = desk_of(request)
    if community and community not in desk.district.directory.communities:
        raise DomainError("invalid_filter", "There is no such community.")
    counted = rates.definition_of(desk, definition or None)
    analysis.check_figure(counted, figure or "composite")
    return Filters(month or analysis.this_month(desk), community or None, definition or None, figure or "composite")


Filtered = Annotated[Filters, Depends(_filters)]


@router.get("/analysis")
@page(Need.SEE_RATES)
async def show_analysis(request: Request, visitor: Known, filters: Filtered) -> Response:
    desk, actor = desk_of(request), visitor.staff
    grids = await analysis.grids(desk, actor, filters.community)
    hours = await analysis.hours(desk, actor, filters.month, filters.community)
    definition = rates.definition_of(desk, filters.version)
    return render(
        request, visitor, "analysis/analysis.html", filters=filters, grids=grids, hours=hours,
        months=_months(desk), communities=_communities(desk, visitor), definition=definition,
        book=desk.district.rates, offered=(*rates_of(definition), "composite"),
        words=_words(desk, filters.version), reasons={}, counts=COUNTS,
    )  # fmt: skip


@router.get("/analysis/rates")
@page(Need.SEE_RATES)
async def show_rates(request: Request, visitor: Known, filters: Filtered) -> Response:
    """Trends, tables of the grades and of the units: a part of the page."""
    desk, actor, chosen = desk_of(request), visitor.staff, filters.chosen
    trend = await analysis.trend(desk, actor, chosen, SHOWN)
    now = await analysis.month_of(desk, actor, filters.month, filters.version)
    earlier = f"{Days.of_month(filters.month).month_before.first:%Y-%m}"
    before = await analysis.month_of(desk, actor, earlier, filters.version)
    wanted = analysis.unit_figures(now.definition)
    return render(
        request, visitor, "analysis/rates.html", filters=filters, trend=trend, month=now, shown=SHOWN, before=earlier,
        league=analysis.league(desk, now, before, chosen, filters.figure),
        units=analysis.units(desk, now, filters.community, wanted), unit_figures=wanted,
        words=_words(desk, filters.version), reasons=_reasons(desk, now.definition), counts=COUNTS,
    )  # fmt: skip


@router.get("/analysis/trace")
@page(Need.SEE_RATES)
async def show_trace(
    request: Request,
    visitor: Known,
    filters: Filtered,
    side: Annotated[str, Query(pattern="^(numerator|denominator|excluded)$")] = "numerator",
    by: Annotated[str, Query(pattern="^(community|property_grade,grid|unit|)$")] = "",
    key: Annotated[str, Query(max_length=120)] = "",
    after: Annotated[str, Query(max_length=60, pattern=r"^([0-9-]+~[0-9]+)?$")] = "",
) -> Response:
    """The events behind one side of a figure, each with its demand."""
    desk = desk_of(request)
    dimensions: Any = tuple(by.split(",")) if by else ()
    parts = tuple(part or None for part in key.split(",")) if by else ()
    asked = Asked(Days.of_month(filters.month), dimensions, version=filters.version)
    number, _, seq = after.partition("~")
    found = await rates.trace(
        desk, visitor.staff, asked, Traced(filters.figure, side, parts),
        after=(number, int(seq)) if after else None, limit=TRACED_AT_ONCE + 1,
    )  # fmt: skip
    rows, last = found[:TRACED_AT_ONCE], found[TRACED_AT_ONCE - 1 : TRACED_AT_ONCE]
    more = f"{last[0]['number']}~{last[0]['seq']}" if len(found) > TRACED_AT_ONCE else None
    said = {"side": side, "by": by, "key": key}
    names = [rate_answers.name_of(desk, d, part) or part for d, part in zip(dimensions, parts, strict=False) if part]
    api = {"month": filters.month, "definition": filters.version or "", "figure": filters.figure, **said}
    definition, words = rates.definition_of(desk, filters.version), _words(desk, filters.version)
    return render(
        request, visitor, "analysis/trace.html", filters=filters, rows=rows, side=side, names=names,
        word=words[filters.figure], words=words, reasons=_reasons(desk, definition), counts=COUNTS,
        next=filters.parameters(after=more, **said) if more else None, version=definition.version,
        api="/api/v1/rates/trace?" + urlencode({name: value for name, value in api.items() if value}),
    )  # fmt: skip


def _months(desk: Desk) -> list[str]:
    months = [analysis.this_month(desk)]
    while len(months) < MONTHS_OFFERED:
        months.append(f"{Days.of_month(months[-1]).month_before.first:%Y-%m}")
    return months


def _communities(desk: Desk, visitor: Visitor) -> list[Any]:
    """Those whose figures this person may see."""
    scope = rates.scope_of(visitor.staff)
    return [one for one in desk.district.communities if scope.everything or one.id in scope.communities]


def _words(desk: Desk, version: str | None) -> dict[str, View]:
    return analysis.definitions_by_id(rate_answers.definitions(desk, rates.definition_of(desk, version)))


def _reasons(desk: Desk, definition: Any) -> dict[str, View]:
    bases = rate_answers.definitions(desk, definition)["excluded"]["bases"]
    return {one["id"]: {"zh": one["zh"], "en": one["en"]} for one in bases}
