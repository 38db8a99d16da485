"""`manage.py seed_exercise`: what the demo's patient did in two weeks; called by `seed_demo`. Twice is once."""
from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from exercise.models import ExerciseSession
from exercise.services import session_record
from prescriptions.models import Prescription

FAMILY_NAME = "Hofmann"
# days after the signature, sets, repetitions, pain before, during, after, effort, stopped early, note
SESSIONS = (
    (1, 2, 14, 2, 3, 3, 6, "tired", "Demo entry: the first time. Wobbly on the way up."),
    (3, 3, 22, 2, 3, 2, 6, "", ""),
    (5, 3, 24, 1, 3, 2, 5, "", "Demo entry: went down slower, felt better."),
    (8, 3, 24, 1, 2, 2, 5, "", ""),
    (10, 3, 24, 1, 2, 1, 4, "", ""),
    (12, 3, 24, 0, 1, 1, 4, "", "Demo entry: no swelling the next morning."),
)


class Command(BaseCommand):
    help = "Make the demo clinic's exercise sessions (for demonstrations only)."

    def handle(self, **options) -> None:
        if not settings.DEMO:
            raise CommandError("This site is not a demo (GENUFLEX_DEMO=0): no demo sessions are made here.")
        signed = Prescription.objects.filter(
            patient__family_name=FAMILY_NAME, patient__clinic__users__email__endswith="@demo.example",
            signed_at__lt=timezone.now() - timedelta(days=SESSIONS[-1][0]),
        ).select_related("patient__account").first()
        if signed is None or ExerciseSession.objects.filter(patient=signed.patient).exists():
            return
        for days, sets, repetitions, before, during, after, effort, stopped, note in SESSIONS:
            started = signed.signed_at + timedelta(days=days, minutes=7 * days)
            session_record(
                actor=signed.patient.account, prescription=signed, session_id=uuid4(), started_at=started,
                finished_at=started + timedelta(minutes=4 + sets), sets=sets, repetitions=repetitions,
                pain_before=before, pain_during=during, pain_after=after, difficulty=effort, stopped_early=stopped,
                note=note,
            )
