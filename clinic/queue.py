"""The worker process: procrastinate's worker, made safe against being killed.

A job may run more than once, so every task must ask its own row whether there is still something to do (at least once
here, exactly once there). What this module sees to is that a job never runs zero times:
- a worker that dies leaves its job marked as being done; the others notice the missing heartbeat and put it back;
- a worker that is asked to stop puts back what it cannot finish in time;
- what keeps the rows and the queue together (`at_start`) is done whenever a worker starts, not only by the clock.

The process has two lanes. Messages to people (`MESSAGES`) are short and go by a lane of their own, so that an alert
does not wait behind a generation; everything else shares the other.
"""
from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Collection

import psycopg
from django.conf import settings
from procrastinate import exceptions
from procrastinate.app import App
from procrastinate.contrib.django import app as django_app
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.tasks import Task
from procrastinate.worker import Worker

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5               # a job that was put back so often is given up: it may be what kills the workers
HEARTBEATS_PER_TIMEOUT = 6      # so that one late heartbeat is not taken for a death
KEEP_FINISHED_HOURS = 24 * 30
RESCUE_LOCK = 0x67656E75        # one rescuer at a time; any constant of ours will do
MESSAGES = "messages"           # the queue of what must reach people soon: e-mails

_at_start: list[Task] = []


def at_start(task: Task) -> Task:
    """Decorator of a periodic task that runs when a worker starts too: who was away need not wait for the clock."""
    _at_start.append(task)
    return task


def run_worker(*, concurrency: int, grace_seconds: float) -> bool:
    """Work until SIGTERM or SIGINT. False when it ended without having been asked to (the database went away).

    `concurrency` is of the lane that works; the lane of messages has one place more.
    """
    return asyncio.run(_run_worker(concurrency, grace_seconds))


async def _run_worker(concurrency: int, grace_seconds: float) -> bool:
    timeout = settings.WORKER_STALLED_SECONDS
    running: dict[int, Job] = {}

    async def remember(call_next, context: JobContext, worker: Worker):
        running[context.job.id] = context.job
        try:
            return await call_next()
        finally:
            del running[context.job.id]

    with django_app.replace_connector(django_app.connector.get_worker_connector()) as app:
        async with app.open_async():
            stop_requested = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
            rescue = asyncio.create_task(_keep_rescuing(app, timeout, running))
            work = [asyncio.create_task(app.run_worker_async(
                queues=queues, concurrency=places, install_signal_handlers=False, worker_middleware=[remember],
                update_heartbeat_interval=timeout / HEARTBEATS_PER_TIMEOUT, stalled_worker_timeout=timeout,
            )) for queues, places in (([MESSAGES], 1), (_other_queues(app), concurrency))]
            start = asyncio.create_task(_defer_at_start(app))
            stop = asyncio.create_task(stop_requested.wait())
            await asyncio.wait([*work, stop, rescue], return_when=asyncio.FIRST_COMPLETED)
            if not stop.done():
                # Whatever ended here (work, or rescue by an error) should not have: leave, to be started afresh.
                log.error("The worker ends because of %s.", _reason(next(t for t in (*work, rescue) if t.done())))
            start.cancel()
            for lane in work:
                lane.cancel()       # takes no new job and returns when the running ones are done
            await asyncio.wait(work, timeout=grace_seconds)
            if running:
                await _leave(app, running, exit_code=0 if stop.done() else 1)
            rescue.cancel()
            return stop.done()


def _other_queues(app: App) -> list[str]:
    return sorted({task.queue for task in app.tasks.values()} - {MESSAGES})


async def _defer_at_start(app: App) -> None:
    for task in _at_start:
        try:
            await app.configure_task(task.name).defer_async(timestamp=int(time.time()))
        except exceptions.AlreadyEnqueued:      # by the clock, or by another worker
            pass
        except (exceptions.ConnectorException, psycopg.OperationalError):
            log.warning("%s was not queued at the start: the database does not answer. The clock will.", task.name)


def _reason(task: asyncio.Task) -> str:
    return repr(task.exception() or "a lost connection to the database")


async def _leave(app: App, running: dict[int, Job], exit_code: int) -> None:
    """End the process: Python cannot end a thread, so this is the only way out of a job that is in its middle."""
    for job in list(running.values()):
        await _put_back(app, job)
    logging.shutdown()
    os._exit(exit_code)


async def _keep_rescuing(app: App, timeout: float, running: dict[int, Job]) -> None:
    rounds_per_cleaning = max(1, round(3600 / (timeout / 3)))
    number = 0
    while True:
        try:
            await rescue_stalled_jobs(app, timeout, running)
            if number % rounds_per_cleaning == 0:
                await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)
        except (exceptions.ConnectorException, psycopg.OperationalError):
            log.warning("Looked in vain for jobs of dead workers: the database does not answer.")
        number += 1
        await asyncio.sleep(timeout / 3)


async def rescue_stalled_jobs(app: App, timeout: float, ours: Collection[int] = ()) -> int:
    """Put back the jobs whose worker has been silent for `timeout` seconds; returns how many.

    `ours` are the jobs of this very process: after a machine has slept, its own heartbeat is old too.
    """
    rescued = 0
    # Under one lock, else a second rescuer could take away a job that the first one's rescue has just got going again.
    async with app.connector.pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [RESCUE_LOCK])
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=timeout):
            if job.id not in ours:
                rescued += await _put_back(app, job)
    return rescued


async def _put_back(app: App, job: Job) -> bool:
    try:
        if job.attempts >= MOST_ATTEMPTS:
            log.error("Job %s (%s) was interrupted %s times and is given up.", job.id, job.task_name, job.attempts)
            await app.job_manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
            return False
        await app.job_manager.retry_job(job)
    except exceptions.ConnectorException:
        log.info("Job %s ended while it was being put back.", job.id)
        return False
    log.warning("Job %s (%s) lost its worker and is back in the queue.", job.id, job.task_name)
    return True
