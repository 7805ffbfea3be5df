"""Demands that are open now were begun by older code: their histories must still replay, and to the same state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.replay.fingerprints import KEPT, fingerprints
from tests.replay.generate import RELEASE
from tests.replay.histories import HISTORIES, as_told_in, golden_of, release_of
from tests.replay.scenarios import LIVES

PLACES = sorted(HISTORIES.glob("*.json"))


def history_in(place: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(place.stem, place.read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.stem)
async def test_a_kept_history_replays_to_its_kept_state(place: Path) -> None:
    golden = place.with_suffix(".state").read_text(encoding="utf-8")
    now = json.loads(await golden_of(history_in(place)))
    assert as_told_in(release_of(place.stem), now) == json.loads(golden), (
        f"{place.stem}: the same events now make another demand. Open demands would change under their handlers: put "
        "the new rule behind workflow.patched(...), so that only new steps follow it."
    )


def test_every_life_and_both_workflows_are_kept() -> None:
    names = [p.stem for p in PLACES]
    assert {f"demand-{life}-{RELEASE}" for life in LIVES} <= set(names)
    assert RELEASE in {release_of(n) for n in names if n.startswith("meeting-")}
    ends = {json.loads(p.read_text(encoding="utf-8"))["events"][-1]["eventType"] for p in PLACES}
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED" in ends and len(ends) > 1  # closed ones and open ones


async def test_the_replay_notices_a_changed_command() -> None:
    place = next(p for p in PLACES if p.stem.startswith("demand-whole-path"))
    text = place.read_text(encoding="utf-8")
    assert '"put_on_agenda"' in text
    forged = text.replace('"put_on_agenda"', '"put_on_the_list"')
    with pytest.raises(NondeterminismError):
        await golden_of(WorkflowHistory.from_json(place.stem, forged))


@pytest.mark.parametrize("name", sorted(fingerprints()))
def test_the_commands_of_a_workflow_are_the_kept_ones(name: str) -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert fingerprints()[name] == kept.get(name), (
        f"{name} gives other commands to the engine than before. Demands that are open now would stop with a "
        "non-determinism error: keep the old way behind `if workflow.patched('what-changed'): … else: …`. When that is "
        "done, or when no demand can be open that ran the old code, run `python -m tests.replay.fingerprints` and "
        "`python -m tests.replay.generate`, and commit both."
    )
