"""One patient's fall risk as a FHIR R4 bundle (built with the R4B models of `fhir.resources`, whose RiskAssessment and
Observation are those of R4): a RiskAssessment that rests on Observations.

LOINC codes stand only where we are sure of them: those that the questionnaires' fields name in the registry. All else
has codes of our own system, and says so by the system's address.
"""
from __future__ import annotations

from collections.abc import Iterator

from fhir.resources.R4B.bundle import Bundle

from fall_risk.models import Assessment, FallEvent
from fall_risk.scores import FIELDS, Score
from fall_risk.scores.fields import ABSENT_REASONS, BOOLEAN, CHOICE, DATE, NOT_DONE, UNABLE
from fall_risk.scores.movement_profile import APART
from fall_risk.selectors import Overview
from fall_risk.words import answer_words
from patients.models import Patient

LOCAL = "urn:genuflex:fall-risk"        # codes of our own: not registered anywhere
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_UNITS = {"s": "s", "m": "m", "cm": "cm", "%": "%", "m/s": "m/s", "mmHg": "mm[Hg]", "W/kg": "W/kg", "W": "W"}
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ABSENT_CODES = {NOT_DONE: "not-performed", "declined": "asked-declined"}
_RISK = "http://terminology.hl7.org/CodeSystem/risk-probability"
_RISK_CODES = {"low": ("low", "Low likelihood"), "intermediate": ("moderate", "Moderate likelihood"),
               "high": ("high", "High likelihood")}
_GENDER = {"female": "female", "male": "male"}


def risk_bundle(patient: Patient, overview: Overview) -> str:
    """The latest complete assessment, the falls, and the patient, as JSON text. Raises ValueError where FHIR's own
    rules are not met."""
    entries = [_patient(patient)]
    if overview.latest is not None:
        entries += _observations(patient, overview.latest)
        entries += _score_observations(patient, overview.latest, overview.scores)
    entries += [_fall(patient, fall) for fall in overview.falls if fall.retracted_at is None]
    if overview.latest is not None:
        entries.append(_risk(patient, overview, [entry["id"] for entry in entries if entry["resourceType"] ==
                                                 "Observation"]))
    entries += _movement(patient, overview)     # after the risk, which does not rest on them
    bundle = Bundle.model_validate({
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": f"urn:genuflex:{e['resourceType']}/{e['id']}", "resource": e} for e in entries],
    })
    return bundle.model_dump_json(indent=1)


def _reference(kind: str, key: str) -> dict:
    return {"reference": f"urn:genuflex:{kind}/{key}"}


def _patient(patient: Patient) -> dict:
    return {
        "resourceType": "Patient", "id": str(patient.pk), "gender": _GENDER[patient.sex],
        "birthDate": patient.birth_date.isoformat(),
        "name": [{"family": patient.family_name, "given": [patient.given_name]}],
    }


def _observation(key: str, patient: Patient, codings: list[dict], text: str, when: str, **value) -> dict:
    return {
        "resourceType": "Observation", "id": key, "status": "final", "code": {"coding": codings, "text": text},
        "subject": _reference("Patient", str(patient.pk)), "effectiveDateTime": when, **value,
    }


def _observations(patient: Patient, assessment: Assessment) -> Iterator[dict]:
    """One for every answer."""
    for key, answer in sorted(assessment.answers.items()):
        field = FIELDS.get(key)
        if field is None:
            continue
        codings = [{"system": LOCAL, "code": key, "display": field.label}]
        if field.loinc:
            codings.insert(0, {"system": LOINC, "code": field.loinc})
        yield _observation(f"{str(assessment.pk)[:8]}-{key}".replace("_", "-"), patient, codings, field.label,
                           assessment.assessed_on.isoformat(), **_value(key, answer))


def _value(key: str, answer) -> dict:
    field = FIELDS[key]
    if answer in ABSENT_REASONS:
        return {"dataAbsentReason": {"coding": [{"system": _ABSENT, "code": _ABSENT_CODES[answer]}]}}
    if answer == UNABLE:
        return {"valueCodeableConcept": {"coding": [{"system": LOCAL, "code": UNABLE}], "text": "Tried and unable"}}
    if field.kind == BOOLEAN:
        return {"valueBoolean": answer}
    if field.kind == CHOICE:
        return {"valueCodeableConcept": {"coding": [{"system": LOCAL, "code": f"{key}.{answer}"}],
                                         "text": answer_words(key, answer)}}
    if field.kind == DATE:
        return {"valueDateTime": answer}
    return {"valueQuantity": _quantity(answer, field.unit)}


def _quantity(value: float, unit: str) -> dict:
    if unit in _UNITS:
        return {"value": value, "unit": unit, "system": UCUM, "code": _UNITS[unit]}
    return {"value": value, "unit": unit} if unit else {"value": value, "system": UCUM, "code": "1"}


def _score_observations(patient: Patient, assessment: Assessment, scores: list[Score]) -> Iterator[dict]:
    """One for every score that applies, with its version; estimates of a population stand in the RiskAssessment."""
    for score in scores:
        if not score.applies or score.key.startswith("literature_prior"):
            continue
        value: dict = {}
        if score.value is not None:
            value["valueQuantity"] = _quantity(round(score.value, 4), score.unit)
        elif score.category:
            value["valueCodeableConcept"] = {
                "coding": [{"system": LOCAL, "code": f"{score.key}.{score.category}"}], "text": score.category_label,
            }
        if score.value is not None and score.category:
            value["interpretation"] = [{
                "coding": [{"system": LOCAL, "code": f"{score.key}.{score.category}"}], "text": score.category_label,
            }]
        sources = "; ".join(f"{source.text} [{source.status}]" for source in score.citations)
        yield _observation(
            f"{str(assessment.pk)[:8]}-score-{score.key}".replace("_", "-"), patient,
            [{"system": LOCAL, "code": f"score.{score.key}", "version": score.version, "display": score.label}],
            score.label, assessment.assessed_on.isoformat(), note=[{"text": sources}], **value,
        )


def _fall(patient: Patient, fall: FallEvent) -> dict:
    return _observation(
        str(fall.pk), patient, [{"system": LOCAL, "code": "fall", "display": "Fall"}], "Fall",
        fall.occurred_on.isoformat(), issued=fall.created_at.isoformat(timespec="seconds"),
        valueCodeableConcept={"coding": [{"system": LOCAL, "code": f"injury.{fall.injury}"}],
                              "text": fall.get_injury_display()},
    )


def _movement(patient: Patient, overview: Overview) -> Iterator[dict]:
    """The movement profile of the signed squat, one Observation for each measure: of a simulation, not of a test."""
    if overview.movement is None:
        return
    signed, found = overview.signed, overview.movement
    for one in found["measures"]:
        value: dict = {"valueQuantity": _quantity(one["value"], one["unit"])}
        if one["level"]:
            value["interpretation"] = [{"coding": [{"system": LOCAL, "code": f"band.{one['level']}"}],
                                        "text": one["level"]}]
        notes = [{"text": text} for text in (APART, one["note"], *found["notes"]) if text]
        yield _observation(
            f"{str(signed.pk)[:8]}-movement-{one['key']}".replace("_", "-"), patient,
            [{"system": LOCAL, "code": f"movement.{one['key']}", "version": found["version"],
              "display": one["label"]}],
            f"{one['label']} (simulated, of the prescribed squat)", signed.signed_at.date().isoformat(), note=notes,
            method={"text": "Computed from the prescribed motion on a model of the patient's size"}, **value,
        )


def _risk(patient: Patient, overview: Overview, basis: list[str]) -> dict:
    """The guideline's category, and beside it the estimate of a population where it applies."""
    latest, predictions = overview.latest, []
    if latest.category:
        code, words = _RISK_CODES[latest.category]
        predictions.append({
            "outcome": {"text": "Category of the World Falls Guidelines 2022"},
            "qualitativeRisk": {"coding": [{"system": _RISK, "code": code, "display": words}],
                                "text": latest.get_category_display()},
            "rationale": " ".join(overview.guideline.path) if overview.guideline else None,
        })
    estimate = overview.estimate
    if estimate is not None and estimate.applies:
        predictions.append({
            "outcome": {"text": "At least one fall within 12 months: estimate for a population from the literature"},
            "probabilityDecimal": round(100 * estimate.value, 1),
            "rationale": f"95 % interval {estimate.interval.low:.0%} to {estimate.interval.high:.0%}. "
                         + " ".join(estimate.limits),
        })
    return {
        "resourceType": "RiskAssessment", "id": str(latest.pk), "status": "final",
        "subject": _reference("Patient", str(patient.pk)), "occurrenceDateTime": latest.assessed_on.isoformat(),
        "code": {"coding": [{"system": LOCAL, "code": "fall-risk", "display": "Assessment of the risk of falling"}]},
        "performer": {"display": latest.completed_by.full_name},
        "basis": [_reference("Observation", key) for key in basis], "prediction": predictions or None,
        "mitigation": "; ".join(f"{f.label}: {f.action}" for f in overview.modifiable) or None,
        "note": [{"text": "Research and education software, not a medical device. Reviewed by a clinician only where "
                          "the record says so."}],
    }
