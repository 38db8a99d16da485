"""One error shape, and nothing that is sent gives a 500."""
from __future__ import annotations

import json

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.clinic.test_permissions import ADDRESSES, actions_of
from tests.world import Side, World

NASTY = [
    b"", b"{", b"[]", b"null", b"1", b'"text"', b"[[[[]]]]", b"\xff\xfe", b'{"a": 1e999}', b'{"a": NaN}',
    b'{"height_m": ' + b"9" * 4000 + b"}", b"[" * 5000,
]
VALUES = [
    None, True, -1, 0, 1e308, 10**40, float("1e-320"), "", "\x00", "a\x00b", "\ud800", "x" * 9000, [], {}, [None],
    {"a": []}, "2020-02-30", "nan", "inf", "<script>", "00000000-0000-0000-0000-000000000000",
]
WRITING = sorted(
    name for name, pattern in ADDRESSES.items()
    if name.startswith("api:") and {"POST", "PUT"} & set(actions_of(pattern.callback))
)


@pytest.fixture(scope="module")
def clinician(shared_world: World) -> Client:
    client = Client()
    client.force_login(shared_world.own.clinician)
    return client


@pytest.fixture(scope="module")
def administrator(shared_world: World) -> Client:
    client = Client()
    client.force_login(shared_world.own.administrator)
    return client


def send(client: Client, method: str, address: str, body: bytes, content_type: str = "application/json"):
    with transaction.atomic():
        response = client.generic(method, address, body, content_type=content_type)
        transaction.set_rollback(True)
    return response


def fields_of(callback) -> list[str]:
    input_class = callback.cls.input_class
    return list(input_class().fields) if input_class else []


@pytest.mark.parametrize("name", WRITING)
def test_nasty_input_is_refused_in_the_one_shape(name, shared_world: World, clinician: Client, administrator: Client):
    pattern = ADDRESSES[name]
    ids = {key: v for key, v in shared_world.own.record.ids().items() if key in pattern.pattern.converters}
    address = reverse(name, kwargs=ids)
    patient = Client()
    patient.force_login(shared_world.own.patient)
    others = {"api:user_list": administrator, "api:own_fall_list": patient, "api:own_session_list": patient}
    client = others.get(name, clinician)
    fields = fields_of(pattern.callback)
    bodies = NASTY + [json.dumps({field: value for field in fields}).encode() for value in VALUES]
    bodies += [json.dumps({field: value}).encode() for field in fields[:3] for value in VALUES[:12]]
    for method in {"POST", "PUT"} & set(actions_of(pattern.callback)):
        for body in bodies:
            response = send(client, method, address, body)
            assert response.status_code < 500, (address, body[:80])
            if response.status_code >= 400:
                assert response["Content-Type"].startswith("application/problem+json")
                said = response.json()
                assert set(said) == {"type", "title", "status", "errors"} and said["status"] == response.status_code
        for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/xml", "", "☃"):
            assert send(client, method, address, b"a=1", content_type).status_code in (400, 415), content_type


def test_an_error_names_its_field(clinician: Client, shared_world: World):
    address = f"/api/v1/patients/{shared_world.own.record.patient.pk}/body-measurements/"
    body = json.dumps({"height_m": 5, "mass_kg": 70, "measured_on": "2026-01-01", "shoe": 43}).encode()
    assert send(clinician, "POST", address, body).json()["errors"] == [{"field": "shoe", "message": "Unknown field."}]
    body = json.dumps({"height_m": 5, "mass_kg": 70, "measured_on": "2026-01-01"}).encode()
    (error,) = send(clinician, "POST", address, body).json()["errors"]
    assert error["field"] == "height_m" and "between 1.20 and 2.20" in error["message"]


@pytest.mark.parametrize("address", [
    "/api/v1/", "/api/v1/nothing/", "/api/v1/patients/1/", "/api/v1/patients/%00/", "/api/v1/patients/?page=0",
    "/api/v1/patients/?page=" + "9" * 50, "/api/v1/catalogue/presets/%00/", "/api/v1/catalogue/presets/nothing/",
    "/api/v1/catalogue/presets/PCLR/?phase=%00",
])
def test_strange_addresses(clinician: Client, address: str):
    response = clinician.get(address)
    assert response.status_code in (400, 404), response.status_code
    assert set(response.json()) == {"type", "title", "status", "errors"}


@pytest.mark.parametrize("query", ["?search=%00", "?page_size=abc", "?page_size=-1", "?page_size=99999999999999999999"])
def test_strange_queries_are_answered(clinician: Client, query: str):
    assert clinician.get(f"/api/v1/patients/{query}").status_code == 200


def test_a_method_that_is_not_there(clinician: Client):
    assert clinician.delete("/api/v1/patients/").status_code == 405


def test_without_a_session_the_answer_is_401(side: Side):
    response = Client().get("/api/v1/me/")
    assert response.status_code == 401 and response.json()["status"] == 401


def test_writing_needs_the_csrf_token(side: Side):
    client = Client(enforce_csrf_checks=True)
    client.force_login(side.clinician)
    response = client.post("/api/v1/patients/", data="{}", content_type="application/json")
    assert response.status_code == 403 and response.json()["status"] == 403


def test_the_schema_describes_every_endpoint(clinician: Client, capsys):
    schema = clinician.get("/api/v1/schema/?format=json").json()
    operations = {(path, method): what for path, methods in schema["paths"].items() for method, what in methods.items()}
    expected = sum(len(actions_of(pattern.callback)) for name, pattern in ADDRESSES.items() if name.startswith("api:"))
    assert len(operations) == expected
    for (path, method), what in operations.items():
        assert any(status.startswith("2") for status in what["responses"]), path
        if method in ("post", "put"):
            bodiless = ("/cancel/", "/retry/", "/repeat/", "/resolve/", "/revoke/", "/new-version/", "/take-back/")
            assert "requestBody" in what or path.endswith(bodiless), path
    assert "warning" not in capsys.readouterr().err.lower()
