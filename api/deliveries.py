"""Deliveries over HTTP: what is stuck and why, the replay button, and the health of each channel."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Caller
from api.demands import Code, IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.delivery import OPEN, Reason
from domain.needs import Need
from domain.notice_rules import Via
from service import deliveries
from service.delivery_forms import ReplayForm
from service.repeats import Answered
from store.delivery_lists import Key, Wanted

router = APIRouter(prefix="/api/v1", tags=["notices"], route_class=StrictRoute)

RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
States = Annotated[
    list[Literal["waiting", "sending", "failed", "dead"]] | None,
    Query(description="Only in these states, any number of them; without it all that are on their way."),
]


@router.get("/deliveries")
@needs(Need.SEE_DELIVERIES)
async def list_deliveries(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    state: States = None,
    channel: Via | None = None,
    number: Code = None,
    person: Code = None,
    reason: Reason | None = None,
) -> list[dict[str, Any]]:
    """Messages that are on their way or were given up (`dead`), oldest planned first, with the code of the last failure.

    Where one goes is not shown. For supervisors, administrators and auditors."""
    states = tuple(state) if state else tuple(OPEN)
    wanted = Wanted(states=states, channel=channel, number=number, lane=person, reason=reason)
    after = cast("Key | None", page.after)
    found = await deliveries.listed(request.app.state.desk, caller, wanted, after=after, limit=page.limit + 1)
    if len(found) > page.limit:
        page.link_next(response, found[page.limit - 1][1])
    return [view for view, _ in found[: page.limit]]


@router.get("/deliveries/summary")
@needs(Need.SEE_DELIVERIES)
async def count_deliveries(caller: Caller, request: Request) -> dict[str, Any]:
    """How many are waiting, being sent, failed and dead, and since when the oldest waits, in all and by channel."""
    return await deliveries.summary(request.app.state.desk, caller)


@router.post("/deliveries/replay")
@needs(Need.REPLAY_DELIVERIES)
async def replay_deliveries(
    form: ReplayForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Try the dead deliveries of a span of time anew, at most 5,000 at once (`more` tells whether to ask again).

    They go out in the order in which they were planned. For supervisors and administrators."""
    return _answer(await deliveries.replay_span(request.app.state.desk, caller, form, idempotency_key))


@router.get("/deliveries/{id}")
@needs(Need.SEE_DELIVERIES)
async def read_delivery(id: RowId, caller: Caller, request: Request) -> dict[str, Any]:
    """One delivery with every attempt: when, how it ended, and why."""
    return await deliveries.one(request.app.state.desk, caller, id)


@router.post("/notices/{id}/replay")
@needs(Need.REPLAY_DELIVERIES)
async def replay_notice(
    id: RowId, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Try the deliveries of a notice anew that failed or were given up. For supervisors and administrators."""
    return _answer(await deliveries.replay_notice(request.app.state.desk, caller, id, idempotency_key))


@router.get("/channels")
@needs(Need.SEE_DELIVERIES)
async def list_channels(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """Every channel: whether it is set up, whether it works, what happened last, and how much it has to do.

    While a channel rests (`down_since`), one message at a time probes whether it is back."""
    return await deliveries.channels(request.app.state.desk, caller)


@router.post("/channels/{name}/test")
@needs(Need.REPLAY_DELIVERIES)
async def test_channel(name: str, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Send a test message to the caller's own address; answers with what became of it, within a minute.

    For supervisors and administrators."""
    return _answer(await deliveries.test_channel(request.app.state.desk, caller, name, idempotency_key))


def _answer(taken: Answered) -> Response:
    headers = {"Idempotency-Replayed": "true"} if taken.repeated else {}
    return Response(taken.body, headers=headers, media_type="application/json")
