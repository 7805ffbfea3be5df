"""What a route needs of whoever asks, said once beside it, and judged before anything else of the request is read.

    @router.get("/rates")
    @needs(Need.SEE_RATES)
    async def read_rates(caller: Caller, …): …

A route that says nothing is closed to everybody. Here the role is judged, and the scopes of an API key; how far the role
reaches is judged by the service, which knows the object (domain/roles.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from api.auth import Principal, principal
from api.problems import problem
from domain import roles
from domain.needs import Need
from domain.scopes import KEYS, Scope
from domain.vocabulary import Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_MARK = "declared_need"


@dataclass(frozen=True, slots=True)
class Declared:
    """`roles` is None where no role is needed, `scopes` is empty where no key will do; `because` is said of what is public."""

    need: Need
    roles: frozenset[Role] | None
    scopes: frozenset[Scope]
    because: str = ""

    @classmethod
    def of(cls, need: Need, because: str = "") -> Declared:
        of_roles = None if need in roles.WITHOUT_ROLE else roles.ROLES[need]
        return cls(need, of_roles, KEYS.get(need, frozenset()), because)


def needs(need: Need, *, because: str = "") -> Callable[[Endpoint], Endpoint]:
    """Say what a route needs; of one that is public also why, in words for whoever reads the table."""
    if (need is Need.PUBLIC) is not bool(because):
        raise TypeError("`because` is said of what is public, and of nothing else")
    declared = Declared.of(need, because)

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, declared)
        return endpoint

    return mark


def declared_by(endpoint: Callable[..., Any]) -> Declared | None:
    return getattr(endpoint, _MARK, None)


async def admit(request: Request, declared: Declared | None) -> None:
    """Raises DomainError `unauthenticated`, `scope_required` for a key that does not open this, `not_permitted`; at the door
    without an account also `link_over`, `too_many_requests`."""
    if declared is None:
        raise problem("forbidden", "This route declares no need, so it is open to nobody: docs/how-to/roles.md")
    if declared.need is Need.BY_LINK:
        from api.resident_auth import door  # brings the service, which the plumbing does without

        request.state.entered = await door.let_in(request)
    elif declared.need is not Need.PUBLIC:
        must_hold(await principal(request), declared)


def must_hold(caller: Principal, declared: Declared) -> None:
    """The role and the key's scopes. Raises DomainError `scope_required`, `not_permitted`."""
    if caller.scopes is not None and caller.scopes.isdisjoint(declared.scopes):
        raise no_scope(caller, declared)
    if declared.roles is not None and not any(grant.role in declared.roles for grant in caller.grants):
        raise roles.refusal(caller, declared.need)


def no_scope(caller: Principal, declared: Declared) -> Exception:
    wanted = " or ".join(sorted(declared.scopes)) or None
    return problem("scope_required", need=declared.need, scope=wanted, has=sorted(caller.scopes or ()))


def must_open(caller: Principal, need: Need) -> None:
    """For a part of an answer that needs more than its route: as the route would be judged that needed this."""
    must_hold(caller, Declared.of(need))
