"""`manage.py worker`: the process that generates. Run as many as you like, on as many machines, on one database."""
from __future__ import annotations

import logging
import os
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
        warm_up()
        if not run_worker(concurrency=concurrency, grace_seconds=grace):
            raise CommandError("The worker lost the database and ends; start it again.")


def warm_up() -> None:
    """Load the motion model now, so that the first request need not wait for it."""
    import torch

    from generation.engine import generate

    # A web server and a database live on the same machine: more threads than half its processors slow all of them down.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} thread(s)"
    started = time.monotonic()
    generate.warm_up(device)
    log.info("Worker ready on %s (%s); the motion model loaded in %.1f s.", device, name, time.monotonic() - started)
