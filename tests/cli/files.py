"""Small CSV files to import."""

from __future__ import annotations

from pathlib import Path

HEADER = "编号,标题,内容,时间,小区,纬度,经度,电话\n"


def written(folder: Path, *rows: bytes | str, header: str = HEADER, name: str = "rows.csv") -> Path:
    place = folder / name
    place.write_bytes(header.encode() + b"".join(r if isinstance(r, bytes) else r.encode() for r in rows))
    return place
