"""What differs between two versions of something, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# By what an entry of a list is known, whatever its place in the list.
NAMES = ("id", "code", "from", "name")
LONGEST = 200

Difference = dict[str, Any]


def differences(before: Any, after: Any) -> list[Difference]:
    """`{field, before, after}` for each value that is not the same; a field that is missing is None.

    Entries of lists are matched by their id, code, first day or name: `resources[u-001-r1].capacity`. A list of plain
    values is one value. After 200 the rest is left out.
    """
    found = _walk("", before, after)
    return [one for one, _ in zip(found, range(LONGEST), strict=False)]


def _walk(field: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _walk(f"{field}.{key}" if field else str(key), before.get(key), after.get(key))
        return
    name = _name_of_entries(before, after)
    if name is not None:
        by_name = [{str(entry[name]): entry for entry in entries} for entries in (before, after)]
        for key in (*by_name[0], *(key for key in by_name[1] if key not in by_name[0])):
            yield from _walk(f"{field}[{key}]", by_name[0].get(key), by_name[1].get(key))
        if set(by_name[0]) == set(by_name[1]) and list(by_name[0]) != list(by_name[1]):
            yield {"field": f"{field} (order)", "before": list(by_name[0]), "after": list(by_name[1])}
        return
    if before != after:
        yield {"field": field, "before": before, "after": after}


def _name_of_entries(before: Any, after: Any) -> str | None:
    """The key by which the entries of both lists can be told apart; None where they are not such lists."""
    if not isinstance(before, list) or not isinstance(after, list) or not (before and after):
        return None
    for name in NAMES:
        if all(_told_apart(entries, name) for entries in (before, after)):
            return name
    return None


def _told_apart(entries: list[Any], name: str) -> bool:
    found = [entry[name] for entry in entries if isinstance(entry, Mapping) and name in entry]
    return len(found) == len(entries) == len(set(map(str, found)))
