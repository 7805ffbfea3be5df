"""Reporting without an account: a draft that is looked at, its photos, and the demand; and the lists that are chosen from.

Whoever reports makes up a secret for this one report and sends it in `Linli-Draft`: photos can be named, and the first answer
be had again, with nothing else. All of it is paced by address, and nothing of it can be sent from another site's page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import StringConstraints

from api.cross_site import refuse_cross_site
from api.files import UPLOAD, take_upload
from api.needs import needs
from api.sign_in import desk_of, device_of
from api.strict_json import StrictRoute
from domain.district import District
from domain.needs import Need
from service import walk_in, walk_in_draft, walk_in_lists
from service.desk import Desk
from service.identity_marks import network_of
from service.walk_in_forms import MOST_FILES, LookForm, WalkInForm
from store.sign_in_tries import Pace

router = APIRouter(prefix="/api/v1", tags=["residents"], route_class=StrictRoute)

MustKey = Annotated[
    Annotated[str, StringConstraints(min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$")],
    Header(description="The same key gets the same answer and acts once. Required here."),
]
Secret = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,128}$")],
    Header(
        alias="Linli-Draft", description="At least 128 random bits, made up for this one report and told to nobody."
    ),
]
_LISTED = "It stands on every notice board of the subdistrict; it names no person."
_KEPT: dict[str, tuple[District, bytes]] = {}


@router.post("/resident/draft")
@needs(
    Need.PUBLIC,
    because="Nobody is known yet who reports; nothing is kept, of others only counts are told, and it is paced.",
)
async def look_at_resident_draft(form: LookForm, draft: Secret, request: Request, response: Response) -> dict[str, Any]:
    """Before something is reported: whom to call if it is an emergency or for somebody else, which categories it may be,
    where that is, and what others reported there already, each with what `follow` takes. Nothing of it is kept."""
    desk = await _passed(request, walk_in.OF_LOOKS)
    response.headers["Cache-Control"] = "no-store"
    return await walk_in_draft.look(desk, walk_in.actor_of(draft), form)


@router.post("/resident/draft/files", status_code=201, openapi_extra=UPLOAD)
@needs(
    Need.PUBLIC, because="Photos come first; only the same draft can name them, they go after a day, and it is paced."
)
async def upload_resident_draft_file(draft: Secret, request: Request, idempotency_key: MustKey) -> Response:
    """Upload a photo or a document for a report, to be named in its `file_ids`; of each draft nine at most."""
    await _passed(request, walk_in.OF_FILES)
    counted_as = f"walk-in {network_of(device_of(request).address)}"
    return await take_upload(
        request, walk_in.actor_of(draft), idempotency_key, counted_as=counted_as, most=MOST_FILES
    )  # fmt: skip


@router.post("/resident/demands", status_code=201)
@needs(Need.PUBLIC, because="Residents need no account to be heard; it is screened, done once and paced by address.")
async def report_as_resident(form: WalkInForm, draft: Secret, request: Request, idempotency_key: MustKey) -> Response:
    """Report something without an account. It is safe once this answers.

    The answer has the number and the code that follow it, a link (`link`, as a picture `qr`), and what is promised until when.
    `elsewhere` says where to go with what is not for the subdistrict, which is closed at once."""
    desk = await _passed(request, walk_in.OF_DEMANDS)
    base = str(request.base_url).rstrip("/")
    taken = await walk_in.take(desk, walk_in.actor_of(draft), form, idempotency_key, base)
    headers = {"Cache-Control": "no-store", **({"Idempotency-Replayed": "true"} if taken.repeated else {})}
    body = json.dumps(taken.body, ensure_ascii=False)
    return Response(body, status_code=201, headers=headers, media_type="application/json")


@router.get("/resident/categories")
@needs(Need.PUBLIC, because=_LISTED)
async def list_resident_categories(request: Request) -> Response:
    """What can be reported: the leaves of the category tree with the branch that they hang on."""
    return _listed(request, "categories", walk_in_lists.categories)


@router.get("/resident/places")
@needs(Need.PUBLIC, because=_LISTED)
async def list_resident_places(request: Request) -> Response:
    """Communities and compounds, for whoever says where it is by name."""
    return _listed(request, "places", walk_in_lists.places)


@router.get("/resident/grids")
@needs(Need.PUBLIC, because=_LISTED)
async def read_resident_grids(request: Request) -> Response:
    """The outlines of the grids as GeoJSON, for whoever says where it is on a map."""
    return _listed(request, "grids", walk_in_lists.grids)


async def _passed(request: Request, what: Pace) -> Desk:
    """Raises DomainError `cross_site`, `too_many_requests`."""
    refuse_cross_site(request, neither_is_fine=True)
    desk = desk_of(request)
    await walk_in.pass_by(desk, what, device_of(request).address, desk.now())
    return desk


def _listed(request: Request, name: str, made: Callable[[District], Any]) -> Response:
    """Written once for each district in force; who has it is told so."""
    d = desk_of(request).district
    kept = _KEPT.get(name)
    if kept is None or kept[0] is not d:
        kept = _KEPT[name] = (d, json.dumps(made(d), ensure_ascii=False, separators=(",", ":")).encode())
    etag = f'"{sha256(kept[1]).hexdigest()[:16]}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(kept[1], media_type="application/json", headers=headers)
