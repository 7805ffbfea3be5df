"""Publishing over HTTP: a new holiday calendar, new promises or new routing rules, tried in a dry run first."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.policies import RoutingRules, Sla
from service import publishing
from service.calendars import HolidayYear
from service.forms import Instant
from service.publish_carry import Published

router = APIRouter(prefix="/api/v1/publications", tags=["publications"], route_class=StrictRoute)


def read_as_json(model: type[BaseModel]) -> BeforeValidator:
    """As strict as the file it stands for, where JSON has no dates: "2027-02-05" is one, 20270205 and 2027.0 are none."""
    return BeforeValidator(lambda value: model.model_validate_json(json.dumps(value), strict=True))


def _is_id(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text, re.ASCII):
        raise problem("not_found")
    return text


def _with_plus(value: object) -> object:
    """In an address a plus sign means a space; nobody writes an instant with one."""
    return value.replace(" ", "+") if isinstance(value, str) else value


PublicationId = Annotated[str, AfterValidator(_is_id)]
DryRun = Annotated[bool, Query(description="Only say what would change; nothing is published.")]
EffectiveAt = Annotated[
    Instant | None,
    BeforeValidator(_with_plus),
    Query(description="The instant from which it counts; at once if left out."),
]


@router.post("/calendar", status_code=201)
@needs(Need.PUBLISH_CALENDAR)
async def publish_calendar(
    form: Annotated[HolidayYear, read_as_json(HolidayYear)],
    caller: Caller,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Publish the holidays of a year, with the keys of the files in config/calendar.

    Open demands go on with the new calendar and keep their targets. A dry run answers 200 with the same figures:
    how many demands and clocks change, by how much, and the examples that move most."""
    desk = request.app.state.desk
    return _answer(await publishing.publish_year(desk, caller, form, dry_run=dry_run, key=idempotency_key))


@router.post("/sla", status_code=201)
@needs(Need.PUBLISH_PROMISES)
async def publish_sla(
    form: Annotated[Sla, read_as_json(Sla)],
    caller: Caller,
    request: Request,
    dry_run: DryRun = False,
    effective_at: EffectiveAt = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Publish the promises that demands get from now on, with the keys of the pack's sla.toml and a version of its own.

    Open demands keep what they were promised; `would_differ` counts, by class and clock, those that were promised
    something else. A dry run answers 200."""
    desk = request.app.state.desk
    done = await publishing.publish_sla(
        desk, caller, form, dry_run=dry_run, key=idempotency_key, effective_at=effective_at
    )
    return _answer(done)


@router.post("/routing", status_code=201)
@needs(Need.PUBLISH_ROUTING)
async def publish_routing(
    form: Annotated[RoutingRules, read_as_json(RoutingRules)],
    caller: Caller,
    request: Request,
    dry_run: DryRun = False,
    effective_at: EffectiveAt = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Publish the rules by which units are asked from now on, with the keys of the pack's routing.toml and a version of
    its own.

    Demands that are with a unit stay there. A dry run answers 200 with what `POST /api/v1/routing/dry-run` shows."""
    desk = request.app.state.desk
    done = await publishing.publish_routing(
        desk, caller, form, dry_run=dry_run, key=idempotency_key, effective_at=effective_at
    )
    return _answer(done)


@router.get("")
@needs(Need.SEE_PUBLICATIONS)
async def list_publications(
    caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """What was published, newest first; `in_force` marks what counts now."""
    before = int(str(page.after[0])) if page.after else None
    views = await publishing.publications(request.app.state.desk, caller, before=before, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["id"]])
    return views[: page.limit]


@router.get("/{id}")
@needs(Need.SEE_PUBLICATIONS)
async def read_publication(id: PublicationId, caller: Caller, request: Request) -> dict[str, Any]:
    """One publication with its body, and how many open demands are still to follow it (`progress.left`)."""
    return await publishing.publication(request.app.state.desk, caller, int(id))


def _answer(published: Published) -> Response:
    if published.id is None:
        return Response(published.body, status_code=200, media_type="application/json")
    headers = {"Location": f"/api/v1/publications/{published.id}"}
    if published.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(published.body, status_code=201, headers=headers, media_type="application/json")
