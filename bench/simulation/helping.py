"""The co-units' share of one demand's life: what their liaisons answer, and how long the lead waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from bench.simulation.telephone import Body
from domain.district import District

View = dict[str, Any]
_SAYS_NOTHING, _BUSY, _TRIES_ANYWAY, _NO_LONGER_NEEDED = 0.2, 0.5, 0.1, 0.008


@dataclass(frozen=True)
class Move:
    who: str
    body: Body


@dataclass(frozen=True)
class Wait:
    seconds: float


class Helping:
    """`ask` makes the lead's request, `answer` is a co-unit's next word, `wait` is what the lead does meanwhile."""

    def __init__(self, district: District, chance: Random) -> None:
        self._district, self._chance = district, chance
        self._silent: set[str] = set()

    def ask(self, view: View) -> Body:
        """One or two other units of the community; a few of them will say nothing until they are bound."""
        taken = {view["unit"]["id"], *(task["unit"]["id"] for task in _open(view))}
        units = [unit.id for unit in self._district.units_of(view["community"]) if unit.id not in taken]
        asked = self._chance.sample(units, self._chance.randint(1, 2))
        self._silent |= {unit for unit in asked if self._chance.random() < _SAYS_NOTHING}
        parts = [{"unit": unit, "required": self._chance.random() < 0.7} for unit in asked]
        return {"type": "add_co_units", "co_units": parts}

    def answer(self, view: View) -> Move | None:
        for task in _open(view):
            unit, offered = str(task["unit"]["id"]), task["state"] == "offered"
            if (offered and unit in self._silent) or self._chance.random() < _BUSY:
                continue
            body: Body = {"type": "co_done"}
            if offered:
                body["type"] = self._chance.choices(("co_accept", "co_refuse", "co_done"), (5, 2, 2))[0]
            if body["type"] == "co_refuse":
                body["basis"] = self._chance.choice(("not_our_duty", "no_power", "no_resources"))
            return Move(self._district.unit(unit).liaison, {**body, "unit": unit})
        return None

    def wait(self, view: View) -> Move | Wait | None:
        """For what is required; now and then the lead tries to end it all the same, or takes a part back."""
        required = [task for task in _open(view) if task["required"]]
        if not required or view["paused"] is not None or self._chance.random() < _TRIES_ANYWAY:
            return None
        if self._chance.random() < _NO_LONGER_NEEDED:
            return Move(str(view["holder"]["id"]), {"type": "co_release", "unit": required[0]["unit"]["id"]})
        return Wait(0.4)


def _open(view: View) -> list[View]:
    return [task for task in view["co_tasks"] if task["state"] in ("offered", "bound")]
