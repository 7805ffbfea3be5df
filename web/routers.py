"""Every router of the pages."""

from __future__ import annotations

from fastapi import APIRouter

from web import (
    assets,
    board,
    case,
    desk,
    lists,
    meetings,
    offline,
    own,
    resident,
    rotation,
    shell,
    tasks,
    tasks_one,
    tasks_plan,
)

ROUTERS: tuple[APIRouter, ...] = (
    assets.router,
    shell.router,
    resident.router,
    desk.router,
    own.router,
    board.router,
    case.router,
    meetings.router,
    rotation.router,
    lists.router,
    offline.router,
    tasks.router,
    tasks_plan.router,
    tasks_one.router,
)
