"""A real worker process brings the e-mails of alerts on their way, also those whose jobs are gone."""
from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fall_risk.models import AlertMail
from tests.clinic.test_queue import PATIENCE, start_worker  # noqa: F401 - a fixture
from tests.processes import wait_until
from tests.world import fallen, make_side

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue_emptied():
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


def unsent() -> int:
    return AlertMail.objects.exclude(status="sent").count()


def test_lost_jobs_are_made_again_and_the_emails_go(engine, start_worker, queue_emptied):  # noqa: F811
    side = make_side("north")
    fallen(side.clinician, side.record.patient)
    with connection.cursor() as cursor:         # as if the worker that had them, and the queue with it, were gone
        cursor.execute("DELETE FROM procrastinate_jobs")
    AlertMail.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    assert unsent() == AlertMail.objects.count() > 1
    start_worker()
    wait_until(lambda: unsent() == 0, PATIENCE, "for the e-mails")
    assert set(AlertMail.objects.values_list("tries", flat=True)) == {1}
