"""Who can log in to a demo: a development token for every person of the district, and for some residents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from domain.actors import Grant
from domain.district import District
from service.tokens import mint

RESIDENTS = 12
WHOLE = "subdistrict"


@dataclass(frozen=True)
class Login:
    """`scope` is `subdistrict`, `community:ID`, `grid:ID`, `unit:ID`, or `own` for a resident's own demands."""

    role: str
    name: str
    scope: str
    token: str
    id: str

    def facts(self) -> dict[str, str]:
        return asdict(self)


def logins(district: District, secret: str) -> list[Login]:
    """One for each role a person holds; a person with two roles has the same token in both."""
    staff = [
        Login(str(grant.role), person.name, scope_of(grant), mint(secret, person.id), person.id)
        for person in district.people
        for grant in person.grants
    ]
    residents = [f"resident-{number:04d}" for number in range(1, RESIDENTS + 1)]
    return staff + [Login("resident", f"居民 {one[-4:]}", "own", mint(secret, one), one) for one in residents]


def scope_of(grant: Grant) -> str:
    for kind in ("unit", "grid", "community"):
        place = getattr(grant, kind)
        if place is not None:
            return f"{kind}:{place}"
    return WHOLE


def chosen(everyone: Iterable[Login], each: int = 2) -> list[Login]:
    """A few for the eye: of each role up to `each`, from different communities where there are such."""
    few: dict[tuple[str, str], list[Login]] = {}
    seen: set[tuple[str, str]] = set()
    for one in everyone:
        place = one.scope.partition(":")[2].partition("-")[0]
        kind = (one.role, one.scope.partition(":")[0])
        if (one.role, place) in seen and place:
            continue
        if len(few.setdefault(kind, [])) < each:
            few[kind].append(one)
            seen.add((one.role, place))
    order = ["resident", "grid_worker", "unit_liaison", "chair", "operator", "community_secretary", "supervisor"]
    return sorted(
        (one for group in few.values() for one in group),
        key=lambda one: (order.index(one.role) if one.role in order else len(order), one.role, one.scope),
    )
