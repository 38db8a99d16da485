"""On hold: the patient sees no exercise, what was signed stays signed, and the hold can be ended or replaced."""
from __future__ import annotations

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.test import Client

from clinic.audit import recorded
from clinic.errors import ServiceError
from prescriptions import services
from prescriptions.models import Prescription, PrescriptionEvent
from prescriptions.selectors import exercise_held, exercise_list, signature_holds
from tests.world import PASSWORD, Side


def held(side: Side) -> Prescription:
    return services.prescription_hold(
        actor=side.clinician, prescription=side.record.signed, reason="The knee is swollen."
    )


def test_the_patient_is_told_to_talk_and_sees_no_exercise(side: Side):
    row = held(side)
    assert row.state == "held" and signature_holds(row)
    assert not exercise_list(user=side.patient).exists()
    assert [r.pk for r in exercise_held(user=side.patient)] == [row.pk]
    phone = Client()
    phone.force_login(side.patient)
    text = phone.get("/today/").content.decode()
    assert "On hold: talk to your clinician" in text and side.clinician.full_name in text
    assert "swollen" not in text and "motion-player" not in text.partition("<main")[2]
    listed = phone.get("/api/v1/exercises/held/").json()["results"]
    assert listed == [{"id": str(row.pk), "held_at": listed[0]["held_at"], "talk_to": side.clinician.full_name}]


def test_a_hold_is_ended_with_a_reason_and_both_are_in_the_audit(side: Side):
    row = held(side)
    with pytest.raises(ServiceError):
        services.prescription_release(actor=side.clinician, prescription=row, reason=" ")
    services.prescription_release(actor=side.clinician, prescription=row, reason="The swelling is gone.")
    assert [r.pk for r in exercise_list(user=side.patient)] == [row.pk]
    reasons = [event.pgh_context.metadata["reason"] for event in
               PrescriptionEvent.objects.filter(pgh_obj_id=row.pk).order_by("pgh_id")][-2:]
    assert reasons == ["The knee is swollen.", "Hold ended: The swelling is gone."]
    with pytest.raises(ServiceError, match="not on hold"):
        services.prescription_release(actor=side.clinician, prescription=row, reason="Again.")


@pytest.mark.parametrize("change", [{"sets": 9}, {"instructions": "Jump."}, {"status": "draft"}, {"document": {}}])
def test_the_database_guards_a_held_prescription_as_a_signed_one(side: Side, change: dict):
    row = held(side)
    with pytest.raises(DatabaseError), transaction.atomic():
        Prescription.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_to_hold_a_draft_and_to_revive_what_is_withdrawn(side: Side):
    with pytest.raises(DatabaseError), transaction.atomic():
        Prescription.objects.filter(pk=side.record.draft.pk).update(status="held")
    services.prescription_withdraw(actor=side.clinician, prescription=held(side), reason="Changed.")
    with pytest.raises(DatabaseError), transaction.atomic():
        Prescription.objects.filter(pk=side.record.signed.pk).update(status="signed")


def test_a_new_signature_replaces_what_is_held(side: Side):
    row = held(side)
    services.prescription_sign(actor=side.clinician, prescription=side.record.draft, password=PASSWORD)
    row.refresh_from_db()
    assert row.status == "withdrawn" and not exercise_held(user=side.patient).exists()


def test_only_the_care_team_holds_and_only_what_is_signed(side: Side):
    with pytest.raises(Http404):
        services.prescription_hold(actor=side.outsider, prescription=side.record.signed, reason="x")
    with pytest.raises(ServiceError, match="Only a signed"):
        services.prescription_hold(actor=side.clinician, prescription=side.record.draft, reason="x")


def test_the_automatic_hold_takes_all_that_is_signed(side: Side):
    with recorded(side.patient, "Fall reported"):
        rows = services.patient_prescriptions_hold(
            actor=side.patient, patient=side.record.patient, reason="A fall was reported."
        )
    assert [row.pk for row in rows] == [side.record.signed.pk]
    side.record.draft.refresh_from_db()
    assert side.record.draft.status == "draft"


def test_the_page_holds_and_releases(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    address = f"/prescriptions/{side.record.signed.pk}/"
    refused = browser.post(f"{address}hold/", {"reason": ""})
    assert refused.status_code == 422
    text = browser.post(f"{address}hold/", {"reason": "Pain of 7."}, follow=True).content.decode()
    assert "On hold since" in text and "Pain of 7." in text
    text = browser.post(f"{address}release/", {"reason": "Pain of 2."}, follow=True).content.decode()
    assert "On hold since" not in text and "Put on hold" in text
