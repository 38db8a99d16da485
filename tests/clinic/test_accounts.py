"""Accounts: made by the clinic, signed in by e-mail address, closed to strangers."""
from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from clinic.errors import ServiceError
from clinic.models import User, UserEvent
from clinic.services import user_create
from tests.world import PASSWORD, Side, World

NEW = {"full_name": "Noor Haddad", "email": "Noor@North.example", "role": "clinician", "password": "a-fresh-password-1"}


def test_each_role_lands_on_its_own_page(side: Side):
    for user, start in (("administrator", "/clinic/jobs/"), ("clinician", "/patients/"), ("patient", "/today/")):
        client = Client()
        email = getattr(side, user).email
        answer = client.post("/account/login/", {"login": email.upper(), "password": PASSWORD})
        assert answer.status_code == 302, answer.context["form"].errors
        assert client.get("/", follow=True).request["PATH_INFO"] == start


def test_a_wrong_password_says_nothing_about_the_account(side: Side):
    known = Client().post("/account/login/", {"login": side.clinician.email, "password": "wrong"}).content.decode()
    unknown = Client().post("/account/login/", {"login": "nobody@x.example", "password": "wrong"}).content.decode()
    message = "The email address and/or password you specified are not correct."
    assert message in known and message in unknown


def test_nobody_signs_up():
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_the_administrator_makes_an_account(side: Side):
    made = user_create(actor=side.administrator, clinic=side.clinic, **NEW)
    assert made.email == "noor@north.example" and made.check_password(NEW["password"])
    event = UserEvent.objects.get(pgh_obj_id=made.pk)
    assert event.pgh_context.metadata["actor"] == str(side.administrator.pk)
    assert not hasattr(event, "password")
    with pytest.raises(ValidationError):
        user_create(actor=side.administrator, clinic=side.clinic, **NEW)
    with pytest.raises(ServiceError) as error:
        bad = {**NEW, "email": "b@b.example", "password": "short"}
        user_create(actor=side.administrator, clinic=side.clinic, **bad)
    assert error.value.errors[0].field == "password"


def test_no_account_in_another_clinic(world: World):
    with pytest.raises(ServiceError):
        user_create(actor=world.own.administrator, clinic=world.foreign.clinic, **NEW)


def test_the_form_keeps_what_was_typed(side: Side):
    client = Client()
    client.force_login(side.administrator)
    answer = client.post("/clinic/people/new/", {**NEW, "password": "12345"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "Noor Haddad" in text and "too short" in text and "12345" not in text
    assert client.post("/clinic/people/new/", NEW).status_code == 302


def test_addresses_differ_in_more_than_case(side: Side):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email=side.clinician.email.upper(), full_name="X", role="patient", clinic=side.clinic)


@pytest.mark.parametrize("address", [
    "/account/login/", "/account/password/reset/", "/account/password/reset/done/", "/account/inactive/",
    "/account/password/reset/key/done/", "/account/password/reset/key/1-set-password/",
])
def test_the_account_pages_are_ours(db, address: str):
    answer = Client().get(address)
    assert answer.status_code == 200 and "Genuflex" in answer.content.decode()


def test_changing_the_password(side: Side):
    client = Client()
    client.force_login(side.clinician)
    assert client.get("/account/password/change/").status_code == 200
    answer = client.post("/account/password/change/", {
        "oldpassword": PASSWORD, "password1": "quite-another-one-9", "password2": "quite-another-one-9"})
    assert answer.status_code == 302
    side.clinician.refresh_from_db()
    assert side.clinician.check_password("quite-another-one-9")


def test_a_form_from_an_earlier_sign_in_is_answered_in_our_words(side: Side):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(side.administrator)
    refused = browser.post("/clinic/people/new/", {})
    assert refused.status_code == 403 and "This page is out of date" in refused.content.decode()
