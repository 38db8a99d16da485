"""The project's own PostgreSQL: real servers on throwaway folders, started, killed and found again."""
from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from clinic.local_postgres import LONGEST_SOCKET_PATH, SOCKET_NAME, LocalPostgres, LocalPostgresError
from tests.processes import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path_factory):
    server = LocalPostgres(tmp_path_factory.mktemp("pg") / "postgres", durable=False)
    yield server
    server.stop()


def test_data_survives_a_restart(server):
    assert server.start() is True
    assert server.start() is False, "a second start finds the running server"
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.stop() is True
    assert server.stop() is False
    assert not server.running()
    server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_site_is_no_superuser_and_nothing_listens_on_the_network(server):
    server.start()
    with psycopg.connect(server.url) as connection:
        rolsuper, addresses, socket_mode = connection.execute(
            "SELECT rolsuper, current_setting('listen_addresses'), current_setting('unix_socket_permissions')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert (rolsuper, addresses, socket_mode) == (False, "", "0700")
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700


def test_ordinary_start_is_crash_safe(tmp_path):
    with LocalPostgres(tmp_path / "postgres") as server, psycopg.connect(server.url) as connection:
        found = connection.execute("SELECT current_setting('fsync'), current_setting('full_page_writes')").fetchone()
        assert found == ("on", "on")
    assert not server.running()


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(tmp_path_factory, request):
    server = LocalPostgres(tmp_path_factory.mktemp("pg") / "postgres")
    request.addfinalizer(server.stop)
    server.start()
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = int((server.folder / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.running())
    assert server.start() is True
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


def test_a_stranger_with_the_number_of_the_dead_server(server):
    server.start()
    server.stop()
    (server.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{server.folder}\n0\n5432\n\n\n\n")
    assert not server.running()
    assert server.start() is True
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_first_start_is_not_taken_for_a_database(server):
    half = server.folder.parent / f"{server.folder.name}.new-12345"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert not half.exists()
    assert (server.folder / "base").exists()


def test_the_server_outlives_its_starter_and_is_found_again(server):
    program = (
        "import os, signal, sys; from pathlib import Path; from clinic.local_postgres import LocalPostgres;"
        "LocalPostgres(Path(sys.argv[1]), durable=False).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(server.folder)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert server.running()
    assert server.start() is False
    assert server.stop() is True


def test_many_starters_make_one_server(server):
    program = (
        "import sys; from pathlib import Path; from clinic.local_postgres import LocalPostgres;"
        "print(LocalPostgres(Path(sys.argv[1]), durable=False).start())"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", program, server.folder], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = sorted(starter.communicate()[0].strip() for starter in starters)
    assert answers == ["False", "False", "False", "True"]


def test_a_long_folder_gets_a_short_private_socket(tmp_path):
    server = LocalPostgres(tmp_path / ("long folder's name, " * 8) / "postgres", durable=False)
    private = server.socket_folder.parent
    try:
        with server, psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert len(str(server.socket_folder / SOCKET_NAME)) < LONGEST_SOCKET_PATH
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
        private.chmod(0o755)
        with pytest.raises(LocalPostgresError, match="not a private folder"):
            server.start()
    finally:
        server.socket_folder.rmdir()
        private.rmdir()


def test_folders_that_are_no_database_are_left_alone(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "thesis.txt").write_text("mine")
    with pytest.raises(LocalPostgresError, match="not a PostgreSQL data folder"):
        LocalPostgres(tmp_path / "postgres").start()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "PG_VERSION").write_text("16\n")
    with pytest.raises(LocalPostgresError, match="PostgreSQL 16"):
        LocalPostgres(tmp_path / "old").start()
    assert (tmp_path / "postgres" / "thesis.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that are closed to the server's user")
def test_root_opens_no_private_folder(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with LocalPostgres(private / "checkout" / "postgres", durable=False) as server:
        pid = int((server.folder / "postmaster.pid").read_text().split()[0])
        assert psutil.Process(pid).uids().effective != 0
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
