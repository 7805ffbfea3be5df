"""Demands over HTTP: submit, list, read, act."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from api.auth import Caller, Principal
from api.direct import DirectRoute
from api.needs import needs
from api.paging import PageAsked
from api.preferences import done_within, patience, under_way
from api.problems import problem
from api.strict_json import StrictRoute
from api.versions import versioned, wanted_versions
from domain.needs import Need
from domain.privacy import ReadingReason
from domain.vocabulary import Channel, Stage
from service import actions, followers, intake, preconditions, reading, reporter_codes, words
from service.desk import Desk
from service.duplicates import is_resident
from service.forms import ActionForm, SubmitForm
from service.views import demand_view
from store.queries import Filter

router = APIRouter(prefix="/api/v1", tags=["demands"], route_class=StrictRoute)
commands = APIRouter(prefix="/api/v1", tags=["demands"], route_class=DirectRoute)

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")] | None,
    Header(description="The same key gets the same answer and acts once; another body under it is refused."),
]


def _is_number(text: str) -> str:
    """Other workflows live beside the demands (meetings): their ids are no numbers of demands."""
    if not re.fullmatch(r"\d{8}-\d{6,12}", text, re.ASCII):
        raise problem("not_found")
    return text


Number = Annotated[str, AfterValidator(_is_number)]
Code = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Reference = Annotated[str | None, Query(max_length=130, pattern=r"^[^:]{1,40}:.{1,80}$", examples=["12345:2026-0815"])]


def reference_of(said: str | None) -> tuple[str, str] | None:
    """(system, number there)."""
    if said is None:
        return None
    system, _, number = said.partition(":")
    return system.strip(), number.strip()


@commands.post("/demands", status_code=201)
@needs(Need.SUBMIT_DEMAND)
async def submit_demand(
    form: SubmitForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take a demand in. It is safe once this answers; its workflow starts right after.

    `code` is for the reporter, who gets in with it and the number; told to those who speak for reporters, and only here."""
    desk = request.app.state.desk
    taken = await intake.submit(desk, caller, form, idempotency_key)
    headers = {"Location": f"/api/v1/demands/{taken.number}"}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    body = reporter_codes.told_with(desk, caller, taken)
    return Response(body, status_code=201, headers=headers, media_type="application/json")


@router.get("/demands")
@needs(Need.SEE_DEMANDS)
async def list_demands(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    stage: Stage | None = None,
    community: Code = None,
    grid: Code = None,
    unit: Code = None,
    category: Code = None,
    channel: Channel | None = None,
    holder: Code = None,
    meeting: Code = None,
    breached: bool | None = None,
    reference: Reference = None,
    primary: Code = None,
    duplicates: Literal["hidden", "shown"] = "hidden",
    order: Literal["opened", "due"] = "opened",
) -> list[dict[str, Any]]:
    """Demands in the caller's scope, newest first (`order=opened`) or open ones soonest due first (`order=due`).

    `category` matches a whole branch; `holder=me` means the caller; `reference` is a number in another system, as
    `SYSTEM:NUMBER`; `primary` shows the duplicates of a demand. What is handled with another demand is hidden from staff
    unless `duplicates=shown`."""
    wanted = Filter(
        stage=stage, community=community, grid=grid, unit=unit, category=category, channel=channel,
        holder=caller.id if holder == "me" else holder, meeting=meeting, breached=breached,
        reference=reference_of(reference), primary=primary,
        without_duplicates=primary is None and duplicates == "hidden" and not is_resident(caller),
    )  # fmt: skip
    desk = request.app.state.desk
    views = await reading.listed(desk, caller, wanted, order=order, after=page.after, limit=page.limit + 1)
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, [last["due_at"], last["number"]] if order == "due" else [last["number"]])
    return views[: page.limit]


@router.get("/demands/{number}")
@needs(Need.SEE_DEMANDS)
async def read_demand(
    number: Number, caller: Caller, request: Request, consistency: Literal["eventual", "strong"] = "eventual"
) -> Response:
    """One demand; `consistency=strong` asks its workflow instead of the table."""
    desk = request.app.state.desk
    demand = await reading.find(desk, caller, number, strong=consistency == "strong")
    view = {**demand_view(desk, demand, caller), "handled_with": await followers.handled_with(desk, demand)}
    return versioned(request, view)


@router.get("/demands/{number}/events")
@needs(Need.SEE_DEMANDS)
async def list_demand_events(
    number: Number, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """The demand's log in order; each entry's `hash` covers the one before."""
    after = int(str(page.after[0])) if page.after else 0
    entries = await reading.log_of(request.app.state.desk, caller, number, after=after, limit=page.limit + 1)
    if len(entries) > page.limit:
        page.link_next(response, [entries[page.limit - 1]["seq"]])
    return entries[: page.limit]


@router.get("/demands/{number}/texts")
@needs(Need.SEE_TEXTS)
async def read_demand_texts(
    number: Number,
    caller: Caller,
    request: Request,
    response: Response,
    reason: ReadingReason = ReadingReason.HANDLING,
) -> dict[str, Any]:
    """What was written about it, oldest first: `public` is what the reporter reads too, `internal` what only staff read.

    What the caller may not read is named in `withheld`. Every reading leaves a trace. Of a confidential demand the
    handling unit reads its texts without the reporter's name, numbers and room."""
    response.headers["Cache-Control"] = "no-store"
    return await words.words_of(request.app.state.desk, caller, number, reason)


@commands.post("/demands/{number}/actions")
@needs(Need.ACT_ON_DEMAND)
async def act_on_demand(
    number: Number, form: ActionForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Do one of the demand's `permitted` actions; answers with the demand as it is afterwards."""
    desk, headers = request.app.state.desk, request.headers
    if "if-match" in headers and (wanted := wanted_versions(request)) is not None:
        await preconditions.must_be(desk, caller, number, form, idempotency_key, wanted)
    seconds = patience(request, idempotency_key) if "prefer" in headers else None
    if seconds is None:
        return versioned(request, await _acted(desk, caller, number, form, idempotency_key))
    view = await done_within(request, _acted(desk, caller, number, form, idempotency_key), seconds)
    return under_way(number, f"/api/v1/demands/{number}") if view is None else versioned(request, view)


async def _acted(desk: Desk, caller: Principal, number: str, form: ActionForm, key: str | None) -> dict[str, Any]:
    return demand_view(desk, await actions.act(desk, caller, number, form, key), caller)
