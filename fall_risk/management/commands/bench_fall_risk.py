"""`manage.py bench_fall_risk --assessments 100000`: how long the clinic's report takes, in a scratch database."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from clinic.models import Clinic, User
from fall_risk import selectors
from fall_risk.reporting import counts
from fall_risk.reporting.document import Filters, last_twelve_months, report_document
from fall_risk.reporting.groups import parse_group

REPEATS = 3
VISITS = 4              # assessments of each patient
CLINICIANS = 40

# Deterministic rows: every property follows from the number of the row. The history is left out: it takes most of the
# time of filling, and no report reads it.
_FILL = """
ALTER TABLE patients_patient DISABLE TRIGGER USER;
ALTER TABLE patients_careteammember DISABLE TRIGGER USER;
ALTER TABLE patients_condition DISABLE TRIGGER USER;
ALTER TABLE fall_risk_assessment DISABLE TRIGGER USER;
ALTER TABLE fall_risk_fallevent DISABLE TRIGGER USER;
INSERT INTO clinic_clinic (id, name, created_at) VALUES (gen_random_uuid(), 'Bench', now());
INSERT INTO clinic_user (id, password, email, full_name, role, is_active, created_at, clinic_id)
    SELECT gen_random_uuid(), '', 'u' || n || '@bench.example', 'Clinician ' || n,
        CASE WHEN n = 0 THEN 'administrator' ELSE 'clinician' END, true, now(), (SELECT id FROM clinic_clinic)
    FROM generate_series(0, {clinicians}) n;
INSERT INTO patients_patient (id, created_at, given_name, family_name, birth_date, sex, clinic_id)
    SELECT gen_random_uuid(), now(), 'Given' || n, 'Family' || n, date '1930-01-01' + (n * 37 % 14000),
        CASE WHEN n % 2 = 0 THEN 'female' ELSE 'male' END, (SELECT id FROM clinic_clinic)
    FROM generate_series(1, {patients}) n;
CREATE TEMP TABLE numbered_patients AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM patients_patient;
CREATE TEMP TABLE numbered_clinicians AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM clinic_user WHERE role = 'clinician';
ANALYZE numbered_patients;
ANALYZE numbered_clinicians;
ANALYZE patients_patient;
INSERT INTO patients_careteammember (patient_id, clinician_id)
    SELECT p.id, c.id FROM numbered_patients p JOIN numbered_clinicians c ON c.n = p.n % {clinicians};
INSERT INTO patients_condition (id, created_at, name, phase, side, onset_on, patient_id)
    SELECT gen_random_uuid(), now(), (ARRAY['knee_OA', 'TKA', 'LBP', 'frail_elderly'])[1 + n % 4], '', '', NULL, id
    FROM numbered_patients WHERE n % 5 <> 0;
INSERT INTO fall_risk_assessment (id, created_at, patient_id, started_by_id, assessed_on, status, answers, origins,
        versions, facts, completed_by_id, completed_at, correction_reason, category, next_due_on, age_band, conditions)
    SELECT gen_random_uuid(), now(), p.id, c.id, day.d, 'complete', '{{"falls_12m": 1}}', '{{}}', '{{}}',
        '{{"age_years": 75}}', c.id, now(), '', (ARRAY['low', 'low', 'intermediate', 'high', ''])[1 + (p.n + v) % 5],
        day.d + 200, (ARRAY['under 65', '65-74', '75-84', '85+'])[1 + p.n % 4],
        ARRAY[(ARRAY['knee_OA', 'TKA', 'LBP', 'frail_elderly'])[1 + p.n % 4]]::varchar[]
    FROM numbered_patients p
    JOIN numbered_clinicians c ON c.n = p.n % {clinicians}
    CROSS JOIN generate_series(0, {visits} - 1) v
    CROSS JOIN LATERAL (SELECT current_date - (v * 190 + p.n % 180)::int AS d) day;
INSERT INTO fall_risk_fallevent (id, created_at, patient_id, occurred_on, injury, circumstances, reported_by_id,
        by_patient, submission, retracted_reason)
    SELECT gen_random_uuid(), now(), p.id, current_date - (p.n * 7 % 700)::int,
        (ARRAY['none', 'minor', 'care', 'serious', 'unknown'])[1 + p.n % 5], '', c.id, false, gen_random_uuid(), ''
    FROM numbered_patients p JOIN numbered_clinicians c ON c.n = p.n % {clinicians} WHERE p.n % 3 = 0;
"""


class Command(BaseCommand):
    help = "Fill a scratch database on the configured server with assessments and time the clinic's report."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--assessments", type=int, default=100_000, help="how many (default 100000)")
        parser.add_argument("--explain", action="store_true", help="print how the database answers")

    def handle(self, *, assessments: int, explain: bool, **options) -> None:
        if assessments < VISITS:
            raise CommandError(f"--assessments must be {VISITS} or more.")
        before = connection.settings_dict["NAME"]
        connection.settings_dict.setdefault("TEST", {})["NAME"] = f"bench_{before}"
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            self._fill(assessments // VISITS)
            slowest = self._measure(explain)
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)
        self.stdout.write(f"slowest clinic report: {slowest:.3f} s")

    def _fill(self, patients: int) -> None:
        started = time.perf_counter()
        with connection.cursor() as cursor:
            for statement in _FILL.format(patients=patients, visits=VISITS, clinicians=CLINICIANS).split(";"):
                if statement.strip():
                    cursor.execute(statement)
            cursor.execute("VACUUM ANALYZE")
        self.stdout.write(f"{patients} patients, {patients * VISITS} assessments, filled in "
                          f"{time.perf_counter() - started:.1f} s")

    def _measure(self, explain: bool) -> float:
        clinic = Clinic.objects.get()
        administrator = User.objects.get(role="administrator")
        clinician = User.objects.filter(role="clinician").first()
        today = timezone.localdate()
        year = last_twelve_months(today)
        asked = {
            "last 12 months": year,
            "last 5 years": Filters(today - timedelta(days=1825), today),
            "one month": Filters(today.replace(day=1), today),
            "one clinician": Filters(year.start, year.end, clinician=clinician.pk),
            "age 75-84": Filters(year.start, year.end, age_band="75-84"),
            "one condition": Filters(year.start, year.end, condition="TKA"),
            "looked closer at, high": replace(year, group=parse_group("category/high")),
            "closer at high of one condition": replace(
                year, condition="TKA", group=parse_group("category/high")),
        }
        reports = [
            self._timed(f"clinic report, {name}", lambda chosen=chosen: report_document(clinic=clinic, filters=chosen))
            for name, chosen in asked.items()
        ]
        self._timed("who is due, first page", lambda: list(selectors.due_list(user=administrator)[:25]))
        self._timed("a clinician's worklist, first page", lambda: list(selectors.worklist(user=clinician)[:25]))
        if explain or max(reports) > 1:
            self.stdout.write(f"\n{counts.plan(clinic, year)}")
        return max(reports)

    def _timed(self, name: str, work: Callable[[], object]) -> float:
        """Prints the first run, which is what a person waits, and the best of a few; returns the best."""
        seconds = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        self.stdout.write(f"{name:<42} first {seconds[0]:.3f} s, best {min(seconds):.3f} s")
        return min(seconds)
