"""The queue's doorway to generation."""
from __future__ import annotations

from django.db import DatabaseError, InterfaceError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from generation import checks, muscles, own_motions, services

# The service answers for everything but a database that is away for a moment: then the job comes again later.
WHEN_DATABASE_IS_AWAY = RetryStrategy(
    max_attempts=8, exponential_wait=2, retry_exceptions={DatabaseError, InterfaceError}
)


@app.task(name="generation.run", queue="generation", retry=WHEN_DATABASE_IS_AWAY)
def run_generation(request_id: str) -> None:
    services.generation_request_run(request_id=request_id)


@app.task(name="generation.check", queue="checks", priority=checks.BEHIND_GENERATIONS, retry=WHEN_DATABASE_IS_AWAY)
def run_check(candidate_id: str) -> None:
    checks.candidate_check_run(candidate_id=candidate_id)


@app.task(name="generation.muscles", queue="checks", priority=muscles.BETWEEN, retry=WHEN_DATABASE_IS_AWAY)
def run_muscles(request_id: str) -> None:
    muscles.muscles_run(request_id=request_id)


# After the generations, for which markers make room: they take minutes. Before the checks that nobody waits for.
@app.task(name="generation.read_own_motion", queue="recordings", priority=-5, retry=WHEN_DATABASE_IS_AWAY)
def read_own_motion(motion_id: str) -> None:
    own_motions.own_motion_read(motion_id=motion_id)
