"""The account of what units have to do: one entry a task, so that nothing is counted twice or given back twice.

A task is a demand that the unit leads or helps with; it takes one place of the unit's capacity until it is given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Account:
    """Tasks by unit. `counted` are tasks that somebody else counted, known by their number only.

    Taking a task that is taken, or giving back one that is not, changes nothing; no load ever falls below `counted`.
    """

    def __init__(self, counted: Mapping[str, int] | None = None) -> None:
        self.loads: dict[str, int] = {unit: n for unit, n in (counted or {}).items() if n > 0}
        self._tasks: set[tuple[str, str]] = set()

    @classmethod
    def of(cls, tasks: Iterable[tuple[str, str]]) -> Account:
        """From rows of (unit, demand number); a unit that leads a demand and helps with it has one task."""
        account = cls()
        for unit, number in tasks:
            account.take(unit, number)
        return account

    def take(self, unit: str, number: str) -> None:
        if (unit, number) not in self._tasks:
            self._tasks.add((unit, number))
            self.loads[unit] = self.loads.get(unit, 0) + 1

    def give_back(self, unit: str, number: str) -> None:
        if (unit, number) in self._tasks:
            self._tasks.remove((unit, number))
            self.loads[unit] -= 1
            if not self.loads[unit]:
                del self.loads[unit]

    def load(self, unit: str) -> int:
        return self.loads.get(unit, 0)

    def free(self, unit: str, capacity: int) -> int:
        """Places left; none, also where rules and rulings have given it more than it has room for."""
        return max(0, capacity - self.load(unit))
