"""What the residents' page chooses from: categories, compounds, and the map of the grids. Public, the same for everybody."""

from __future__ import annotations

from typing import Any

from domain.district import District
from service.views import View
from service.walk_in_draft import category_view


def categories(d: District) -> list[View]:
    return [category_view(d, one) for one in d.categories]


def places(d: District) -> View:
    """Communities, and their compounds with as many buildings as each has and the point where it lies (WGS-84)."""
    return {
        "communities": [{"id": c.id, "zh": c.name, "en": c.name_en} for c in d.communities],
        "compounds": [
            {
                "id": c.id, "name": c.name, "community": c.community, "buildings": c.buildings, "lat": c.lat, "lon": c.lon,
            }
            for c in d.compounds
        ],
    }  # fmt: skip


def grids(d: District) -> dict[str, Any]:
    """GeoJSON (RFC 7946), without who is on duty."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": g.id,
                "properties": {"name": g.name, "community": d.directory.communities[g.community].name},
                "geometry": {"type": "Polygon", "coordinates": [g.ring]},
            }
            for g in d.grids
        ],
    }
