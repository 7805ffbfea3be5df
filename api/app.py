"""The HTTP application, put together.

    Instrumented (request id, metrics, last resort) ── RateLimited ── exception handlers ── routers (StrictRoute) ── Desk

Started with `uvicorn --factory api.app:create_app`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from fastapi import APIRouter, FastAPI

from api import swagger, system
from api.auth import People, Principals, is_proven
from api.documented import UNLIMITED
from api.handlers import install_handlers, internal_error, too_many_requests
from api.openapi import DocumentedApp, operation_id
from api.paging import CursorSigner
from api.preferences import UnderWay
from domain.errors import ConfigError
from runtime.logging import configure_logging
from runtime.metrics import Instrumented, Metrics
from runtime.rate_limit import RateLimited
from runtime.settings import Settings, SettingsError, load_settings


class OpenDesk(Protocol):
    """What the plumbing itself asks of the service; routes know the whole of it."""

    @property
    def district(self) -> People: ...
    async def check(self) -> dict[str, str]: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the application is composed of. `unavailable`: base classes of a lost database or engine, answered 503."""

    open_desk: Callable[[Settings], Awaitable[OpenDesk]]
    routers: Sequence[APIRouter] = ()
    unavailable: Iterable[type[Exception]] = (ConnectionError, TimeoutError)


def product_parts() -> Parts:
    # Imported here because the service brings the drivers of database and engine, which the plumbing's tests and the
    # documentation of errors do without.
    from api.routers import ROUTERS
    from service.desk import UNAVAILABLE, open_desk

    return Parts(
        open_desk=open_desk,
        routers=ROUTERS,
        unavailable=(*UNAVAILABLE, ConnectionError, TimeoutError),
    )


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> FastAPI:
    """Without `settings` this is the composition root: it reads the environment and sets up logging.

    It ends the process with one sentence for each setting that is missing or wrong. The Desk is opened when the server
    starts, as `app.state.desk`, and closed after its last request.
    """
    if settings is None:
        settings = _settings_or_exit()
        configure_logging(settings.log_level)
    parts = parts or product_parts()
    app = DocumentedApp(
        title="Linli 邻里",
        version=system.product_version(),
        lifespan=_lifespan(settings, parts),
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    _fill_state(app.state, settings)
    for router in (*parts.routers, system.router, swagger.router):  # tried in this order, the hot ones first
        app.include_router(router)
    install_handlers(app, parts.unavailable)
    if settings.rate_limit or settings.rate_limit_unknown:
        app.add_middleware(
            RateLimited, known=settings.rate_limit, unknown=settings.rate_limit_unknown, proven=is_proven,
            refuse=too_many_requests, free=UNLIMITED,
        )  # fmt: skip
    app.add_middleware(Instrumented, metrics=app.state.metrics, on_error=internal_error, access_log=settings.access_log)
    return app


def _settings_or_exit() -> Settings:
    try:
        return load_settings()
    except SettingsError as wrong:
        raise SystemExit(str(wrong)) from None


def _fill_state(state: Any, settings: Settings) -> None:
    secret = settings.dev_token_secret
    state.settings = settings
    state.metrics = Metrics()
    state.principals = Principals(secret.get_secret_value() if secret else None)
    state.under_way = UnderWay()
    state.cursor_signer = CursorSigner(next(iter(settings.key_ring().values())))


def _lifespan(settings: Settings, parts: Parts) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            desk = await parts.open_desk(settings)
        except ConfigError as wrong:
            # Of an exception the log shows only the type; this one names file, key and remedy, and nobody's data.
            structlog.get_logger("http").error("startup_failed", problem=str(wrong))
            raise
        app.state.desk = desk
        try:
            yield
        finally:
            await app.state.under_way.finish()
            await desk.close()

    return lifespan
