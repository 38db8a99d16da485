"""Assessments: started, filled in by sections, completed with their scores, corrected by a new one."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import FieldError, ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from fall_risk import facts, headline, push
from fall_risk.models import AlertKind, Assessment, AssessmentStatus, Category, ScoreRecord
from fall_risk.scores import FIELDS, INSTRUMENTS, check_answers, score_all
from fall_risk.scores.fields import DATE
from fall_risk.scores.follow_up import reassessment
from fall_risk.services.alerts import alert_raise
from patients import rules
from patients.models import Patient


@dataclass(frozen=True)
class Saved:
    """A section as it is stored now, and what of it was not taken: field key to a sentence."""

    assessment: Assessment
    version: int
    errors: dict[str, str]


def assessment_start(*, actor: User, patient: Patient, assessed_on: date | None = None) -> Assessment:
    """A new assessment; the one that is being filled in already where there is one: two drafts would drift apart."""
    require_on(actor, "fall_risk.assess", patient)
    day = assessed_on or timezone.localdate()
    rules.check_past("assessed_on", day, patient.birth_date)
    with recorded(actor, "Fall-risk assessment started"):
        Patient.objects.select_for_update().get(pk=patient.pk)
        draft = Assessment.objects.filter(patient=patient, status=AssessmentStatus.DRAFT).first()
        if draft is None:
            draft = Assessment(patient=patient, started_by=actor, assessed_on=day)
            draft.full_clean()
            draft.save()
            push.patient_changed(patient.pk)
    return draft


def assessment_section_save(
    *, actor: User, assessment: Assessment, section: str, answers: Mapping[str, Any], version: int,
    partly: bool = False, origins: Mapping[str, dict] | None = None,
) -> Saved:
    """The answers of one section, all of them: what is not given is not filled in.

    `version` is the one that the editor has seen; another's save in between is a conflict (409), and nothing is lost.
    With `partly` the answers that can be right are stored and the others named; without it one wrong one refuses all.
    """
    require_on(actor, "fall_risk.assess", assessment)
    if section not in INSTRUMENTS:
        raise ServiceError.of("There is no such section.", "section")
    with recorded(actor, f"Fall-risk assessment: {INSTRUMENTS[section].label}"):
        assessment = _locked(assessment)
        _require_draft(assessment)
        _require_version(assessment, section, version)
        clean, errors = _checked(assessment, section, answers)
        if errors and not partly:
            raise ServiceError(*(FieldError(key, message) for key, message in errors.items()))
        _put(assessment, section, clean, origins or {})
        assessment.save(update_fields=["answers", "origins", "versions"])
    return Saved(assessment, assessment.versions[section], errors)


def assessment_complete(*, actor: User, assessment: Assessment, saves: int) -> Assessment:
    """Freeze the answers, the person and the scores. `saves` is how many saves the editor has seen (see `saves_of`).

    A high category raises an alert in the same transaction.
    """
    require_on(actor, "fall_risk.assess", assessment)
    with recorded(actor, "Fall-risk assessment completed"):
        assessment = _locked(assessment)
        _require_draft(assessment)
        if saves != saves_of(assessment):
            raise conflict("Somebody changed this assessment since you saw it. Look at it again, then complete it.")
        if not assessment.answers:
            raise ServiceError.of("Nothing has been filled in yet.")
        now = timezone.now()
        patient = assessment.patient
        assessment.facts = facts.person_facts(patient, assessment.assessed_on)
        assessment.conditions = facts.condition_names(patient)
        assessment.age_band = facts.age_band(assessment.facts["age_years"])
        scores = score_all(assessment.answers, facts.person(assessment.facts))
        assessment.category = headline.category(scores)
        assessment.next_due_on = reassessment(assessment.category, assessment.assessed_on).due_on
        assessment.status = AssessmentStatus.COMPLETE
        assessment.completed_by, assessment.completed_at = actor, now
        if assessment.corrects_id:
            Assessment.objects.filter(pk=assessment.corrects_id).update(status=AssessmentStatus.CORRECTED)
        assessment.full_clean()
        assessment.save()
        ScoreRecord.objects.bulk_create(
            ScoreRecord(
                assessment=assessment, key=score.key, version=score.version, result=score.document(),
                inputs={"answers": score.inputs, "person": score.person.model_dump(mode="json")},
            )
            for score in scores if headline.is_worth_keeping(score)
        )
        if assessment.category == Category.HIGH:
            alert_raise(
                patient=patient, kind=AlertKind.HIGH_RISK, assessment=assessment,
                sentence="The assessment puts the risk of falling in the category “high”.",
            )
        push.report_changed(actor)
        push.patient_changed(assessment.patient_id)
    return assessment


def assessment_correct(*, actor: User, assessment: Assessment, reason: str) -> Assessment:
    """A draft with the same answers, to be put right; once complete it stands in the place of this one."""
    require_on(actor, "fall_risk.assess", assessment)
    if not reason.strip():
        raise ServiceError.of("Say what was wrong; the record keeps it.", "reason")
    with recorded(actor, f"Correction: {reason.strip()}"):
        Patient.objects.select_for_update().get(pk=assessment.patient_id)
        assessment = _locked(assessment)
        if assessment.status != AssessmentStatus.COMPLETE:
            raise conflict("Only a complete assessment can be corrected.")
        if Assessment.objects.filter(patient_id=assessment.patient_id, status=AssessmentStatus.DRAFT).exists():
            raise conflict("Another assessment of this patient is being filled in. Complete or discard it first.")
        draft = Assessment(
            patient_id=assessment.patient_id, started_by=actor, assessed_on=assessment.assessed_on,
            answers=assessment.answers, origins=assessment.origins, versions={key: 1 for key in assessment.versions},
            corrects=assessment, correction_reason=reason.strip(),
        )
        draft.full_clean()
        draft.save()
        push.patient_changed(draft.patient_id)
    return draft


def assessment_discard(*, actor: User, assessment: Assessment) -> None:
    """Throw a draft away, with its recordings. The audit trail keeps what was typed."""
    require_on(actor, "fall_risk.assess", assessment)
    with recorded(actor, "Fall-risk assessment discarded"):
        assessment = _locked(assessment)
        _require_draft(assessment)
        assessment.recordings.all().delete()
        assessment.delete()
        push.patient_changed(assessment.patient_id)


def saves_of(assessment: Assessment) -> int:
    """How often its sections were saved: what an editor names to show having seen the last one."""
    return sum(assessment.versions.values())


def put_answers(
    *, actor: User, assessment: Assessment, answers: Mapping[str, Any], origins: Mapping[str, dict]
) -> Assessment:
    """Add single answers to what the sections hold, as a confirmed measurement does; in the caller's transaction."""
    assessment = _locked(assessment)
    _require_draft(assessment)
    by_section: dict[str, dict] = {}
    for instrument in INSTRUMENTS.values():
        keys = {field.key for field in instrument.fields}
        if new := {key: value for key, value in answers.items() if key in keys}:
            by_section[instrument.key] = {k: v for k, v in assessment.answers.items() if k in keys} | new
    for section, merged in by_section.items():
        clean, errors = _checked(assessment, section, merged)
        if errors:
            raise ServiceError(*(FieldError(key, message) for key, message in errors.items()))
        _put(assessment, section, clean, origins)
    assessment.save(update_fields=["answers", "origins", "versions"])
    return assessment


def _checked(assessment: Assessment, section: str, answers: Mapping[str, Any]) -> tuple[dict, dict[str, str]]:
    """What of a section's answers can be stored, and a sentence for each of the others."""
    own = {field.key for field in INSTRUMENTS[section].fields}
    errors = {str(key)[:60]: "There is no such question in this section." for key in answers if key not in own}
    clean, wrong = check_answers({key: value for key, value in answers.items() if key in own})
    for key, value in clean.items():
        if FIELDS[key].kind == DATE and value[:1].isdigit():
            day = date.fromisoformat(value)
            if day > assessment.assessed_on:
                wrong[key] = "This date is after the day of the assessment."
            elif day < assessment.patient.birth_date:
                wrong[key] = "This date is before the patient's birth."
    return {key: value for key, value in clean.items() if key not in wrong}, errors | wrong


def _put(assessment: Assessment, section: str, clean: Mapping[str, Any], origins: Mapping[str, dict]) -> None:
    """An answer that stays as it was keeps saying where it came from."""
    for field in INSTRUMENTS[section].fields:
        key = field.key
        before = assessment.answers.pop(key, None)
        if key in clean:
            assessment.answers[key] = clean[key]
        if key in origins:
            assessment.origins[key] = origins[key]
        elif before != clean.get(key):
            assessment.origins.pop(key, None)
    assessment.versions[section] = assessment.versions.get(section, 0) + 1


def _locked(assessment: Assessment) -> Assessment:
    rows = Assessment.objects.select_for_update(of=("self",)).select_related("patient").filter(pk=assessment.pk)
    found = rows.first()
    if found is None:
        raise conflict("This assessment was discarded in the meantime.")
    return found


def _require_draft(assessment: Assessment) -> None:
    if not assessment.is_draft:
        raise conflict("This assessment is complete. Correct it by a new one.")


def _require_version(assessment: Assessment, section: str, version: int) -> None:
    if assessment.versions.get(section, 0) != version:
        raise conflict(
            "Somebody else saved this section while you were writing. Load the page again to see their answers; yours "
            "are still in the form."
        )
