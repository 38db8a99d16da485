"""Every address, method, role, own and foreign object, against the permission table.

The walk is driven from the URLconf: an address that names no row of the table fails here.
"""
from __future__ import annotations

import re

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from clinic.models import User
from clinic.permissions import TABLE, Scope
from fall_risk.routing import websocket_urlpatterns as fall_risk_sockets
from generation.routing import websocket_urlpatterns as generation_sockets
from tests.sockets import Socket
from tests.world import Side, World

SOCKETS = [*generation_sockets, *fall_risk_sockets]
# Addresses without a row, each with its reason.
OPEN_ADDRESSES = {
    "api:schema": "describes the API, holds no data",
    "api:not_found": "answers 404 to everybody",
}
ACCOUNT_PREFIX = "account_"     # allauth: signing in and out, one's own password


def walk(resolver: URLResolver, namespace: str = ""):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace or "") if part)
            yield from walk(pattern, inner)
        else:
            name = f"{namespace}:{pattern.name}" if namespace else pattern.name
            yield name, pattern


def actions_of(callback) -> dict[str, str] | None:
    return getattr(getattr(callback, "cls", callback), "actions", None)


ADDRESSES = {
    name: pattern for name, pattern in walk(get_resolver())
    if name not in OPEN_ADDRESSES and not name.startswith(ACCOUNT_PREFIX)
}


def test_every_address_names_a_row_of_the_table_for_each_method():
    for name, pattern in ADDRESSES.items():
        actions = actions_of(pattern.callback)
        assert actions, f"{name}: give the view its `actions`, or say in OPEN_ADDRESSES why it needs none"
        unknown = set(actions.values()) - set(TABLE)
        assert not unknown, f"{name} names rows that the permission table does not have: {unknown}"


def test_every_row_of_the_table_is_asked_for_somewhere():
    used = {action for pattern in ADDRESSES.values() for action in actions_of(pattern.callback).values()}
    for route in SOCKETS:
        used |= set(route.callback.consumer_class.permission_actions.values())
    assert set(TABLE) - used == set()


def expected(user: User | None, action: str, home: Side, has_object: bool, api: bool) -> int | None:
    """The status that must come, None when the request is allowed (whatever its outcome)."""
    if user is None:
        return 401 if api else 302
    scope = TABLE[action].get(user.role)
    if scope is None:
        return 403
    if not has_object:
        return None
    patient = home.record.patient
    reaches = {
        Scope.ANYONE: True,
        Scope.CLINIC: user.clinic_id == patient.clinic_id,
        Scope.CARE_TEAM: patient.care_team.filter(pk=user.pk).exists(),
        Scope.OWN: patient.account_id == user.pk,
        Scope.OWN_SIGNED: patient.account_id == user.pk,
        Scope.SHARED: home.record.share.shared_with_id == user.pk,
    }[scope]
    return None if reaches else 404


def ask(client: Client, method: str, address: str) -> int:
    """The status of one request, whose effects are undone."""
    with transaction.atomic():
        body = {} if method == "GET" else {"data": b"{}", "content_type": "application/json"}
        if "/api/" not in address and method == "POST":
            body = {"data": {}}
        response = client.generic(method, address) if not body else getattr(client, method.lower())(address, **body)
        transaction.set_rollback(True)
    return response.status_code


@pytest.fixture(scope="module")
def everybody(shared_world: World) -> list[tuple[str, User | None, Client]]:
    """(who, user, their signed-in browser), nobody first."""
    found: list[tuple[str, User | None, Client]] = [("nobody", None, Client())]
    for home in (shared_world.own, shared_world.foreign):
        for who, user in home.users().items():
            client = Client()
            client.force_login(user)
            found.append((f"{home.clinic} {who}", user, client))
    return found


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_roles_and_objects(name: str, shared_world: World, everybody):
    pattern = ADDRESSES[name]
    api = name.startswith("api:")
    wanted = pattern.pattern.converters
    for who, user, client in everybody:
        for home in (shared_world.own, shared_world.foreign):
            address = reverse(name, kwargs={key: value for key, value in home.record.ids().items() if key in wanted})
            for method, action in actions_of(pattern.callback).items():
                has_object = any(key.endswith("_id") for key in wanted)
                right = expected(user, action, home, has_object, api)
                found = ask(client, method, address)
                said = f"{who} {method} {address} of {home.clinic}: {found}"
                if right is None:
                    assert found not in (401, 403, 404) and found < 500, said
                else:
                    assert found == right, f"{said}, should be {right}"


def test_nothing_unsigned_reaches_the_patient(world: World):
    client = Client()
    client.force_login(world.own.patient)
    draft = {"prescription_id": world.own.record.draft.pk}
    assert client.get(reverse("exercise_playback", kwargs=draft)).status_code == 404
    assert client.get(reverse("api:exercise_playback", kwargs=draft)).status_code == 404
    listed = client.get(reverse("api:exercise_list")).json()["results"]
    assert [row["id"] for row in listed] == [str(world.own.record.signed.pk)]


def test_a_closed_account_is_shut_out(world: World):
    client = Client()
    client.force_login(world.own.clinician)
    User.objects.filter(pk=world.own.clinician.pk).update(is_active=False)
    assert client.get("/patients/").status_code == 302
    assert client.get("/api/v1/patients/").status_code == 401


def test_administrators_read_nothing_clinical(world: World):
    client = Client()
    client.force_login(world.own.administrator)
    for address in ("/clinic/patients/", "/clinic/jobs/", "/clinic/people/", "/api/v1/jobs/"):
        text = client.get(address).content.decode()
        assert "ACL" not in text and "knee" not in text.lower() and "1.78" not in text, address


def test_sockets_follow_the_table(world: World, sockets_in_process):
    def close_code(user: User | None, address: str) -> int | None:
        client = Client()
        if user is not None:
            client.force_login(user)
        async def connect() -> int | None:
            socket = Socket(address, client)
            first = await socket.open()
            await socket.leave()
            return first.get("code")

        return async_to_sync(connect)()

    for route in SOCKETS:
        (action,) = route.callback.consumer_class.permission_actions.values()
        for home in (world.own, world.foreign):
            ids = home.record.ids()
            address = "/" + re.sub(r"<\w+:(\w+)>", lambda found, ids=ids: str(ids[found[1]]), str(route.pattern))
            has_object = "<" in str(route.pattern)
            assert close_code(None, address) == 4401
            for user in (*world.own.users().values(), *world.foreign.users().values()):
                right = expected(user, action, home, has_object, True)
                assert close_code(user, address) == (None if right is None else 4404), (user, address)
