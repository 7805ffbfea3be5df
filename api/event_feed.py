"""Events pulled and streamed: the feed page by page, and Server-Sent Events for all of it or for one demand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import Caller, Principal, principal
from api.demands import Code, Number
from api.needs import needs
from api.paging import MAX_LIMIT
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.webhooks import Choice
from service import event_feed
from service.event_feed import Asked, Beat

router = APIRouter(prefix="/api/v1", tags=["events"], route_class=StrictRoute)

BATCH, STREAM = "application/cloudevents-batch+json", "text/event-stream"
RETRY_MS = 2_000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Types = Annotated[
    str, Query(max_length=1_000, pattern=r"^[a-z._*,]*$", description="Some types only, with commas: `linli.clock.*`.")
]
After = Annotated[
    str | None, Query(max_length=200, description="Where to go on from: `position` of an event, or from `Link`.")
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Events at most.")]
LastEventId = Annotated[str | None, Header(max_length=200, description="As browsers send it when they come again.")]


@router.get("/events", response_class=Response, responses={200: {"content": {BATCH: {"schema": {"type": "array"}}}}})
@needs(Need.FOLLOW_EVENTS)
async def pull_events(
    caller: Caller,
    request: Request,
    after: After = None,
    types: Types = "",
    community: Code = None,
    category: Code = None,
    limit: Limit = MAX_LIMIT,
) -> Response:
    """What left, in the order in which it left, as a batch of CloudEvents; only of demands that the caller may see.

    `Link` with `rel="next"` is always there: follow it, at once while events come, in a while when none did. A cursor
    stays good for ever; without `after` the feed begins at its beginning."""
    event_feed.must_follow(caller)
    asked = _asked(types, community, category)
    found = await event_feed.read(request.app.state.desk, caller, asked, event_feed.position(after), limit)
    filters = {"types": types, "community": community, "category": category}
    query = urlencode({**{k: v for k, v in filters.items() if v}, "limit": limit, "after": str(found.next)})
    body = "[" + ",".join(one.body for one in found.messages) + "]"
    headers = {"Link": f'</api/v1/events?{query}>; rel="next"', "Cache-Control": "no-store"}
    return Response(body, media_type=BATCH, headers=headers)


@router.get("/events/stream", response_class=Response, responses={200: {"content": {STREAM: {}}}})
@needs(Need.FOLLOW_EVENTS)
async def stream_events(
    caller: Caller,
    request: Request,
    after: After = None,
    types: Types = "",
    community: Code = None,
    category: Code = None,
    last_event_id: LastEventId = None,
) -> Response:
    """The same events as they happen, as Server-Sent Events: `id` is the event's position, `event` its type, `data` the
    CloudEvent. Come again with `Last-Event-ID` and nothing is missed; without it (and `after`) it begins now."""
    return await _stream(request, caller, _asked(types, community, category), last_event_id or after)


@router.get("/demands/{number}/events/stream", response_class=Response, responses={200: {"content": {STREAM: {}}}})
@needs(Need.SEE_DEMANDS)
async def stream_demand_events(
    number: Number, caller: Caller, request: Request, after: After = None, last_event_id: LastEventId = None
) -> Response:
    """The events of one demand as they happen; see the stream of all events."""
    return await _stream(request, caller, Asked(Choice(), number), last_event_id or after)


def _asked(types: str, community: str | None, category: str | None) -> Asked:
    return Asked(event_feed.choice([one for one in types.split(",") if one], community, category))


async def _stream(request: Request, caller: Principal, asked: Asked, after: str | None) -> Response:
    desk = request.app.state.desk
    start = event_feed.position(after)
    await event_feed.may_stream(desk, caller, asked)
    desk.tail.must_have_room()
    if start is None:  # from the answer's first byte on, whenever the tail is joined
        start = await event_feed.now(desk)

    async def lines() -> AsyncGenerator[str]:
        async with desk.tail.listening() as listener:
            yield f"retry: {RETRY_MS}\n\n"
            async with contextlib.aclosing(event_feed.stream(desk, caller, asked, start, listener)) as beats:
                async for beat in beats:
                    if not await principal.still(request, caller):  # come again, and be judged anew
                        return
                    yield _written(beat)

    return StreamingResponse(lines(), media_type=STREAM, headers=_HEADERS)


def _written(beat: Beat) -> str:
    """The last line sets the id to come again with, and is no event."""
    events = (f"id: {one.position}\nevent: {one.type}\ndata: {one.body}\n\n" for one in beat.messages)
    return "".join(events) + f": \nid: {beat.at}\n\n"
