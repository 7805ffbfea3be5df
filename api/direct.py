"""The hot POSTs: declared like any route, but their few parameters are read without FastAPI's general resolution.

That resolution is a quarter of the time of accepting a demand. What a caller sees is the same: the same document, the same
problems, in the same order (address, caller and role, key, body).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from api.auth import principal
from api.deprecation import announcing
from api.needs import declared_by
from api.strict_json import StrictRequest, StrictRoute, refuse_unusable_address

KNOWN = ("form", "caller", "request", "idempotency_key")


class DirectRoute(StrictRoute):
    """For endpoints with parameters named as in `KNOWN`, besides those of the path."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[..., Coroutine[Any, Any, Any]] = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        names = inspect.signature(endpoint).parameters
        readers = {name: TypeAdapter(hints[name]) for name in names if name not in ("caller", "request")}
        path_names = [name for name in names if name not in KNOWN]

        declared = declared_by(endpoint)

        async def direct(request: Request) -> Response:
            refuse_unusable_address(request)
            await self.admit(request, declared)
            caller = await principal(request)
            read = {name: _read(readers[name], request.path_params[name], ("path", name)) for name in path_names}
            key = request.headers.get("idempotency-key")
            if key is not None:
                _read(readers["idempotency_key"], key, ("header", "idempotency-key"))
            strict = StrictRequest(request.scope, request.receive)
            await strict.load(request.app.state.settings.max_body_bytes)
            form = _form(readers["form"], await strict.body(), await strict.json())
            answer = await endpoint(form=form, caller=caller, request=request, idempotency_key=key, **read)
            return answer if isinstance(answer, Response) else _json(answer)

        return announcing(direct, endpoint)


def _read(reader: TypeAdapter[Any], value: str, where: tuple[str, str]) -> Any:
    try:
        return reader.validate_python(value)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False)
        raise RequestValidationError([{**e, "loc": (*where, *e["loc"])} for e in errors]) from None


def _form(reader: TypeAdapter[Any], raw: bytes, value: Any) -> Any:
    if not raw:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
    try:
        return reader.validate_python(value)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False)
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in errors], body=value) from None


def _json(answer: Any) -> Response:
    return Response(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), media_type="application/json")
