"""The people and records that tests of this room work on.

`side` is made once for a module, since a signed prescription takes a second; each test gets rows and objects as new.
"""
from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import transaction

from generation import apart, checks
from generation import services as generation
from tests.world import Side, World, engine, make_side, plain_check, plain_engine  # noqa: F401 - a fixture among them


@pytest.fixture(scope="module")
def shared_side(django_db_setup, django_db_blocker) -> Iterator[Side]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(generation, "run_engine", plain_engine)
        patch.setattr(checks, "run_opensim", plain_check)
        patch.setattr(apart, "personal_model", lambda profile, own_model: b"<OpenSimDocument/>")
        yield make_side("north")
        transaction.set_rollback(True)


@pytest.fixture
def side(shared_side: Side, db, engine) -> Side:  # noqa: F811 - the fixture
    return deepcopy(shared_side)


@pytest.fixture
def world(side: Side) -> World:
    return World(side, make_side("south"))
