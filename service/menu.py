"""The service menu: what is on offer where, and how a demand that asks for it gets to whoever provides it.

form.service ──> category and promise (service, price) ──> routing `menu:<service>`: its provider is asked first
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.actors import Actor
from domain.demand import Demand
from domain.dispatch import capacity_of
from domain.district import District
from domain.errors import DomainError
from domain.menu import Service
from domain.promise import ServiceOffer
from domain.routing import Candidate, Routing
from domain.units import Unit
from service.desk import Desk
from service.places import local_date
from service.views import View, unit_view


def menu(desk: Desk, actor: Actor, community: str | None) -> list[View]:
    """What is on offer: in one community with who provides it there, or everywhere with the provider by community.

    Raises DomainError `unknown_community`.
    """
    d = desk.district
    if community is None:
        return [
            _view(desk, s) | {"providers": {c: unit_view(desk, u.id) for c, u in _everywhere(d, s)}} for s in d.menu
        ]  # fmt: skip
    d.community(community)
    found = ((s, d.provider(s, community)) for s in d.menu)
    return [_view(desk, s) | {"provider": unit_view(desk, u.id)} for s, u in found if u is not None]


def _everywhere(d: District, service: Service) -> Iterable[tuple[str, Unit]]:
    found = ((c.id, d.provider(service, c.id)) for c in d.communities)
    return ((community, unit) for community, unit in found if unit is not None)


def _view(desk: Desk, s: Service) -> View:
    category = desk.district.category(s.category)
    return {
        "id": s.id, "name": s.name, "name_en": s.name_en, "category": {"code": s.category, "name": category.name},
        "price": s.price, "price_fen": s.price_fen, "when": s.when,
    }  # fmt: skip


def offer(service: Service) -> ServiceOffer:
    """What is promised of it: the price of this moment."""
    return ServiceOffer(id=service.id, name=service.name, price=service.price, price_fen=service.price_fen)


def must_provide(desk: Desk, service: Service, community: str) -> Unit:
    """Who provides it there. Raises DomainError `service_not_offered`."""
    unit = desk.district.provider(service, community)
    if unit is None:
        rule = "Nobody provides this service in that community. Take one from /api/v1/menu?community=…"
        raise DomainError("service_not_offered", rule, field="/service", community=community)
    return unit


def provider_of(desk: Desk, demand: Demand, community: str) -> Unit | None:
    """Who provides what the demand asks for, there and now; None also where the menu has lost that line."""
    promised = demand.terms.service
    known = None if promised is None else desk.district.directory.services.get(promised.id)
    return None if known is None else desk.district.provider(known, community)


def ask_first(desk: Desk, routing: Routing, service: str, unit: Unit, category: str) -> Routing:
    """The same decision with the provider before all others."""
    told = {p.unit: p.load for p in routing.passed_over} | {c.unit: c.load for c in routing.candidates}
    load = told.get(unit.id)
    first = Candidate(
        unit=unit.id, liaison=unit.liaison, reason=f"menu:{service}", score=1.0,
        load=desk.loads.units.load(unit.id) if load is None else load,
        capacity=capacity_of(unit, category, local_date(desk.now(), desk.district)),
    )  # fmt: skip
    return routing.model_copy(
        update={
            "rule": first.reason,
            "candidates": (first, *(c for c in routing.candidates if c.unit != unit.id)),
            "passed_over": tuple(p for p in routing.passed_over if p.unit != unit.id),
        }
    )
