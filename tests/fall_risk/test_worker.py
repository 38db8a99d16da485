"""A real worker process brings the e-mails of alerts on their way: past work, and also those whose jobs are gone."""
from __future__ import annotations

import pytest
from django.db import connection

from fall_risk.models import AlertMail
from tests.clinic.slow_task import slow
from tests.clinic.test_queue import PATIENCE, notes, start_worker  # noqa: F401 - fixtures
from tests.processes import wait_until
from tests.sockets import sockets_in_process  # noqa: F401 - a fixture
from tests.world import fallen, make_side

pytestmark = pytest.mark.django_db(transaction=True)


def unsent() -> int:
    return AlertMail.objects.exclude(status="sent").count()


def test_lost_jobs_are_made_again_and_the_emails_pass_the_work(
    engine, notes, sockets_in_process, start_worker  # noqa: F811
):
    side = make_side("north")
    fallen(side.clinician, side.record.patient)
    with connection.cursor() as cursor:         # as if the queue was lost
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert unsent() == AlertMail.objects.count() > 1
    slow.defer(name="hours", seconds=3600)
    start_worker()
    wait_until(lambda: unsent() == 0, PATIENCE, "for the e-mails")
    assert set(AlertMail.objects.values_list("tries", flat=True)) == {1}
    wait_until(lambda: notes()["hours", "started"] == 1, PATIENCE)
    assert notes()["hours", "ended"] == 0
