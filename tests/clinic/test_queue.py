"""Real worker processes, killed and stopped in the middle of a job: no job is lost."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.queue import MESSAGES, MOST_ATTEMPTS
from tests.clinic.slow_task import slow
from tests.processes import database_url, wait_until

ROOT = Path(__file__).parents[2]
STALLED_SECONDS = 4.0
PATIENCE = 120          # seconds; on a busy machine a worker takes its time to start
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def notes():
    """What the tasks wrote: Counter of (name, event)."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE slow_task_notes (name text, event text)")

    def read() -> Counter:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, event FROM slow_task_notes")
            return Counter(cursor.fetchall())

    yield read
    with connection.cursor() as cursor:
        # The clock's own memory too: what it has queued for this minute it would not queue for the next test.
        cursor.execute("DROP TABLE slow_task_notes; DELETE FROM procrastinate_periodic_defers;"
                       " DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


@pytest.fixture
def start_worker():
    started = []

    def start(grace: float = 5.0) -> subprocess.Popen:
        environment = {
            **os.environ, "DATABASE_URL": database_url(), "GENUFLEX_WORKER_STALLED_SECONDS": str(STALLED_SECONDS),
        }
        command = [sys.executable, "-m", "tests.clinic.worker_process", str(grace)]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def statuses() -> list[str]:
    """Of this module's jobs; a worker also does what comes by the clock."""
    return sorted(ProcrastinateJob.objects.filter(task_name=slow.name).values_list("status", flat=True))


def test_a_job_is_deferred_with_the_transaction_that_records_it(notes, start_worker):
    with pytest.raises(RuntimeError), transaction.atomic():
        slow.defer(name="rolled back", seconds=0)
        raise RuntimeError
    with transaction.atomic():
        slow.defer(name="committed", seconds=0)
    worker = start_worker()
    wait_until(lambda: statuses() == ["succeeded"], PATIENCE)
    assert notes() == {("committed", "started"): 1, ("committed", "ended"): 1}
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0, "an idle worker ends at once and says that all is well"


def test_the_job_of_a_killed_worker_is_finished_by_another(notes, start_worker):
    slow.defer(name="job", seconds=3)
    victim = start_worker()
    wait_until(lambda: notes()["job", "started"] == 1, PATIENCE)
    other = start_worker()
    victim.kill()
    wait_until(lambda: statuses() == ["succeeded"], PATIENCE)
    assert notes() == {("job", "started"): 2, ("job", "ended"): 1}
    assert other.poll() is None


def test_a_worker_that_lives_keeps_its_job(notes, start_worker):
    """A job longer than the time after which silence means death: the heartbeat goes on meanwhile."""
    slow.defer(name="long", seconds=1.7 * STALLED_SECONDS)
    start_worker(), start_worker()
    wait_until(lambda: statuses() == ["succeeded"], PATIENCE)
    assert notes() == {("long", "started"): 1, ("long", "ended"): 1}


def test_a_stopped_worker_finishes_what_it_can_and_puts_the_rest_back(notes, start_worker):
    slow.defer(name="short", seconds=1.5)
    worker = start_worker(grace=10)
    wait_until(lambda: notes()["short", "started"] == 1, PATIENCE)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert statuses() == ["succeeded"]

    slow.defer(name="long", seconds=60)
    worker = start_worker(grace=0.2)
    wait_until(lambda: notes()["long", "started"] == 1, PATIENCE)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(5) == 0
    assert statuses() == ["succeeded", "todo"], "the long one is at once ready for the next worker"


def test_a_job_that_kills_every_worker_is_given_up(notes, start_worker):
    slow.defer(name="deadly", seconds=60)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET attempts = %s", [MOST_ATTEMPTS])
    worker = start_worker()
    wait_until(lambda: notes()["deadly", "started"] == 1, PATIENCE)
    worker.kill()
    worker.wait()
    start_worker()
    wait_until(lambda: statuses() == ["failed"], PATIENCE)
    assert notes() == {("deadly", "started"): 1}


def test_a_message_does_not_wait_behind_work(notes, start_worker):
    slow.defer(name="work", seconds=60)
    start_worker()
    wait_until(lambda: notes()["work", "started"] == 1, PATIENCE)
    slow.configure(queue=MESSAGES).defer(name="message", seconds=0)
    wait_until(lambda: notes()["message", "ended"] == 1, PATIENCE)
    slow.defer(name="more work", seconds=0)
    assert notes()["work", "ended"] == notes()["more work", "started"] == 0


def test_a_worker_whose_database_goes_away_ends_with_an_error(notes, start_worker):
    slow.defer(name="before", seconds=0)
    worker = start_worker()
    wait_until(lambda: statuses() == ["succeeded"], PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    slow.defer(name="after", seconds=0)
    wait_until(lambda: worker.poll() is not None or notes()["after", "ended"] == 1, PATIENCE)
    assert worker.poll() in (None, 1), "it works on, or it says that it failed so that it is started again"
    if worker.poll() == 1:
        start_worker()
    wait_until(lambda: notes()["after", "ended"] == 1, PATIENCE)
