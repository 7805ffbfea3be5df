"""A grid worker's tasks on the phone: the list, what is found on patrol, the order of the day."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from domain.district import District
from domain.needs import Need
from domain.outgoing import TYPES
from domain.places import Compound
from service import tasks
from service.desk import Desk
from web.need import page
from web.page import Known, PageRoute, desk_of, render
from web.tasks_views import BESIDE, FILTERS, ON_TOP, category_of, counts, rows
from web.visitor import Visitor

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_PLACES = 12


@router.get("/tasks")
@page(Need.ACT_ON_DEMAND)
async def my_tasks(request: Request, visitor: Known, show: str = "all") -> Response:
    """What I owe, soonest due first; `show` narrows it."""
    desk = desk_of(request)
    show = show if show in FILTERS else "all"
    found = await tasks.tasks_of(desk, visitor.staff)
    shown = [task for task in found if FILTERS[show](task)]
    return render(
        request, visitor, "tasks/list.html", rows=rows(visitor, desk.district, shown), counts=counts(found), show=show,
        on_top=ON_TOP, beside=BESIDE, stream_types=" ".join(TYPES), most=len(found) >= tasks.MOST,
    )  # fmt: skip


@router.get("/tasks/new")
@page(Need.SUBMIT_DEMAND)
async def new_task(request: Request, visitor: Known) -> Response:
    """Patrol and fix: a photo, what it is, where, one sentence; mended already, or to be handled."""
    desk = desk_of(request)
    d, grids = desk.district, tasks.grids_of(desk, visitor.staff)
    usual = await tasks.usual_categories(desk, grids)
    return render(
        request, visitor, "tasks/new.html", grids=[d.grid(grid) for grid in grids],
        compounds=[one for grid in grids for one in d.compounds_of(grid)],
        usual=[(code, category_of(visitor, d, code)) for code in usual or [c.code for c in d.categories[:6]]],
        categories=_categories(visitor, d),
    )  # fmt: skip


def _categories(visitor: Visitor, d: District) -> list[dict[str, Any]]:
    """Every leaf with its branch and the words by which it is found."""
    return [
        {
            "code": c.code, "name": category_of(visitor, d, c.code), "evidence": c.evidence,
            "branch": _branch(visitor, d, c.code), "words": " ".join((c.name, c.name_en.lower(), *c.keywords)),
        }
        for c in d.categories
    ]  # fmt: skip


def _branch(visitor: Visitor, d: District, code: str) -> str:
    top = d.category_path(code)[0]
    return top.name_en if visitor.english else top.name


@router.get("/tasks/places")
@page(Need.SEE_DISTRICT)
async def places(request: Request, visitor: Known, q: str = "", but: str = "") -> Response:
    """A part of a page: compounds and grids by name, to say where something really lies; `but` is a grid to leave out."""
    desk = desk_of(request)
    return render(
        request, visitor, "tasks/places.html", compounds=_compounds(desk, q, but), grids=_grids(desk, q, but), q=q
    )


def _compounds(desk: Desk, q: str, but: str) -> list[tuple[Compound, str]]:
    wanted = "".join(q.split())
    if not wanted:
        return []
    d = desk.district
    found = [c for c in d.compounds if wanted in c.name and c.grid != but]
    found.sort(key=lambda c: (not c.name.startswith(wanted), len(c.name), c.name))
    return [(c, d.grid(c.grid).name) for c in found[:MOST_PLACES]]


def _grids(desk: Desk, q: str, but: str) -> list[Any]:
    """By name; without a word those of the same community."""
    d, wanted = desk.district, "".join(q.split())
    known = d.directory.grids.get(but)
    if wanted:
        found = [g for g in d.grids if wanted in g.name and g.id != but]
    else:
        found = [g for g in d.grids_of(known.community) if g.id != but] if known else []
    return found[:MOST_PLACES]
