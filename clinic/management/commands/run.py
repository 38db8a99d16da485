"""`manage.py run` (what `make run` ends in): database, web server and worker in one terminal, until Ctrl-C."""
from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from clinic.guardian import STOP_SECONDS, process_works
from clinic.local_postgres import LocalPostgres, LocalPostgresError
from clinic.supervisor import GaveUp, Supervisor, python

READY_SECONDS = 120


class Command(BaseCommand):
    help = "Start the database (without DATABASE_URL), the web server and a worker; Ctrl-C stops them all."
    requires_system_checks: list[str] = []

    def handle(self, **options) -> None:
        database = None if os.environ.get("DATABASE_URL") else LocalPostgres(settings.LOCAL_DIR / "postgres")
        try:
            with only_one_run(settings.LOCAL_DIR / "run.lock") as lock, listening_socket() as listener, \
                    Supervisor(database, lock) as supervisor:
                self.start(supervisor, listener)
                while not supervisor.stop_requested.wait(0.2):
                    supervisor.look_after()
                self.say("Stopping ...")
        except (LocalPostgresError, GaveUp) as error:
            raise CommandError(str(error)) from error
        self.say("Stopped.")

    def start(self, supervisor: Supervisor, listener: socket.socket) -> None:
        started = time.monotonic()
        supervisor.start_database()
        prepare_database()
        collect_static_files()
        supervisor.start("web", python("-m", "clinic.web", str(listener.fileno())), (listener.fileno(),))
        supervisor.start("worker", python("manage.py", "worker"))
        wait_until_ready(supervisor, listener)
        accounts = self.demo_accounts(supervisor) if settings.DEMO else ""
        if not supervisor.stop_requested.is_set():
            seconds = time.monotonic() - started
            self.say(f"\nGenuflex is ready (after {seconds:.1f} s): {address_of(listener)}\n")
            self.say(f"{accounts}Research and education software, not a medical device. Ctrl-C stops it.\n")

    def demo_accounts(self, supervisor: Supervisor) -> str:
        """What `seed_demo` says about its accounts; it runs once, on a database without users."""
        memory = settings.LOCAL_DIR / "demo_accounts.txt"
        if not get_user_model().objects.exists():
            memory.unlink(missing_ok=True)
        connection.close()
        if not memory.exists():
            self.say("Making the demo clinic and its first generated squat, checked by OpenSim (about a minute) ...")
            unfinished = memory.with_suffix(".new")
            with open(unfinished, "w") as file:
                status = supervisor.run_to_end(python("manage.py", "seed_demo"), stdout=file)
            if supervisor.stop_requested.is_set():
                return ""
            if status:
                raise CommandError("The demo clinic could not be made, see above.")
            unfinished.rename(memory)
        return memory.read_text()

    def say(self, sentence: str) -> None:
        try:
            self.stdout.write(sentence)
            self.stdout.flush()
        except OSError:     # the terminal was closed: go on, there is still something to stop
            pass


@contextmanager
def only_one_run(path: Path) -> Iterator[int]:
    """Hold the lock of this folder's run; yields its descriptor."""
    with open(path, "a+") as lock:
        deadline = time.monotonic() + 2 * STOP_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                lock.seek(0)
                owner = lock.read().strip()
            # The lock of a run that was killed is held by its guardian, for the moments that it needs to clear up.
            if not owner.isdigit() or process_works(int(owner)) or time.monotonic() > deadline:
                raise CommandError(
                    f"Genuflex already runs in this folder (process {owner or 'unknown'}). "
                    "Use that one, or stop it first with Ctrl-C in its terminal."
                )
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


@contextmanager
def listening_socket() -> Iterator[socket.socket]:
    """The open door of the site, at GENUFLEX_HOST and GENUFLEX_PORT."""
    host, port = settings.HOST, settings.PORT
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is busy: stop the program that uses it, or choose another"
        else:
            reason = f"Cannot listen on {host}, port {port} ({error.strerror}): choose another"
        other = port + 1 if 1024 <= port < 65535 else 8000
        raise CommandError(f"{reason}, for example GENUFLEX_PORT={other} make run") from None
    with listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    name = "localhost" if host in {"0.0.0.0", "::", "127.0.0.1", "::1"} else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def prepare_database() -> None:
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise CommandError(f"The database of DATABASE_URL does not answer: {error}") from error
    finally:
        connection.close()


def collect_static_files() -> None:
    """Put the static files in place under hashed names; only when one of them or the packages have changed."""
    if not (settings.BASE_DIR / "static" / "build" / "app.js").exists():
        raise CommandError("The browser bundle is not built. Use `make run`, or `make build-assets` first.")
    key = hashlib.sha256()
    folders = [entry[1] if isinstance(entry, tuple) else entry for entry in settings.STATICFILES_DIRS]
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*")):
        found = path.stat()
        key.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    key.update((settings.BASE_DIR / "pyproject.toml").read_bytes())
    stamp = Path(settings.STATIC_ROOT) / ".genuflex-stamp"
    if not stamp.exists() or stamp.read_text() != key.hexdigest():
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(key.hexdigest())


def wait_until_ready(supervisor: Supervisor, listener: socket.socket) -> None:
    """Return when the site answers that all is well (or when we are asked to stop)."""
    deadline = time.monotonic() + READY_SECONDS
    while not supervisor.stop_requested.is_set():
        supervisor.look_after()
        if site_is_well(listener):
            return
        if time.monotonic() > deadline:
            raise CommandError(f"The site did not answer within {READY_SECONDS} s; what it said is above.")
        supervisor.stop_requested.wait(0.05)


def site_is_well(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "localhost"
    question = http.client.HTTPConnection(host, port, timeout=2)
    try:
        question.request("GET", "/healthz")
        return question.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        question.close()
