"""What the filters of the board offer, by what the visitor may see."""

from __future__ import annotations

from dataclasses import dataclass

from domain.vocabulary import Role, Stage
from service.desk import Desk
from web.board_asked import CLASSES, CLOCKS, Asked
from web.visitor import Visitor

Option = tuple[str, str]


@dataclass(frozen=True)
class Choices:
    """(value, name) of each; categories by branch: (its code, its name, leaves)."""

    communities: list[Option]
    grids: list[Option]
    units: list[Option]
    categories: list[tuple[str, str, list[Option]]]
    stages: tuple[str, ...]
    clocks: tuple[str, ...]
    classes: tuple[str, ...]


def choices(desk: Desk, visitor: Visitor, asked: Asked) -> Choices:
    directory, english = desk.district.directory, visitor.english
    mine = communities_of(desk, visitor)
    near = [asked.community] if asked.community in mine else mine
    return Choices(
        communities=[(c, _name(directory.communities[c], english)) for c in mine],
        grids=[(g.id, g.name) for c in near for g in directory.grids_of.get(c, ())],
        units=sorted({(u.id, u.name) for c in near for u in directory.units_of.get(c, ())}, key=lambda o: o[1]),
        categories=categories(desk, english=english),
        stages=tuple(str(s) for s in Stage if s is not Stage.CLOSED), clocks=CLOCKS, classes=CLASSES,
    )  # fmt: skip


def communities_of(desk: Desk, visitor: Visitor) -> list[str]:
    """All of them for a grant without a place."""
    grants = [grant for grant in visitor.staff.grants if grant.role is not Role.RESIDENT]
    known = desk.district.directory.communities
    if any(grant.community is None for grant in grants):
        return list(known)
    return [c for c in known if any(grant.community == c for grant in grants)]


def categories(desk: Desk, *, english: bool) -> list[tuple[str, str, list[Option]]]:
    """The leaves under the branch of the first level that they belong to."""
    directory = desk.district.directory
    branches: dict[str, list[Option]] = {}
    for code, leaf in sorted(directory.categories.items()):
        branches.setdefault(code[:2], []).append((code, _name(leaf, english)))
    tops = {code: directory.groups.get(code) for code in branches}
    return [(code, _name(top, english) if top else code, branches[code]) for code, top in tops.items()]


def _name(known: object, english: bool) -> str:
    foreign = getattr(known, "name_en", None) if english else None
    return str(foreign or getattr(known, "name", ""))
