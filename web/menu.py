"""Where somebody can go: the entries of the menu by what the person may do, and the page that the person starts from."""

from __future__ import annotations

from dataclasses import dataclass

from domain.needs import Need
from domain.vocabulary import Role
from web.visitor import Visitor


@dataclass(frozen=True)
class Entry:
    """`name` is a sentence of the catalogue, `icon` one of web/icons.py."""

    href: str
    name: str
    icon: str
    roles: tuple[Role, ...] = ()
    need: Need | None = None

    def is_for(self, visitor: Visitor) -> bool:
        by_role = not self.roles or any(visitor.is_(role) for role in self.roles)
        return by_role and (self.need is None or visitor.may(self.need))


_WORKER = (Role.GRID_WORKER,)
_WATCHES = (Role.SUPERVISOR, Role.COMMUNITY_SECRETARY, Role.OPERATOR, Role.AUDITOR)
_MEETS = (Role.CHAIR, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR, Role.UNIT_LIAISON, Role.AUDITOR)

# The others have five entries already, or a desk of their own; they find the lists beside the meetings.
_LISTS = (Role.GRID_WORKER, Role.CHAIR, Role.COMMUNITY_SECRETARY)

_ENTRIES = (
    Entry("/tasks", "shell.menu.tasks", "list-check", _WORKER),
    Entry("/tasks/plan", "shell.menu.plan", "map", _WORKER),
    Entry("/board", "shell.menu.board", "alarm", _WATCHES),
    Entry("/desk", "shell.menu.desk", "building", (Role.UNIT_LIAISON,)),
    Entry("/meetings", "shell.menu.meetings", "gavel", _MEETS),
    Entry("/lists", "shell.menu.lists", "table", _LISTS),
    Entry("/analysis", "shell.menu.analysis", "chart-bar", (*_WATCHES, Role.ADMIN), Need.SEE_RATES),
    Entry("/system", "shell.menu.system", "bolt", (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR), Need.SEE_DELIVERIES),
    Entry("/admin", "shell.menu.admin", "settings", (Role.ADMIN,)),
    Entry("/keys", "shell.menu.keys", "key", (Role.INTEGRATOR,)),
    Entry("/webhooks", "integration.frame.webhooks", "webhook", (Role.INTEGRATOR,)),
    Entry("/inbox", "shell.menu.inbox", "bell", need=Need.OWN_INBOX),
)


def entries(visitor: Visitor) -> tuple[Entry, ...]:
    return () if visitor.actor is None else tuple(entry for entry in _ENTRIES if entry.is_for(visitor))


def home_of(visitor: Visitor) -> str:
    """The first page of the menu; without an account the residents' page."""
    found = entries(visitor)
    return found[0].href if found else "/"
