"""Header-based defence against forged requests: what a cookie authorises must come from a page of this installation.

Browsers say where a request comes from, and no page can make them say something else (Fetch Metadata; RFC 6454). There is no
token to expire, so what a grid worker's phone kept while offline can still be sent.

    Sec-Fetch-Site: same-origin or none ──> yes      anything else there ──> no
    without it, Origin is this host ──────> yes      another, or neither header ──> no
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from api.problems import problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = (b"same-origin", b"none")


def refuse_cross_site(request: Request, *, neither_is_fine: bool = False) -> None:
    """Raises DomainError `cross_site` for an unsafe method from elsewhere.

    `neither_is_fine` is for what no cookie authorises: a program that sends none of the headers may do it.
    """
    if request.method in SAFE:
        return
    sites, origins = _values(request, b"sec-fetch-site"), _values(request, b"origin")
    if sites:
        fine = all(site in _OURS for site in sites)
    elif origins:
        fine = len(origins) == 1 and _is_ours(request, origins[0].decode("latin-1"))
    else:
        fine = neither_is_fine
    if not fine:
        raise problem("cross_site")


def _values(request: Request, name: bytes) -> list[bytes]:
    return [value for header, value in request.scope["headers"] if header == name]


def _is_ours(request: Request, origin: str) -> bool:
    """Where it is known how people reach us, exactly that; else the host that was asked for."""
    public: str | None = request.app.state.settings.public_url
    if public is not None:
        return origin.lower() == public.lower()
    hosts = _values(request, b"host")
    try:
        asked = urlsplit(origin)
    except ValueError:
        return False
    return (
        len(hosts) == 1
        and asked.scheme in ("http", "https")
        and asked.netloc.lower() == hosts[0].decode("latin-1").lower()
    )
