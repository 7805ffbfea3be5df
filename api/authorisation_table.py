"""Who may ask what, route by route, as a page: `python -m api.authorisation_table > docs/reference/authorisation.md`.

It is made from what the routes declare (api/needs.py) and from the rules (domain/roles.py). The test that asks every route
as everybody reads its expectations from the page, so that what people read is what is tested.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.routing import APIRoute

from api.needs import Declared, declared_by
from domain import roles
from domain.needs import Need
from domain.roles import MEANINGS, Within
from domain.scopes import ANY_KEY, KEYS, Scope
from domain.vocabulary import Role

COLUMNS: tuple[Role, ...] = tuple(role for role in Role if role is not Role.SYSTEM)
FREE, NOTHING = "✓", "–"


@dataclass(frozen=True)
class Row:
    """A route: its method, path and operation, the need, and for each role how far it reaches."""

    method: str
    path: str
    operation: str
    declared: Declared

    @property
    def reaches(self) -> dict[Role, str]:
        return {role: reach_of(self.declared.need, role) for role in COLUMNS}

    @property
    def key(self) -> str:
        scopes = self.declared.scopes
        return "any" if scopes == ANY_KEY else " or ".join(sorted(scopes)) or NOTHING


def reach_of(need: Need, role: Role) -> str:
    """A cell: ✓ for everything, – for nothing, or the words of the scopes, the widest first."""
    if need in roles.WITHOUT_ROLE:
        return FREE
    within = {rule.within for rule in roles.OF_NEED[need] if role in rule.roles}
    words = [FREE if one is Within.ANYWHERE else str(one) for one in Within if one in within]
    return ", ".join(words) or NOTHING


def product_routes() -> Iterator[APIRoute]:
    """Every route of the product, in the order in which they are tried."""
    from api import system
    from api.routers import ROUTERS

    for router in (*ROUTERS, system.router):
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def rows() -> list[Row]:
    """By path. A route that declares nothing is left out; tests/arch finds it."""
    found = [
        Row(method, route.path, route.name, declared)
        for route in product_routes()
        if (declared := declared_by(route.endpoint)) is not None
        for method in _methods(route)
    ]
    return sorted(found, key=lambda row: (row.path, row.method))


def _methods(route: APIRoute) -> list[str]:
    methods = sorted(route.methods or ())
    return methods if len(methods) < 3 else ["any"]


_HEAD = """# Who may ask what

Made from what the routes declare and from the rules of `domain/roles.py`:
`python -m api.authorisation_table > docs/reference/authorisation.md`. A test asks every route as every role, inside and
outside its scope, and compares the answers with this page.

Whoever has no role for a route gets 403 `not_permitted` before anything of the request is read; whoever has it and reaches
too far gets 403 `outside_scope`, or 404 where even the existence is nobody's business; in lists what is out of reach is left
out. Without a name every route but the public ones answers 401.

| cell | the role may |
|---|---|
"""

_ROLES = (
    ("resident", "居民"), ("operator", "回访专员、调度员"), ("grid_worker", "网格员"), ("unit_liaison", "单位联络员"),
    ("chair", "轮值主席"), ("community_secretary", "社区书记"), ("supervisor", "督办"), ("auditor", "审计员"),
    ("integrator", "对接系统"), ("admin", "管理员"),
)  # fmt: skip


def page() -> str:
    return "".join((_HEAD, _cells(), _routes(), _public(), _keys(), _needs()))


def _cells() -> str:
    lines = [f"| `{one}` | {MEANINGS[one]} |" for one in Within if one is not Within.ANYWHERE]
    return "\n".join([f"| {FREE} | {MEANINGS[Within.ANYWHERE]} |", f"| {NOTHING} | nothing of it |", *lines]) + "\n"


def _routes() -> str:
    named = [row for row in rows() if row.declared.need is not Need.PUBLIC]
    heads = ["route", "need", *(f"{role} {zh}" for role, zh in _ROLES), "key"]
    lines = [
        f"| `{row.method} {row.path}` | `{row.declared.need}` | {' | '.join(row.reaches.values())} | {row.key} |"
        for row in named
    ]
    about = (
        f"\n## Routes\n\n{len(named)} routes × {len(COLUMNS)} roles; {len(rows()) - len(named)} more are public.\n\n"
    )
    return about + f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n" + "\n".join(lines) + "\n"


def _public() -> str:
    lines = [
        f"| `{row.method} {row.path}` | {row.declared.because} |" for row in rows() if row.declared.need is Need.PUBLIC
    ]
    return "\n## Public\n\n| route | because |\n|---|---|\n" + "\n".join(lines) + "\n"


def _keys() -> str:
    about = "\n## API keys\n\nA key acts as its owner, narrowed to its scopes; what no scope opens, no key opens.\n\n"
    lines = []
    for scope in Scope:
        opened = [f"`{need}`" for need, scopes in KEYS.items() if scope in scopes and scopes != ANY_KEY]
        lines.append(f"| `{scope}` | {', '.join(opened)} |")
    free = ", ".join(f"`{need}`" for need, scopes in KEYS.items() if scopes == ANY_KEY)
    return about + "| scope | opens |\n|---|---|\n" + "\n".join([*lines, f"| any | {free} |"]) + "\n"


def _needs() -> str:
    about = "\n## Needs\n\nThose that no route names are asked for by the services, for a part of an answer.\n\n"
    lines = [f"| `{need}` | {need.words} | {_who(need)} |" for need in Need]
    return about + "| need | what | who |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _who(need: Need) -> str:
    if need in roles.WITHOUT_ROLE:
        return "everybody" if need is Need.PUBLIC else "everybody signed in"
    return "; ".join(
        f"{', '.join(rule.roles)} ({FREE if rule.within is Within.ANYWHERE else rule.within})"
        for rule in roles.OF_NEED[need]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
