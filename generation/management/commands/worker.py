"""`manage.py worker`: the process that generates. Run as many as you like, on as many machines, on one database."""
from __future__ import annotations

import logging
import time

from django.core.management.base import BaseCommand, CommandError

from clinic.queue import run_worker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run generation jobs until stopped. Loads the motion model once; uses CUDA where there is a GPU."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--concurrency", type=int, default=1, help="jobs at the same time (default 1)")
        parser.add_argument(
            "--grace", type=float, default=5.0, metavar="SECONDS",
            help="how long a job may go on after SIGTERM before it goes back to the queue (default 5)",
        )

    def handle(self, *, concurrency: int, grace: float, **options) -> None:
        if concurrency < 1:
            raise CommandError("--concurrency must be 1 or more.")
        if grace < 0:
            raise CommandError("--grace must be 0 or more.")
        load_engine()
        if not run_worker(concurrency=concurrency, grace_seconds=grace):
            raise CommandError("The worker lost the database and ends; start it again.")


def load_engine() -> None:
    """Load engine and motion model now, so that the first request need not wait for them."""
    started = time.monotonic()
    # Imported here: torch and OpenSim take seconds, and only a worker pays for them.
    from generation.engine.generate import warm_up
    from generation.engine.motion_model import ModelError

    try:
        device = warm_up()
    except ModelError as error:
        raise CommandError(str(error)) from error
    log.info("Worker ready on %s; engine and motion model loaded in %.1f s.", device, time.monotonic() - started)
