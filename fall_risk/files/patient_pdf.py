"""The fall-risk report of one patient as a tagged PDF, for the clinician."""
from __future__ import annotations

from django.utils import timezone

from fall_risk.files.tagged import Document
from fall_risk.models import Injury
from fall_risk.scores import Score
from fall_risk.scores.movement_profile import APART
from fall_risk.selectors import Overview, score_words
from patients.models import Patient
from prescriptions.words import STATEMENT


def patient_pdf(patient: Patient, overview: Overview) -> bytes:
    today = timezone.localdate()
    pdf = Document(f"Fall risk: {patient.full_name}", f"Genuflex, {today.day} {today:%B %Y}. For the care team.")
    pdf.text(f"{patient.get_sex_display()}, {patient.age_years} years, born {patient.birth_date:%d %B %Y}.")
    if overview.latest is None:
        pdf.text("No assessment has been completed yet.")
    else:
        _assessment(pdf, overview)
    _falls(pdf, overview)
    _movement(pdf, overview)
    pdf.text(STATEMENT, muted=True)
    return pdf.bytes()


def _assessment(pdf: Document, overview: Overview) -> None:
    latest = overview.latest
    pdf.text(f"Assessed on {latest.assessed_on:%d %B %Y}, completed by {latest.completed_by.full_name}.")
    pdf.heading(f"Category: {latest.get_category_display().lower()}")
    _score(pdf, overview.guideline)
    pdf.text(f"Next assessment by {latest.next_due_on:%d %B %Y}. {overview.again.reason} [{overview.again.status}]")
    if overview.estimate is not None:
        pdf.heading("Estimate from the literature")
        _estimate(pdf, overview.estimate)
    if overview.modifiable:
        pdf.heading("What could be changed")
        pdf.table(["What", "Because", "Usually done"], [
            [factor.label, "; ".join(factor.triggers), f"{factor.action} [{factor.status}]"]
            for factor in overview.modifiable
        ], [2, 3, 3])
    if overview.changes:
        pdf.heading("What changed since the assessment before")
        pdf.table(["Score", "Before", "Now"], [[c.label, c.before, c.now] for c in overview.changes], [3, 3, 3])
    pdf.heading("All scores")
    pdf.table(["Score", "Result", "Source"], [
        [score.label, score_words(score) + (f": {score.why_not}" if score.why_not else ""),
         f"{'; '.join(source.text for source in score.citations)} [{score.status}], version {score.version}"]
        for score in overview.others
    ], [3, 3, 5])
    pdf.text("[V] seen in the source, [R] recalled and unchecked, [E] our own default.", muted=True)
    for trend in overview.trends:
        pdf.heading(f"{trend['label']} over time", 3)
        pdf.table(["Date", trend["unit"] or "Value", "Category"], [
            [p["on"].isoformat(), f"{p['value']:.3g}", p["category"]] for p in trend["points"]
        ], [2, 2, 4])


def _score(pdf: Document, score: Score | None) -> None:
    if score is None:
        return
    if score.why_not:
        pdf.text(score.why_not)
    pdf.bullets(score.path)
    pdf.text(" ".join(score.limits) + " " + "; ".join(source.text for source in score.citations), muted=True)


def _estimate(pdf: Document, score: Score) -> None:
    if not score.applies:
        pdf.text(f"Does not apply. {score.why_not}")
        return
    interval = score.interval
    pdf.text(f"{score.value:.0%} (95 % interval {interval.low:.0%} to {interval.high:.0%}): {score.unit}.")
    pdf.table(["Ingredient", "Present", "Source"], [
        [part.label, {True: "yes", False: "no", None: "not known"}[part.value], f"{part.source} [{part.status}]"]
        for part in score.parts
    ], [4, 1, 4])
    pdf.text(" ".join(score.limits), muted=True)


def _falls(pdf: Document, overview: Overview) -> None:
    falls = [fall for fall in overview.falls if fall.retracted_at is None]
    pdf.heading("Falls reported")
    if not falls:
        pdf.text("None.")
        return
    pdf.table(["Date", "Injury", "What happened"], [
        [fall.occurred_on.isoformat(), str(Injury(fall.injury).label), fall.circumstances or "–"] for fall in falls
    ], [2, 3, 5])


def _movement(pdf: Document, overview: Overview) -> None:
    if overview.signed is None:
        return
    pdf.heading("Movement profile of the prescribed squat")
    pdf.text(APART)
    if overview.movement is None:
        pdf.text("It is not computed yet.")
        return
    found = overview.movement
    if found["supervision"]:
        pdf.text(f"Not to be done alone [E]: {'; '.join(found['supervision'])}.")
    pdf.table(["Measure", "Value", "Band", "Note"], [
        [one["label"], f"{one['value']:.3g} {one['unit']}", one["level"] or "–", one["note"] or "–"]
        for one in found["measures"]
    ], [4, 2, 1, 5])
    pdf.bullets(found["notes"])
