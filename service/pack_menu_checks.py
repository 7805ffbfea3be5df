"""Cross-checks of the service menu and of the special-care groups."""

from __future__ import annotations

from domain.district import District
from domain.menu import Service
from service.pack_findings import Findings

MENU, CARE_GROUPS = "menu.toml", "care-groups.toml"


def check_menu(d: District, f: Findings) -> None:
    f.unique(MENU, "services", (s.id for s in d.menu))
    for service in d.menu:
        _check_service(d, service, f)


def check_care_groups(d: District, f: Findings) -> None:
    f.unique(CARE_GROUPS, "care_groups", (g.id for g in d.care_groups))


def _check_service(d: District, service: Service, f: Findings) -> None:
    key = f"services[{service.id}]"
    f.known(MENU, f"{key}.category", service.category, d.directory.categories, "categories.toml")
    for community, partner in service.partners.items():
        if f.known(MENU, f"{key}.partners", community, d.directory.communities, "communities.toml"):
            _check_partner(d, f"{key}.partners.{community}", partner, community, f)
    if service.to is None:
        return
    others = [c for c in d.directory.communities if c not in service.partners]
    if service.to.unit is not None:
        if not f.known(MENU, f"{key}.to.unit", service.to.unit, d.directory.units, "units.toml"):
            return
        missing = [c for c in others if c not in d.directory.units[service.to.unit].communities]
    else:
        missing = [c for c in others if not d.units_of(c, service.to.kind)]
    if missing:
        problem = f"nobody provides it in {', '.join(missing)}"
        f.add(MENU, f"{key}.to", problem, "Name a partner for each of them, or list the others under `partners` only")


def _check_partner(d: District, key: str, partner: str, community: str, f: Findings) -> None:
    if f.known(MENU, key, partner, d.directory.units, "units.toml"):
        unit = d.directory.units[partner]
        if community not in unit.communities:
            problem = f"{partner} is no unit of {community}"
            f.add(MENU, key, problem, f"Name a unit that has {community} among its communities")
