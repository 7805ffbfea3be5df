"""Personal data over HTTP: the reporter masked or opened, corrected, searched, copied, erased; and who did so."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import Code, IdempotencyKey, Number
from api.needs import must_open, needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.privacy import ReadingReason
from service import personal_reads, personal_requests, reporter_index, reporters
from service.reporter_forms import DeletionForm, ExportForm, PhoneSearch, ReporterChange

router = APIRouter(prefix="/api/v1", tags=["personal data"], route_class=StrictRoute)


@router.get("/demands/{number}/reporter")
@needs(Need.SEE_REPORTER)
async def read_reporter(
    number: Number,
    caller: Caller,
    request: Request,
    response: Response,
    reveal: Annotated[bool, Query(description="In clear, as far as the caller may; needs `reason`.")] = False,
    reason: ReadingReason | None = None,
) -> dict[str, Any]:
    """Who is behind a demand and where: masked, or with `reveal=true` and a `reason` in clear for those who may.

    Every reading in clear leaves a trace. `hidden` says that the demand is confidential and the caller's unit handles it."""
    response.headers["Cache-Control"] = "no-store"
    if reveal:
        must_open(caller, Need.REVEAL_REPORTER)
    return await reporters.reporter(request.app.state.desk, caller, number, reveal=reveal, reason=reason)


@router.patch("/demands/{number}/reporter")
@needs(Need.CORRECT_REPORTER)
async def correct_reporter(
    number: Number, form: ReporterChange, caller: Caller, request: Request, response: Response
) -> dict[str, Any]:
    """Correct what is named; what is left out stays. For operators. A masked value is refused, never written."""
    response.headers["Cache-Control"] = "no-store"
    return await reporters.correct(request.app.state.desk, caller, number, form)


@router.post("/demands/search")
@needs(Need.SEARCH_BY_PHONE)
async def search_demands_by_phone(
    form: PhoneSearch, caller: Caller, request: Request, response: Response
) -> dict[str, Any]:
    """Demands in the caller's scope whose reporter left this phone number, newest first, at most 100.

    The number stands in the body, so that no address and no log holds it. Nothing is changed; every search leaves a
    trace. `complete` is false while older demands are still being indexed."""
    response.headers["Cache-Control"] = "no-store"
    return await reporter_index.search(request.app.state.desk, caller, form)


@router.post("/demands/{number}/personal-data/export")
@needs(Need.OWN_DATA)
async def export_personal_data(
    number: Number, form: ExportForm, caller: Caller, request: Request, response: Response
) -> dict[str, Any]:
    """A copy of all that is kept of the reporter, in clear: for that person, or an operator on their behalf.

    Nothing is changed and the answer is not kept; every copy leaves a trace."""
    response.headers["Cache-Control"] = "no-store"
    return await personal_requests.export(request.app.state.desk, caller, number, form)


@router.post("/demands/{number}/personal-data/deletion")
@needs(Need.OWN_DATA)
async def delete_personal_data(
    number: Number, form: DeletionForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Erase what is personal of a demand: at once if it is closed for good, else at its end (`expected_at`).

    For the reporter, or an operator on their behalf. The log and the figures stay."""
    taken = await personal_requests.delete(request.app.state.desk, caller, number, form, idempotency_key)
    headers = {"Idempotency-Replayed": "true"} if taken.repeated else {}
    return Response(taken.body, headers=headers, media_type="application/json")


@router.get("/personal-reads")
@needs(Need.SEE_PERSONAL_READS)
async def list_personal_reads(
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    person: Code = None,
    number: Code = None,
) -> list[dict[str, Any]]:
    """Who had what kind of personal data opened, of which demand, when and why; newest first. Never what it said.

    `person` is who read, `number` the demand (or the id of a care entry). For auditors and supervisors."""
    before = int(str(page.after[0])) if page.after else None
    rows = await personal_reads.listed(
        request.app.state.desk, caller, person=person, number=number, before=before, limit=page.limit + 1
    )
    if len(rows) > page.limit:
        page.link_next(response, [rows[page.limit - 1][0]])
    return [view for _, view in rows[: page.limit]]
