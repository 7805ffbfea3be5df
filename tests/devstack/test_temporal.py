"""The embedded Temporal keeps its workflows in a file and its address for life."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from devstack.errors import StackError
from devstack.temporal import Temporal, declared_attributes, find_program


@pytest.fixture
def server(folder: Path) -> Iterator[Temporal]:
    server = Temporal(folder / "temporal")
    server.start()
    yield server
    server.stop()


async def test_workflows_and_address_survive_an_orderly_stop_and_a_kill(server: Temporal) -> None:
    client = await Client.connect(server.address)
    await client.start_workflow("Anything", id="kept", task_queue="nobody-listens")
    address = server.address
    for end in (server.stop, server.kill):
        end()
        assert server.pid is None
        server.start()
        assert server.address == address
        again = await Client.connect(server.address)
        described = await again.get_workflow_handle("kept").describe()
        assert described.id == "kept"


def test_search_attributes_are_there_and_later_ones_are_added_to_an_old_file(server: Temporal, folder: Path) -> None:
    declared = declared_attributes()
    assert set(declared) <= set(server.operator("search-attribute", "list").stdout.split())
    server.stop()
    newer = Temporal(folder / "temporal", search_attributes={**declared, "AddedLater": "Int"})
    newer.start()
    try:
        assert "AddedLater" in newer.operator("search-attribute", "list").stdout.split()
    finally:
        newer.stop()


def test_the_program_can_be_named_and_a_wrong_name_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_CLI", find_program())
    assert Path(find_program()).name == "temporal"
    monkeypatch.setenv("TEMPORAL_CLI", "/nowhere/temporal")
    with pytest.raises(StackError, match="TEMPORAL_CLI names /nowhere/temporal"):
        find_program()
