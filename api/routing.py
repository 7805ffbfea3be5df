"""Routing over HTTP: why a demand went to which unit, the rulings of joint meetings, and rules tried before they count."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import Code, Number
from api.needs import needs
from api.paging import PageAsked
from api.problems import prefers_english
from api.publishing import read_as_json
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.policies import RoutingRules
from service import routing_answers, routing_dry_run, rulings
from service.rulings import RevokeForm
from store.rulings import Wanted

router = APIRouter(prefix="/api/v1", tags=["routing"], route_class=StrictRoute)


@router.get(
    "/demands/{number}/routing",
    response_model=None,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}, "application/json": {}}}},
)
@needs(Need.SEE_ROUTING)
async def read_demand_routing(
    number: Number,
    caller: Caller,
    request: Request,
    format: Annotated[
        Literal["json", "text"] | None,
        Query(description="`text` is the explanation to read; `Accept` decides without it."),
    ] = None,
) -> dict[str, Any] | Response:
    """Every routing decision in order: the rule and its version, what it looked at, who was asked in which order, who was
    passed over and why; and then what came of it. Not for residents."""
    desk = request.app.state.desk
    if (format or _accepted(request)) == "json":
        return await routing_answers.routing_view(desk, caller, number)
    english = prefers_english(request)
    text = await routing_answers.routing_text(desk, caller, number, english=english)
    headers = {"Content-Language": "en" if english else "zh-CN", "Vary": "Accept, Accept-Language"}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)


def _accepted(request: Request) -> Literal["json", "text"]:
    """Text for those who ask for it and for nothing that is JSON."""
    accept = request.headers.get("accept", "").lower()
    return "text" if "text/plain" in accept and "json" not in accept else "json"


@router.get("/routing/rules")
@needs(Need.SEE_RULES)
async def read_routing_rules(caller: Caller, request: Request) -> dict[str, Any]:
    """The rules that count now, with the keys of the pack's routing.toml. Not for residents."""
    rules: RoutingRules = request.app.state.desk.district.routing
    return rules.model_dump(mode="json")


@router.post("/routing/dry-run")
@needs(Need.TRY_ROUTING)
async def try_routing_rules(
    form: Annotated[RoutingRules, read_as_json(RoutingRules)],
    caller: Caller,
    request: Request,
    days: Annotated[int | None, Query(ge=1, le=3660, description="Only demands opened in the last days.")] = None,
) -> dict[str, Any]:
    """Who would be asked first under these rules instead of those that count now, for open demands and the newest
    10,000 closed ones: how many go elsewhere, by rule and by unit, with examples. Nothing is written.

    Rules that name what is not there are refused; `warnings` tells of rules that others leave nothing to."""
    return await routing_dry_run.dry_run(request.app.state.desk, caller, form, days=days)


@router.get("/rulings")
@needs(Need.SEE_RULES)
async def list_rulings(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    community: Code = None,
    category: Annotated[str | None, Query(pattern=r"^([0-9]{2}){1,6}$")] = None,
    unit: Code = None,
    in_force: bool = False,
) -> list[dict[str, Any]]:
    """Standing decisions of the joint meetings, newest first. `community` also finds those for the whole district,
    `category` those that speak of any part of it; `in_force=true` leaves out what does not count now."""
    after = None
    if page.after:
        decided_at, id = page.after
        assert isinstance(decided_at, datetime)
        after = decided_at, str(id)
    views = await rulings.listed(
        request.app.state.desk, caller, Wanted(community, category, unit), in_force=in_force,
        after=after, limit=page.limit + 1,
    )  # fmt: skip
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, [datetime.fromisoformat(last["decided_at"]), last["id"]])
    return views[: page.limit]


@router.post("/rulings/{id}/revoke")
@needs(Need.END_RULING)
async def revoke_ruling(id: str, form: RevokeForm, caller: Caller, request: Request) -> dict[str, Any]:
    """End a ruling before its time, for the admin, a supervisor and the secretary of its community. Answers with the
    ruling; the same once more changes nothing."""
    return await rulings.revoke(request.app.state.desk, caller, id, form)
