"""`manage.py seed_fall_risk`: assessments for the demo clinic; called by `seed_demo`. Twice is once."""
from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import User
from fall_risk import services
from fall_risk.models import Assessment
from fall_risk.scores import INSTRUMENTS
from fall_risk.services.assessments import saves_of
from patients.models import Patient

_NO_DRUGS = dict.fromkeys(
    ("med_antidepressant", "med_benzodiazepine", "med_antipsychotic", "med_opioid", "med_antiepileptic"), False
)
# family name, days ago, answers
VISITS = (
    ("Solberg", 200, {
        "falls_12m": 1, "fall_injury": False, "fall_long_lie": False, "fall_consciousness": False, "frailty": False,
        "tug_s": 16.2, "gait_speed_m_s": 0.78, "cst_count": 8, "fsb_side_s": 10, "fsb_semi_s": 10, "fsb_tandem_s": 6,
        "mobility_problem": True, "walking_aid": False, "dizziness": False, "parkinson": False, "fes_total": 27,
        **_NO_DRUGS, "med_count": 4,
    }),
    ("Solberg", 3, {
        "falls_12m": 2, "fall_injury": True, "fall_long_lie": False, "fall_consciousness": False, "frailty": True,
        "tug_s": 18.4, "gait_speed_m_s": 0.71, "cst_count": 6, "fsb_side_s": 10, "fsb_semi_s": 8, "fsb_tandem_s": 3,
        "mobility_problem": True, "walking_aid": True, "dizziness": True, "parkinson": False, "fes_total": 34,
        **_NO_DRUGS, "med_antidepressant": True, "med_count": 6, "vision_checked": False, "home_hazards": True,
    }),
    ("Marchetti", 40, {
        "falls_12m": 0, "kq_fallen": False, "kq_unsteady": False, "kq_worried": True, "tug_s": 9.8, "cst_count": 12,
        "gait_speed_m_s": 1.05, "mobility_problem": False, "walking_aid": False, "dizziness": False, "parkinson": False,
        **_NO_DRUGS, "med_count": 3, "vision_checked": True, "footwear_unsafe": True,
    }),
)
TOLD = (
    "We talked about falls and looked at how you move. There is little that worries us.\n\n"
    "- Wear firm, flat, closed shoes, also at home.\n- Keep doing your exercise.\n\n"
    "If you fall, or feel unsteady, tell us at once."
)


class Command(BaseCommand):
    help = "Make the demo clinic's fall-risk assessments (for demonstrations only)."

    def handle(self, **options) -> None:
        if not settings.DEMO:
            raise CommandError("This site is not a demo (GENUFLEX_DEMO=0): no demo assessments are made here.")
        for family in dict.fromkeys(name for name, _, _ in VISITS):
            patient = Patient.objects.filter(family_name=family, clinic__users__email__endswith="@demo.example").first()
            if patient is None or Assessment.objects.filter(patient=patient).exists():
                continue
            clinician = patient.care_team.first()
            for name, days, answers in VISITS:
                if name == family:
                    row = self._visit(clinician, patient, days, answers)
            if row.category == "low":
                services.summary_release(actor=clinician, assessment=row, text=TOLD)

    def _visit(self, clinician: User, patient: Patient, days: int, answers: dict) -> Assessment:
        row = services.assessment_start(
            actor=clinician, patient=patient, assessed_on=timezone.localdate() - timedelta(days=days)
        )
        for key, instrument in INSTRUMENTS.items():
            own = {field.key: answers[field.key] for field in instrument.fields if field.key in answers}
            if own:
                row = services.assessment_section_save(
                    actor=clinician, assessment=row, section=key, answers=own, version=0
                ).assessment
        return services.assessment_complete(actor=clinician, assessment=row, saves=saves_of(row))
