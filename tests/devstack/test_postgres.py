"""The embedded PostgreSQL keeps what was committed, through every kind of end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.pgbinaries import can_enter, place_cluster, server_user
from devstack.postgres import DATABASE, Postgres
from devstack.reset import temporary_folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """One cluster for the module: making it is what takes the time."""
    with temporary_folder() as path:
        yield path / "postgres"


@pytest.fixture
def server(cluster: Path) -> Iterator[Postgres]:
    server = Postgres(cluster)
    server.start()
    yield server
    server.stop()


def answer(server: Postgres, statement: str) -> str:
    asked = server.psql(DATABASE, statement)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


def test_the_search_sees_chinese(server: Postgres) -> None:
    assert answer(server, "show server_encoding") == "UTF8"
    assert answer(server, "select show_trgm('路灯') <> '{}'") == "t"
    assert answer(server, "select similarity('路灯不亮', '路灯坏了') > similarity('路灯不亮', '下水道堵塞')") == "t"


def test_it_listens_on_the_loopback_only_and_asks_for_the_password(server: Postgres) -> None:
    assert answer(server, "show listen_addresses") == "127.0.0.1"
    assert answer(server, "show fsync") == "on"
    stranger = Postgres(Path("/nowhere"), port=int(server.url.rpartition(":")[2].partition("/")[0]), password="wrong")
    stranger._binaries = server._binaries
    assert "password authentication failed" in stranger.psql(DATABASE, "select 1").stderr


def test_a_killed_server_comes_back_with_its_rows_on_the_same_port(server: Postgres) -> None:
    answer(server, "drop table if exists kept; create table kept as select 42 as value")
    url, killed = server.url, server.pid
    server.kill()
    assert server.pid is None
    server.start()
    assert answer(server, "select value from kept") == "42"
    assert server.url == url
    assert server.pid != killed


def test_a_second_start_keeps_the_rows_and_the_password(cluster: Path) -> None:
    first = Postgres(cluster)
    first.start()
    answer(first, "drop table if exists kept; create table kept as select 43 as value")
    first.stop()
    second = Postgres(cluster)
    second.start()
    try:
        assert answer(second, "select value from kept") == "43"
    finally:
        second.stop()


def test_a_stale_pid_file_that_names_an_innocent_process_does_not_stop_a_start(cluster: Path) -> None:
    server = Postgres(cluster)
    server.start()
    server.stop()
    stale = cluster / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n127.0.0.1\n\nready\n")
    server.start()  # and we are still here to see it
    try:
        assert answer(server, "select 1") == "1"
        assert any("did not end in order" in note for note in server.notes)
    finally:
        server.stop()


def test_two_servers_never_share_a_folder(server: Postgres, cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstack.postgres.LEAVING_SECONDS", 0.1)
    with pytest.raises(StackError, match=f"process {server.pid}.*already running"):
        Postgres(cluster).start()


def test_a_folder_of_another_major_version_is_refused_in_words(cluster: Path) -> None:
    note = cluster / "PG_VERSION"
    ours = note.read_text()
    note.write_text("12\n")
    try:
        with pytest.raises(StackError, match="written by PostgreSQL 12 and this is PostgreSQL"):
            Postgres(cluster).start()
    finally:
        note.write_text(ours)


def test_a_busy_port_that_was_asked_for_is_refused_in_words(cluster: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is already in use") as refused:
            Postgres(cluster, port=port).start()
    assert refused.value.exit_code == 2


@pytest.mark.skipif(
    os.geteuid() != 0, reason="an ordinary user runs PostgreSQL as itself and can enter its own folders"
)
def test_root_puts_the_cluster_where_its_user_can_reach_it_and_opens_no_folder_for_that(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "data").mkdir(mode=0o755)
    user = server_user()
    place = place_cluster(closed / "data" / "postgres", user)
    assert closed not in place.parents
    assert can_enter(place.parent, user)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert place_cluster(closed / "data" / "postgres", user) == place  # the note is found again
    (closed / "data" / "linli-data").touch()
    from devstack.reset import remove

    remove(closed / "data")
    assert not place.parent.exists()
