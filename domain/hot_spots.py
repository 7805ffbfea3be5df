"""Hot spots: what many people report at one place, found by joining the pairs that are alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping


def joined(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups that the pairs make, each in order, the largest first: who is like one of a group belongs to it."""
    leader: dict[str, str] = {}

    def lead(one: str) -> str:
        leader.setdefault(one, one)
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for a, b in pairs:
        first, second = sorted((lead(a), lead(b)))
        leader[second] = first
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for one in leader:
        groups[lead(one)].append(one)
    return sorted((tuple(sorted(group)) for group in groups.values()), key=lambda group: (-len(group), group))


def heat(reporters: int, breached: int, days: int) -> int:
    """As on an agenda: one for each reporter and each broken promise, and one for each day on which it was reported."""
    return reporters + breached + days


def most_of(counts: Mapping[str, int]) -> str:
    """What occurs most often; of equals the first in order."""
    return min(counts, key=lambda one: (-counts[one], one))
