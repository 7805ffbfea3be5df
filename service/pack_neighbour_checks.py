"""Cross-checks of the other city systems: each stands behind a unit there is, and is sent categories there are."""

from __future__ import annotations

from domain.district import District
from service.pack_findings import Findings

NEIGHBOURS = "neighbours.toml"


def check_neighbours(d: District, f: Findings) -> None:
    f.unique(NEIGHBOURS, "neighbours", (one.id for one in d.neighbours))
    codes = d.directory.groups.keys() | d.directory.categories.keys()
    for one in d.neighbours:
        key = f"neighbours[{one.id}]"
        f.known(NEIGHBOURS, f"{key}.unit", one.unit, d.directory.units, "units.toml")
        for code in one.services:
            f.known(NEIGHBOURS, f"{key}.services", code, codes, "categories.toml")
        for other in d.neighbours:
            if other.id > one.id and other.unit == one.unit:
                both = {a for a in one.services for b in other.services if a.startswith(b) or b.startswith(a)}
                if both and one.forward == other.forward == "assigned":
                    problem = (
                        f"`{other.id}` is sent the same categories of the unit {one.unit}: {', '.join(sorted(both))}"
                    )
                    f.add(
                        NEIGHBOURS, f"{key}.services", problem, 'Leave them to one, or write forward = "asked" in one'
                    )
