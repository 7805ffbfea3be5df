"""How generated rows are written: one row a line, so that a change reads as a change of that row."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]


class Date(str):
    """A TOML local date: written without quotes."""

    __slots__ = ()


def feature(id: str, properties: Row, kind: str, coordinates: object) -> Row:
    return {
        "type": "Feature",
        "id": id,
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def geojson(features: list[Row]) -> str:
    """One feature a line, so that a change reads as a change of that place."""
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


def toml_lines(key: str, rows: list[Row]) -> str:
    lines = "".join(f"  {toml(row)},\n" for row in rows)
    return f"{key} = [\n{lines}]\n"


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value) if isinstance(value, Date) else json.dumps(value, ensure_ascii=False)
