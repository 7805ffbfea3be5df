"""The project list over HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import Code, IdempotencyKey, Number
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.project_steps import LinkDemand, Step
from domain.projects import ProjectState
from service import projects
from service.project_forms import LinkForm, ProjectForm
from service.repeats import Answered
from store.projects import Wanted

router = APIRouter(prefix="/api/v1", tags=["projects"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"prj-[0-9]{6,12}", text, re.ASCII):
        raise problem("not_found")
    return text


ProjectId = Annotated[str, AfterValidator(_is_id)]


@router.post("/projects", status_code=201)
@needs(Need.STEER_PROJECT)
async def open_project(
    form: ProjectForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Open a project of a community (`community` null: of the subdistrict committee), with its milestones and demands.

    For the community's secretary and chair, and for supervisors. Title and milestones are public words."""
    taken = await projects.open_project(request.app.state.desk, caller, form, idempotency_key)
    return _answer(taken, 201)


@router.get("/projects")
@needs(Need.SEE_PROJECTS)
async def list_projects(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    community: Code = None,
    unit: Code = None,
    state: ProjectState | None = None,
    overdue: bool | None = None,
) -> list[dict[str, Any]]:
    """Projects, newest first, each with progress in percent and overdue milestones; `unit` is the lead unit."""
    wanted = Wanted(community=community, state=state, unit=unit, overdue=overdue)
    before = str(page.after[0]) if page.after else None
    views = await projects.projects(request.app.state.desk, caller, wanted, before=before, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["id"]])
    return views[: page.limit]


@router.get("/projects/{id}")
@needs(Need.SEE_PROJECTS)
async def read_project(id: ProjectId, caller: Caller, request: Request) -> dict[str, Any]:
    """One project. Of its demands those in the caller's scope are named; `demands_in_all` counts them."""
    return await projects.project(request.app.state.desk, caller, id)


@router.get("/projects/{id}/events")
@needs(Need.SEE_PROJECTS)
async def list_project_events(
    id: ProjectId, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """What was done with it, by whom and when, oldest first."""
    after = int(str(page.after[0])) if page.after else 0
    views = await projects.history(request.app.state.desk, caller, id, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["seq"]])
    return views[: page.limit]


@router.post("/projects/{id}/actions")
@needs(Need.ACT_ON_PROJECT)
async def act_on_project(
    id: ProjectId, form: Step, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Do one thing with a project; answers with the project as it is afterwards.

    The liaison of the lead unit reports `progress`; the liaison of an activity's unit announces and finishes it; all
    else is for those who open projects."""
    taken = await projects.take_step(request.app.state.desk, caller, id, form, idempotency_key)
    return _answer(taken, 200)


@router.post("/projects/{id}/demands")
@needs(Need.STEER_PROJECT)
async def link_demand(
    id: ProjectId, form: LinkForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Tie a demand of the same community to the project; a joint meeting's decision `project` does so by itself."""
    step = LinkDemand(number=form.number)
    taken = await projects.take_step(request.app.state.desk, caller, id, step, idempotency_key)
    return _answer(taken, 200)


@router.get("/demands/{number}/projects")
@needs(Need.SEE_DEMANDS)
async def list_demand_projects(number: Number, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The projects that a demand belongs to."""
    return await projects.projects_of(request.app.state.desk, caller, number)


def _answer(taken: Answered, status: int) -> Response:
    headers = {"Location": f"/api/v1/projects/{taken.id}"} if status == 201 else {}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=status, headers=headers, media_type="application/json")
