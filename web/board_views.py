"""Saved views that are there from the first day: names for addresses of the board, by role. A visitor's own are kept in the
browser (static/palette.js)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.vocabulary import Role
from web.visitor import Visitor


@dataclass(frozen=True)
class SavedView:
    """`name` is a sentence of the catalogue."""

    name: str
    href: str


_ALL = (SavedView("board.views.all", "/board"), SavedView("board.views.breached", "/board?state=breached"))
_MINE = SavedView("board.views.mine", "/board?holder=me")
_OF_ROLE: dict[Role, tuple[SavedView, ...]] = {
    Role.SUPERVISOR: (
        SavedView("board.views.due_soon", "/board?state=due_soon"),
        SavedView("board.views.emergency", "/board?sla_class=emergency"),
        SavedView("board.views.unit_late", "/board?state=breached&stage=unit"),
        _MINE,
    ),
    Role.COMMUNITY_SECRETARY: (
        SavedView("board.views.unaccepted", "/board?clock=accept"),
        SavedView("board.views.meeting", "/board?stage=meeting"),
        _MINE,
    ),
    Role.OPERATOR: (
        SavedView("board.views.to_locate", "/board?stage=intake"),
        SavedView("board.views.call_back", "/board?stage=feedback"),
        SavedView("board.views.opened_today", "/board?day=opened"),
        _MINE,
    ),
    Role.AUDITOR: (SavedView("board.views.paused", "/board?state=paused"),),
}


def ready_views(visitor: Visitor) -> list[SavedView]:
    """The visitor's roles together, each once."""
    of_roles = [view for role, views in _OF_ROLE.items() if visitor.is_(role) for view in views]
    return list(dict.fromkeys((*_ALL, *of_roles)))
