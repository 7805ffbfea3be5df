"""Uploaded files over HTTP. What is served is data for the one who asked: never a page, never a program."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import IdempotencyKey, Number
from api.multipart import uploaded
from api.needs import needs
from api.problems import problem
from api.strict_json import StrictRoute
from domain.actors import Actor
from domain.files import ENDINGS
from domain.needs import Need
from service import files, uploads
from service.files import Served
from store.files import StoredFile

router = APIRouter(prefix="/api/v1", tags=["files"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"f-[0-9a-f]{32}", text, re.ASCII):
        raise problem("not_found")
    return text


FileId = Annotated[str, AfterValidator(_is_id)]

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string", "format": "binary", "description": "A JPEG, PNG or WebP picture, or a PDF.",
                        },
                        "use_location": {
                            "type": "string", "enum": ["true", "false"],
                            "description": "The uploader agrees that the place the camera wrote is kept and used.",
                        },
                    },
                }
            }
        },
    }
}  # fmt: skip
IMAGES: dict[str, Any] = {"image/jpeg": {}, "image/png": {}, "image/webp": {}}


@router.post("/files", status_code=201, openapi_extra=UPLOAD)
@needs(Need.SUBMIT_DEMAND)
async def upload_file(caller: Caller, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Upload one file; only its uploader can see it until `file_ids` of a demand or an action name it, within a day.

    Pictures are written anew: nothing but the picture is left of them. `multipart/form-data` with a part `file`."""
    return await take_upload(request, caller, idempotency_key)


async def take_upload(
    request: Request,
    caller: Actor,
    idempotency_key: str | None,
    *,
    counted_as: str | None = None,
    most: int | None = None,
) -> Response:
    """The upload of whoever was let in, by whichever door; `counted_as` is whose uploads at the same time are counted."""
    limit = request.app.state.settings.max_file_bytes
    async with uploaded(request, counted_as or caller.id, limit=limit, fields=("use_location",)) as form:
        said = form.fields.get("use_location", "false")
        if said not in ("true", "false"):
            raise problem("multipart_invalid", "`use_location` is true or false.")
        taken = await uploads.upload(
            request.app.state.desk, caller, form.file, idempotency_key, use_location=said == "true", most=most
        )
    headers = {"Location": f"/api/v1/files/{taken.id}"}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=201, headers=headers, media_type="application/json")


@router.get(
    "/files/{id}",
    response_class=Response,
    responses={200: {"content": {**IMAGES, "application/pdf": {}}}, 304: {"description": "Not changed."}},
)
@needs(Need.SEE_FILES)
async def read_file(id: FileId, caller: Caller, request: Request) -> Response:
    """The file, for who may see the demand it belongs to; that it was read is kept. Documents come as attachments."""
    return await original(request, caller, id)


async def original(request: Request, caller: Actor, id: str) -> Response:
    desk = request.app.state.desk
    file = await files.revealed(desk, caller, id)
    if _has_it(request, file, ""):
        return Response(status_code=304, headers=_headers(file, "", "no-cache"))
    return _sent(await files.original(desk, caller, file), "", "no-cache")


@router.get(
    "/files/{id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {"description": "Not changed."}},
)
@needs(Need.SEE_FILES)
async def read_file_thumbnail(id: FileId, caller: Caller, request: Request) -> Response:
    """A picture at the size of a list, at most 480 pixels wide or high, always JPEG."""
    return await thumbnail(request, caller, id)


async def thumbnail(request: Request, caller: Actor, id: str) -> Response:
    desk = request.app.state.desk
    file = await files.revealed(desk, caller, id)
    if _has_it(request, file, ".small"):
        return Response(status_code=304, headers=_headers(file, ".small", "max-age=3600"))
    return _sent(await files.thumbnail(desk, file), ".small", "max-age=3600")


@router.get("/files/{id}/details")
@needs(Need.SEE_FILES)
async def read_file_details(id: FileId, caller: Caller, request: Request) -> dict[str, Any]:
    """Type, size, when it was taken, which demand it belongs to; for its uploader also the place that may be used."""
    return await files.details(request.app.state.desk, caller, id)


@router.get("/demands/{number}/files")
@needs(Need.LIST_FILES)
async def list_demand_files(number: Number, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The files of a demand that the caller may see, oldest first."""
    return await files.files_of(request.app.state.desk, caller, number)


def _etag(file: StoredFile, size: str) -> str:
    return f'"{file.sha256[:32]}{size}"'


def _has_it(request: Request, file: StoredFile, size: str) -> bool:
    asked = request.headers.get("if-none-match", "")
    return _etag(file, size) in {tag.strip().removeprefix("W/") for tag in asked.split(",")}


def _headers(file: StoredFile, size: str, caching: str) -> dict[str, str]:
    how = "inline" if file.kind == "image" else "attachment"
    ending = "jpg" if size else ENDINGS[file.media_type]
    return {
        "ETag": _etag(file, size),
        "Cache-Control": f"private, {caching}",
        "Vary": "Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'none'; sandbox",
        "Content-Disposition": f'{how}; filename="{file.id}{size}.{ending}"',
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }


def _sent(served: Served, size: str, caching: str) -> Response:
    headers = {**_headers(served.file, size, caching), "Content-Length": str(served.size)}
    return StreamingResponse(served.chunks, headers=headers, media_type=served.media_type)
