"""The session's cookie: written with every guard a browser knows, read without being fooled by a second one.

`__Host-` makes the browser itself hold that it came from this host, over https, for the whole of it. On plain http, which
only a machine's own loopback should speak, LINLI_PLAIN_HTTP_COOKIE gives one without the prefix and without Secure.
"""

from __future__ import annotations

from fastapi import Request, Response

SESSION, OIDC, RESIDENT = "linli", "linli-oidc", "linli-resident"


def name_of(request: Request, cookie: str) -> str:
    return cookie if request.app.state.settings.plain_http_cookie else f"__Host-{cookie}"


def read(request: Request, cookie: str) -> str | None:
    """None where there is none, or more than one: a neighbour may have planted the other."""
    found = values(request, name_of(request, cookie))
    return found[0] if len(found) == 1 else None


def values(request: Request, name: str) -> list[str]:
    wanted, found = name.encode(), []
    for header, line in request.scope["headers"]:
        if header == b"cookie":
            for part in line.split(b";"):
                key, _, value = part.strip().partition(b"=")
                if key == wanted:
                    found.append(value.decode("latin-1"))
    return found


def write(request: Request, response: Response, cookie: str, value: str, *, seconds: int) -> None:
    response.set_cookie(
        name_of(request, cookie), value, max_age=seconds, path="/", httponly=True, samesite="lax",
        secure=not request.app.state.settings.plain_http_cookie,
    )  # fmt: skip


def remove(request: Request, response: Response, cookie: str) -> None:
    write(request, response, cookie, "", seconds=0)
