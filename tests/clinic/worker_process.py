"""A worker process for the tests of the queue: `python -m tests.clinic.worker_process GRACE_SECONDS`."""
import os
import sys

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
    import django

    django.setup()
    from clinic.queue import run_worker
    from tests.clinic import slow_task  # noqa: F401 - registers the task

    sys.exit(0 if run_worker(concurrency=1, grace_seconds=float(sys.argv[1])) else 1)
