"""Imports of many demands over HTTP: a file is taken, its rows come in behind the answer, a report says what did not."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, ValidationError

from api.auth import Caller
from api.demands import IdempotencyKey
from api.multipart import uploaded
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need
from domain.vocabulary import Channel
from service.importing import asking, following
from service.importing.forms import ImportForm

router = APIRouter(prefix="/api/v1/imports", tags=["imports"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"i-[0-9a-f]{32}", text, re.ASCII):
        raise problem("not_found")
    return text


ImportId = Annotated[str, AfterValidator(_is_id)]
_FIELDS = tuple(ImportForm.model_fields)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "system"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV (UTF-8, GB18030) or XLSX."},
                        "system": {
                            "type": "string", "minLength": 1, "maxLength": 40,
                            "description": "Where the rows come from. A row's number there is taken in once.",
                        },
                        "channel": {"type": "string", "enum": [str(channel) for channel in Channel]},
                        "map": {
                            "type": "string", "maxLength": 1_000,
                            "description": "FIELD=COLUMN[+COLUMN],… where the names of the columns do not tell.",
                        },
                        "dry_run": {
                            "type": "string", "enum": ["true", "false"], "description": "Look at every row, take in none.",
                        },
                    },
                }
            }
        },
    }
}  # fmt: skip


@router.post("", status_code=202, openapi_extra=_BODY)
@needs(Need.IMPORT_DEMANDS)
async def import_demands(caller: Caller, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Take in many demands from a table. The answer says where to follow it; a row that came in before stays one demand.

    For operators, supervisors and integrators."""
    limit = request.app.state.settings.max_file_bytes
    async with uploaded(request, caller.id, limit=limit, fields=_FIELDS) as form:
        said = _form(form.fields)
        taken = await asking.ask(request.app.state.desk, caller, form.file, said, idempotency_key)
    headers = {"Location": f"/api/v1/imports/{taken.id}"}
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=202, headers=headers, media_type="application/json")


def _form(fields: dict[str, str]) -> ImportForm:
    if any("\x00" in value for value in fields.values()):
        raise problem("nul_character")
    try:
        return ImportForm.model_validate(fields)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False)
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in errors]) from None


@router.get("")
@needs(Need.FOLLOW_IMPORTS)
async def list_imports(caller: Caller, request: Request, response: Response, page: PageAsked) -> list[dict[str, Any]]:
    """The caller's imports, newest first; supervisors and administrators see everybody's."""
    after: Any = page.after
    views = await following.listed(request.app.state.desk, caller, before=after, limit=page.limit + 1)
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, (datetime.fromisoformat(last["created_at"]), last["id"]))
    return views[: page.limit]


@router.get("/{id}")
@needs(Need.FOLLOW_IMPORTS)
async def read_import(id: ImportId, caller: Caller, request: Request) -> dict[str, Any]:
    """How far it is: rows judged, taken in, there before, refused."""
    return await following.read(request.app.state.desk, caller, id)


@router.delete("/{id}", status_code=204)
@needs(Need.IMPORT_DEMANDS)
async def cancel_import(id: ImportId, caller: Caller, request: Request) -> Response:
    """Stop an import of the caller's; what is in stays in."""
    await asking.cancel(request.app.state.desk, caller, id)
    return Response(status_code=204)


@router.get(
    "/{id}/report.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
@needs(Need.FOLLOW_IMPORTS)
async def read_import_report_csv(id: ImportId, caller: Caller, request: Request) -> Response:
    """The rows that were not taken: row, line, code, column, what to do. It repeats nothing that a row says."""
    content = await following.report(request.app.state.desk, caller, id, "csv")
    headers = {"Content-Disposition": f'attachment; filename="{id}-refused.csv"', "Cache-Control": "private, no-store"}
    return StreamingResponse(content, headers=headers, media_type="text/csv; charset=utf-8")


@router.get("/{id}/report.json", response_class=Response, responses={200: {"content": {"application/json": {}}}})
@needs(Need.FOLLOW_IMPORTS)
async def read_import_report_json(id: ImportId, caller: Caller, request: Request) -> Response:
    """The same as JSON."""
    content = await following.report(request.app.state.desk, caller, id, "json")
    return StreamingResponse(content, headers={"Cache-Control": "private, no-store"}, media_type="application/json")
