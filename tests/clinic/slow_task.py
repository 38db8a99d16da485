"""A task for the tests of the queue: it says in a table that it started, waits, and says that it ended."""
import time

from django.db import connection
from procrastinate.contrib.django import app


@app.task(name="tests.slow")
def slow(name: str, seconds: float) -> None:
    note(name, "started")
    time.sleep(seconds)
    note(name, "ended")


def note(name: str, event: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO slow_task_notes (name, event) VALUES (%s, %s)", [name, event])
