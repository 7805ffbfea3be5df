"""From a row of the file to what the API is asked to take in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Body = dict[str, Any]
HERE = ZoneInfo("Asia/Shanghai")
_CODE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")


class BadRow(Exception):
    """This row cannot be sent; `field` is one of `columns.FIELDS`."""

    def __init__(self, code: str, field: str, what_to_do: str) -> None:
        super().__init__(what_to_do)
        self.code, self.field, self.what_to_do = code, field, what_to_do


@dataclass(frozen=True)
class Maker:
    """`categories` is name -> code; `scatter` names a compound for a row without a place, or is None."""

    system: str
    channel: str
    categories: Mapping[str, str]
    scatter: Callable[[str], str] | None

    def make(self, row: Mapping[str, str]) -> tuple[Body, str]:
        """The body and its Idempotency-Key: the same row always gets the same two. Raises BadRow."""
        text = row.get("text", "").strip()
        if not text:
            raise BadRow("text_missing", "text", "Write what the demand is about, or leave the row out.")
        _check_date(row.get("created_at", ""))
        number = row.get("id", "").strip()
        known_by = number or _digest(json.dumps(row, sort_keys=True, ensure_ascii=False))
        body: Body = {"text": text, "channel": self.channel}
        if row.get("category", "").strip():
            body["category"] = self._category(row["category"].strip())
        location = _location(row) or ({"compound": self.scatter(known_by)} if self.scatter else None)
        if location:
            body["location"] = location
        reporter = {field: row[field].strip() for field in ("name", "phone") if row.get(field, "").strip()}
        if reporter:
            body["reporter"] = reporter
        if number:
            body["external_refs"] = [{"system": self.system, "number": number}]
        return body, "import-" + _digest(self.system + "\n" + known_by)

    def _category(self, said: str) -> str:
        code = self.categories.get(said, said)
        if not _CODE.fullmatch(code):
            raise BadRow("unknown_category", "category", "Use a leaf's code or name from /api/v1/categories.")
        return code


def _location(row: Mapping[str, str]) -> Body | None:
    lat, lon = row.get("lat", "").strip(), row.get("lon", "").strip()
    if lat or lon:
        return {"lat": _degrees(lat, "lat", 90), "lon": _degrees(lon, "lon", 180)}
    if row.get("compound", "").strip():
        rest = {field: row[field].strip() for field in ("building", "room") if row.get(field, "").strip()}
        return {"compound": row["compound"].strip(), **rest}
    grid = row.get("grid", "").strip()
    if grid and not _CODE.fullmatch(grid):
        raise BadRow("unknown_grid", "grid", "Use a grid's id from /api/v1/grids.")
    return {"grid": grid} if grid else None


def _degrees(said: str, field: str, most: int) -> float:
    try:
        value = float(said)
    except ValueError:
        value = float("nan")
    if not -most <= value <= most:  # also where it is not a number
        raise BadRow("wrong_number", field, f"Give {field} in degrees from -{most} to {most}, such as 29.356.")
    return value


def _check_date(said: str) -> None:
    """A demand's time is when it was taken in; a wrong date still tells that a row is broken or has slipped."""
    said = said.strip()
    if not said:
        return
    at = _instant(said)
    if at is None:
        advice = "Write it as 2026-03-01 14:30, or leave the column out with --map created_at= ."
        raise BadRow("wrong_date", "created_at", advice)
    if not datetime(1949, 10, 1, tzinfo=UTC) <= at <= datetime.now(UTC) + timedelta(days=1):
        raise BadRow("wrong_date", "created_at", "The date lies in the future or too far back: correct it.")


def _instant(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        parts = _DATE.fullmatch(said)
        if parts is None:
            return None
        year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=HERE)
        except ValueError:
            return None
    return at if at.tzinfo else at.replace(tzinfo=HERE)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
