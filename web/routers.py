"""Every router of the pages."""

from __future__ import annotations

from fastapi import APIRouter

from web import (
    admin,
    admin_people,
    admin_publish,
    admin_trail,
    analysis,
    assets,
    board,
    case,
    desk,
    integration,
    lists,
    meetings,
    offline,
    own,
    resident,
    rotation,
    shell,
    system,
    tasks,
    tasks_one,
    tasks_plan,
    wall,
)

ROUTERS: tuple[APIRouter, ...] = (
    assets.router,
    shell.router,
    resident.router,
    desk.router,
    own.router,
    integration.router,
    admin.router,
    admin_people.router,
    admin_publish.router,
    admin_trail.router,
    board.router,
    case.router,
    analysis.router,
    wall.router,
    system.router,
    meetings.router,
    rotation.router,
    lists.router,
    offline.router,
    tasks.router,
    tasks_plan.router,
    tasks_one.router,
)
