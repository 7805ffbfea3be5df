"""Every router of the pages."""

from __future__ import annotations

from fastapi import APIRouter

from web import assets, offline, shell

ROUTERS: tuple[APIRouter, ...] = (
    assets.router,
    shell.router,
    offline.router,
)
