"""A motion shown to a named person: who can give it, who sees it, how it ends."""
from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.test import Client
from django.utils import timezone

from clinic.errors import ServiceError
from prescriptions import services, shares
from prescriptions.models import MotionShare, MotionShareEvent
from prescriptions.selectors import shared_list
from tests.world import Side, World


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def with_patient(side: Side, **changes) -> MotionShare:
    return shares.share_create(
        actor=side.clinician, candidate=side.record.candidate, shared_with=side.patient, **changes
    )


def seen_by(user, share: MotionShare) -> bool:
    client = signed_in(user)
    answers = [client.get(f"/shared/{share.pk}/").status_code, client.get(f"/shared/{share.pk}/playback/").status_code]
    listed = share in shared_list(user=user)
    assert answers == ([200, 200] if listed else [404, 404])
    return listed


def test_a_colleague_outside_the_care_team_sees_the_motion_and_not_the_record(side: Side):
    share = side.record.share
    assert seen_by(side.outsider, share)
    client = signed_in(side.outsider)
    page = client.get(f"/shared/{share.pk}/").content.decode()
    assert side.clinician.full_name in page and side.record.patient.family_name not in page.partition("<main")[2]
    assert client.get(f"/candidates/{share.candidate_id}/shares/").status_code == 404
    assert client.get(f"/candidates/{share.candidate_id}/motion/").status_code == 404
    assert "A squat from" in client.get("/shared/").content.decode()
    (row,) = client.get("/api/v1/shared/").json()["results"]
    assert row["id"] == str(share.pk) and row["signed"] is True and "patient" not in row


def test_it_reaches_nobody_else(world: World):
    share = world.own.record.share
    for user in (world.own.clinician, world.own.patient, world.foreign.clinician, world.foreign.outsider,
                 world.foreign.patient):
        assert not seen_by(user, share)
    assert signed_in(world.own.administrator).get("/shared/").status_code == 403


def test_the_patient_is_shown_what_is_signed_while_it_is_in_force(side: Side):
    share = with_patient(side, note="Watch the knees.")
    assert share.prescription == side.record.signed and seen_by(side.patient, share)
    assert "Watch the knees." in signed_in(side.patient).get("/today/").content.decode()
    assert signed_in(side.patient).get(f"/shared/{share.pk}/video/").status_code == 200
    services.prescription_hold(actor=side.clinician, prescription=side.record.signed, reason="Pain.")
    assert not seen_by(side.patient, share)


def test_the_patient_is_shown_nothing_unsigned(side: Side):
    services.prescription_withdraw(actor=side.clinician, prescription=side.record.signed, reason="Starts anew.")
    with pytest.raises(ServiceError, match="once the motion is signed"):
        with_patient(side)
    another = side.record.request.candidates.all()[1]
    with pytest.raises(ServiceError, match="once the motion is signed"):
        shares.share_create(actor=side.clinician, candidate=another, shared_with=side.patient)
    share = shares.share_create(actor=side.clinician, candidate=another, shared_with=side.outsider)
    assert share.prescription is None and seen_by(side.outsider, share)
    assert signed_in(side.outsider).get(f"/shared/{share.pk}/video/").status_code == 404


def test_only_the_care_team_gives_and_only_inside_the_clinic(world: World):
    own, foreign = world.own, world.foreign
    for actor in (own.outsider, foreign.clinician):
        with pytest.raises(Http404):
            shares.share_create(actor=actor, candidate=own.record.candidate, shared_with=own.clinician)
    for person in (foreign.clinician, foreign.patient, own.administrator, own.clinician):
        with pytest.raises(ServiceError, match="of this clinic"):
            shares.share_create(actor=own.clinician, candidate=own.record.candidate, shared_with=person)


def test_it_is_taken_back_and_both_are_in_the_history(side: Side):
    share = side.record.share
    browser = signed_in(side.clinician)
    assert browser.post(f"/shares/{share.pk}/revoke/").status_code == 302
    assert not seen_by(side.outsider, share)
    share.refresh_from_db()
    assert share.state == "withdrawn" and share.revoked_by == side.clinician
    events = MotionShareEvent.objects.filter(pgh_obj_id=share.pk).order_by("pgh_id")
    assert [event.pgh_context.metadata["actor"] for event in events] == [str(side.clinician.pk)] * 2
    assert "shared with Outsider North for 14 days" in events[0].pgh_context.metadata["reason"]
    with pytest.raises(ServiceError, match="ended already"):
        shares.share_revoke(actor=side.clinician, share=share)


def test_it_ends_by_itself(side: Side, monkeypatch):
    share = side.record.share
    later = share.expires_at + timedelta(seconds=1)
    assert share.expires_at - timezone.now() > timedelta(days=13)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert not shared_list(user=side.outsider).exists() and share.state == "expired"


def test_twice_at_a_time_is_refused_and_the_days_are_bounded(side: Side):
    with pytest.raises(ServiceError, match="already"):
        shares.share_create(actor=side.clinician, candidate=side.record.candidate, shared_with=side.outsider)
    for days in (0, 91):
        with pytest.raises(ServiceError, match="Between 1 and 90"):
            with_patient(side, days=days)


def test_the_database_keeps_to_whom_it_was_given(side: Side):
    for change in ({"shared_with": side.patient}, {"expires_at": timezone.now() + timedelta(days=900)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            MotionShare.objects.filter(pk=side.record.share.pk).update(**change)


def test_the_page_gives_and_says_what_is_wrong(side: Side):
    browser = signed_in(side.clinician)
    address = f"/candidates/{side.record.candidate.pk}/shares/"
    wrong = browser.post(address, {"shared_with": str(side.administrator.pk), "days": "7"})
    assert wrong.status_code == 422
    made = browser.post(address, {"shared_with": str(side.patient.pk), "days": "7", "note": "For you."}, follow=True)
    text = made.content.decode()
    assert side.patient.full_name in text and "For you." in text and "Take back" in text
    person = browser.post(f"/api/v1{address}", {"shared_with": str(side.administrator.pk)}, "application/json")
    assert person.status_code == 400 and "shared_with" in person.content.decode()
