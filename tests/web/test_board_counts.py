"""Each demand once, by the clock of it that worries most: the list and its counts, asked of the API that the board stands on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.town import Town

STATES = ("running", "due_soon", "breached", "paused")


async def _all(town: Town, query: str) -> list[dict[str, Any]]:
    return list(await town.get(f"/clocks?limit=100&{query}", "supervisor"))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kinds", ["", "&clock=accept", "&clock=contact&clock=resolve"])
async def test_as_many_rows_as_are_counted(town: Town, state: str, kinds: str) -> None:
    rows = await _all(town, f"once=true&state={state}{kinds}")
    counted = await town.get(f"/clocks/summary?once=true{kinds}", "supervisor")
    assert len(rows) == counted[state]
    assert len({row["number"] for row in rows}) == len(rows)


async def test_the_clock_that_worries_most_stands_for_its_demand(town: Town) -> None:
    every, once = await _all(town, "state=all"), await _all(town, "once=true&state=all")
    owed = {row["number"] for row in every}
    assert owed <= {row["number"] for row in once}
    for row in once:
        if row["number"] not in owed:
            assert row["clock"] == "call_back"
            continue
        of_demand = [one for one in every if one["number"] == row["number"]]
        ranked = sorted(of_demand, key=_worry)
        assert row["clock"] == ranked[0]["clock"]


def _worry(row: dict[str, Any]) -> tuple[bool, bool, str, str]:
    return row["state"] == "paused", not row["breached"], row["due_at"] or row["paused_at"], row["clock"]
