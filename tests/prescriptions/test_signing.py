"""Draft, signature, freeze, hash, withdrawal."""
from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.test import Client
from django.utils import timezone

from clinic.errors import ServiceError
from generation.models import CandidateMotion
from prescriptions import services
from prescriptions.models import Prescription, PrescriptionEvent
from prescriptions.selectors import exercise_list, signature_holds
from tests.world import DOSE, PASSWORD, Side, World, make_side


def test_a_signature_freezes_and_hashes_the_content(side: Side):
    signed = side.record.signed
    assert len(signed.content_hash) == 64 and signature_holds(signed)
    document = signed.document
    assert document["motion_sha256"] == side.record.candidate.mot_sha256
    assert document["dose"]["repetitions"] == 8 and document["instructions"] == signed.instructions
    assert document["signed_by"]["id"] == str(side.clinician.pk)
    assert document["model_versions"] == {"motion_model": "plain"}
    assert document["limits"] == side.record.candidate.checks


@pytest.mark.parametrize("change", [
    {"sets": 9}, {"instructions": "Jump."}, {"signed_at": timezone.now()}, {"content_hash": "0" * 64},
    {"document": {}}, {"status": "draft"}, {"expires_at": timezone.now() + timedelta(days=900)},
])
def test_the_database_refuses_to_change_what_is_signed(side: Side, change: dict):
    with pytest.raises((InternalError, DatabaseError)), transaction.atomic():
        Prescription.objects.filter(pk=side.record.signed.pk).update(**change)


def test_the_database_refuses_to_delete_what_is_signed_and_to_change_a_motion(side: Side):
    with pytest.raises(DatabaseError), transaction.atomic():
        side.record.signed.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        CandidateMotion.objects.filter(pk=side.record.candidate.pk).update(score=1)
    side.record.draft.delete()      # a draft is no record yet


def test_a_tampered_document_is_noticed(side: Side):
    signed = side.record.signed
    signed.document["dose"]["sets"] = 9
    assert not signature_holds(signed)


def test_signing_needs_ones_own_password(side: Side):
    with pytest.raises(ServiceError) as error:
        services.prescription_sign(actor=side.clinician, prescription=side.record.draft, password="wrong")
    assert error.value.errors[0].field == "password"
    side.record.draft.refresh_from_db()
    assert side.record.draft.is_draft


def test_only_the_care_team_signs(side: Side):
    with pytest.raises(Http404):
        services.prescription_sign(actor=side.outsider, prescription=side.record.draft, password=PASSWORD)


def test_a_later_signature_withdraws_the_earlier(side: Side):
    later = services.prescription_sign(actor=side.clinician, prescription=side.record.draft, password=PASSWORD)
    side.record.signed.refresh_from_db()
    assert side.record.signed.status == "withdrawn"
    assert side.record.signed.withdrawn_reason == services.REPLACED
    assert signature_holds(side.record.signed)      # the old content is still what was signed
    assert list(exercise_list(user=side.patient)) == [later]


def test_a_signed_prescription_changes_by_a_new_version_only(side: Side):
    with pytest.raises(ServiceError) as error:
        services.prescription_update(actor=side.clinician, prescription=side.record.signed, **{**DOSE, "sets": 5})
    assert error.value.status == 409
    version = services.prescription_new_version(actor=side.clinician, prescription=side.record.signed)
    assert (version.version, version.status, version.previous) == (2, "draft", side.record.signed)
    services.prescription_update(actor=side.clinician, prescription=version, **{**DOSE, "sets": 5})
    version.refresh_from_db()
    assert version.sets == 5


def test_the_patient_sees_neither_withdrawn_nor_expired(side: Side, monkeypatch):
    assert exercise_list(user=side.patient).count() == 1
    services.prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason="Knee is swollen.")
    assert exercise_list(user=side.patient).count() == 0
    again = services.prescription_sign(actor=side.clinician, prescription=side.record.draft, password=PASSWORD)
    assert exercise_list(user=side.patient).count() == 1
    later = again.expires_at + timedelta(seconds=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert exercise_list(user=side.patient).count() == 0
    assert again.state == "expired"


def test_a_rejected_motion_cannot_be_prescribed(side: Side):
    rejected = side.record.request.candidates.get(accepted=False)
    with pytest.raises(ServiceError):
        services.prescription_create(actor=side.clinician, candidate=rejected, **DOSE)


def test_withdrawing_needs_a_reason_which_the_audit_keeps(side: Side):
    with pytest.raises(ServiceError):
        services.prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason=" ")
    services.prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason="Knee is swollen.")
    event = PrescriptionEvent.objects.filter(pgh_obj_id=side.record.signed.pk).latest("pgh_id")
    assert event.pgh_context.metadata["reason"] == "Knee is swollen."
    assert event.pgh_context.metadata["actor"] == str(side.clinician.pk)


def test_the_pages_from_choice_to_signature(world: World):
    """The clinician's clicks without a browser: prescribe, sign with a wrong and the right password, new version."""
    browser = Client()
    browser.force_login(world.own.clinician)
    page = browser.get(f"/candidates/{world.own.record.candidate.pk}/prescribe/")
    words = page.context["form"].initial["instructions"]
    assert "knees bent about 55 degrees" in words
    wrong = browser.post(f"/candidates/{world.own.record.candidate.pk}/prescribe/", {**DOSE, "sets": "99"})
    assert wrong.status_code == 422 and "Sets must be between 1 and 10" in wrong.content.decode()
    assert 'value="99"' in wrong.content.decode()       # what was typed is kept
    made = browser.post(f"/candidates/{world.own.record.candidate.pk}/prescribe/", {**DOSE, "instructions": words})
    assert made.status_code == 302
    refused = browser.post(f"{made.url}sign/", {"password": "no"})
    assert refused.status_code == 422 and "This is not your password" in refused.content.decode()
    signed = browser.post(f"{made.url}sign/", {"password": PASSWORD}, follow=True)
    text = signed.content.decode()
    assert "Unchanged since it was signed" in text and "once more by OpenSim" in text
    phone = Client()
    phone.force_login(world.own.patient)
    today = phone.get("/today/").content.decode()
    assert "knees bent about 55 degrees" in today and "Not a medical device" in today


@pytest.mark.django_db(transaction=True)
def test_two_signatures_at_the_same_moment(engine):
    """Two colleagues sign two drafts of one patient: one after the other, and one is in force."""
    side = make_side("north")
    services.prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason="Starts anew.")
    drafts = [side.record.draft, services.prescription_create(
        actor=side.clinician, candidate=side.record.candidate, **DOSE)]
    barrier = threading.Barrier(2)
    failures = []

    def sign(draft: Prescription) -> None:
        barrier.wait()
        try:
            services.prescription_sign(actor=side.clinician, prescription=draft, password=PASSWORD)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Prescription.objects.filter(status="signed").count() == 1
