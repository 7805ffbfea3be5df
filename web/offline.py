"""What a grid worker's phone needs without a signal: the service worker, the app's manifest, and the page of the queue.

queue.js   every deed is kept on the phone before it leaves, and leaves once       (templates/offline/head.html)
photos.js  photos are made small before they are kept
sw.js      the pages seen last can be opened again; where there is no service worker the queue works all the same
"""

from __future__ import annotations

import json
from hashlib import sha256

from fastapi import APIRouter, Request, Response

from domain.needs import Need
from web import assets
from web.need import page
from web.page import HEADERS, Known, PageRoute, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

# What the tasks' pages are drawn with; others (maps, a page's own script) are kept as they come.
SHELL = (
    "bootstrap.css", "linli.css", "offline.css", "shell.js", "send.js", "photos.js", "queue.js", "queue-view.js",
    "queue-page.js", "icons.svg", "mark.svg",
)  # fmt: skip
PAGES = ("/tasks", "/tasks/queue", "/tasks/away", "/tasks/new")
"""Kept as soon as somebody has opened the tasks."""
SCOPE = "/tasks"


@router.get("/sw.js")
@page(Need.PUBLIC)
async def service_worker(request: Request) -> Response:
    """The same bytes until an asset or the worker itself changes: that is how a browser learns of another release."""
    found = assets.find("sw.js")
    assert found is not None
    urls = [assets.url(name) for name in SHELL]
    version = sha256("\n".join([found.digest, *urls]).encode()).hexdigest()[:12]
    told = {"version": version, "assets": "/assets/", "urls": urls, "pages": PAGES, "scope": SCOPE}
    body = f"self.SHELL = {json.dumps(told)};\n".encode() + found.body
    headers = HEADERS | {"Cache-Control": "no-cache", "Service-Worker-Allowed": SCOPE}
    return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)


@router.get("/app.webmanifest")
@page(Need.PUBLIC)
async def manifest(request: Request, visitor: Known) -> Response:
    """So that the tasks can be put on the phone's first screen."""
    told = {
        "name": f"{visitor.t('shell.brand.name')} · {visitor.t('shell.menu.tasks')}",
        "short_name": visitor.t("shell.brand.name"),
        "lang": "en" if visitor.english else "zh-CN",
        "id": SCOPE,
        "start_url": SCOPE,
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f9",
        "theme_color": "#0b5bd3",
        "icons": [{"src": assets.url("mark.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    return Response(
        json.dumps(told, ensure_ascii=False),
        media_type="application/manifest+json",
        headers=HEADERS | {"Cache-Control": "no-cache"},
    )


@router.get("/tasks/queue")
@page(Need.ACT_ON_DEMAND)
async def queue(request: Request, visitor: Known) -> Response:
    """What is kept on this phone; drawn by queue-page.js, for the server does not know it."""
    return render(request, visitor, "offline/queue.html")


@router.get("/tasks/away")
@page(Need.ACT_ON_DEMAND)
async def away(request: Request, visitor: Known) -> Response:
    """Shown by the service worker in place of a page that was never opened on this phone."""
    return render(request, visitor, "offline/away.html")
