"""The door for residents without an account: one demand, opened by a link or by its number and code.

GET changes nothing, so what opens links to look at them spends none. No token and no code stands in an address.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api import cookies
from api import files as serving
from api.auth import Caller
from api.cross_site import refuse_cross_site
from api.demands import IdempotencyKey, Number
from api.files import IMAGES, UPLOAD, FileId
from api.needs import needs
from api.openapi import problem_declaration
from api.resident_auth import LetIn
from api.sign_in import desk_of, device_of
from api.strict_json import StrictRoute
from domain.needs import Need
from service import reporter_codes, resident_deeds, resident_door
from service.resident_forms import AnswerForm, CodeForm, ContactForm, DeedForm
from service.resident_view import view
from service.views import instant

router = APIRouter(prefix="/api/v1", tags=["residents"], route_class=StrictRoute)
_OVER: dict[int | str, dict[str, Any]] = {410: problem_declaration("The link is over.")}
_USED = _OVER | {409: problem_declaration("Answered already, or the present state forbids it.")}


@router.post("/resident/session", status_code=201, responses={401: problem_declaration("They do not fit."), **_OVER})
@needs(Need.PUBLIC, because="Number and code are what lets a reporter in who has no account.")
async def open_resident_session(form: CodeForm, request: Request, response: Response) -> dict[str, Any]:
    """Get in with a demand's number and its code, for half an hour.

    `token` is for `Authorization: Resident …`; the answer also sets a cookie. A wrong code and a number that there is not are
    told apart by nothing. After a few wrong ones it takes longer and longer (429 with Retry-After)."""
    refuse_cross_site(request, neither_is_fine=True)
    desk = desk_of(request)
    now = desk.now()
    opened = await resident_door.open_session(desk, form.number, form.code, device_of(request).address, now)
    expires_at = opened.entered.expires_at
    assert expires_at is not None, "a session ends"
    seconds = int((expires_at - now).total_seconds())
    cookies.write(request, response, cookies.RESIDENT, opened.token, seconds=seconds)
    _no_store(response)
    return {"number": opened.entered.number, "token": opened.token, "expires_at": instant(expires_at)}


@router.delete("/resident/session", responses=_OVER)
@needs(Need.BY_LINK)
async def close_resident_session(entered: LetIn, request: Request, response: Response) -> dict[str, Any]:
    """End the session. A link goes on as before."""
    await resident_door.end_session(desk_of(request), entered)
    cookies.remove(request, response, cookies.RESIDENT)
    return {"ended": True}


@router.get("/resident/demand", responses=_OVER)
@needs(Need.BY_LINK)
async def read_resident_demand(entered: LetIn, request: Request, response: Response) -> dict[str, Any]:
    """My demand: where it stands, what comes next and until when, what I wrote and was answered, what has happened, and
    what I can do (`permitted`)."""
    _no_store(response)
    return await view(desk_of(request), entered)


@router.post("/resident/answer", responses=_USED)
@needs(Need.BY_LINK)
async def answer_questions(
    form: AnswerForm, entered: LetIn, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Answer the three questions (回访). Once each time I am asked: then `link_used` shows what I answered first."""
    _no_store(response)
    desk = desk_of(request)
    return await view(desk, entered, await resident_deeds.answer(desk, entered, form, idempotency_key))


@router.post("/resident/actions", responses=_USED)
@needs(Need.BY_LINK)
async def act_as_resident(
    form: DeedForm, entered: LetIn, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Urge it, withdraw it, have it reopened, say that mine is another matter, add a word or what I have uploaded."""
    _no_store(response)
    desk = desk_of(request)
    return await view(desk, entered, await resident_deeds.do(desk, entered, form, idempotency_key))


@router.patch("/resident/contact", responses=_OVER)
@needs(Need.BY_LINK)
async def change_resident_contact(
    form: ContactForm, entered: LetIn, request: Request, response: Response
) -> dict[str, Any]:
    """How messages reach me: what is left out stays, null takes it away."""
    _no_store(response)
    desk = desk_of(request)
    await resident_deeds.put_contact(desk, entered, form)
    return await view(desk, entered)


@router.post("/resident/files", status_code=201, openapi_extra=UPLOAD, responses=_OVER)
@needs(Need.BY_LINK)
async def upload_resident_file(
    entered: LetIn, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:  # fmt: skip
    """Upload a photo or a document, to be named in `file_ids` of an answer or of `attach`."""
    await resident_door.must_open(desk_of(request), entered, "attach", desk_of(request).now())
    return await serving.take_upload(request, entered.actor, idempotency_key)


@router.get(
    "/resident/files/{id}",
    response_class=Response,
    responses={200: {"content": {**IMAGES, "application/pdf": {}}}, 304: {"description": "Not changed."}, **_OVER},
)
@needs(Need.BY_LINK)
async def read_resident_file(id: FileId, entered: LetIn, request: Request) -> Response:
    """A file of my demand that is public to me."""
    return await serving.original(request, entered.actor, id)


@router.get(
    "/resident/files/{id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {"description": "Not changed."}, **_OVER},
)
@needs(Need.BY_LINK)
async def read_resident_file_thumbnail(id: FileId, entered: LetIn, request: Request) -> Response:
    """The same at the size of a list, always JPEG."""
    return await serving.thumbnail(request, entered.actor, id)


@router.post("/demands/{number}/reporter-code", status_code=201)
@needs(Need.RENEW_CODE)
async def renew_reporter_code(
    number: Number, caller: Caller, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Another code for a reporter who has lost theirs, or whose link came into wrong hands: for operators, who have made sure
    who it is, and for the resident whose account it is. The code before, all links and all sessions end."""
    _no_store(response)
    return await reporter_codes.renew(desk_of(request), caller, number, idempotency_key)


def _no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
