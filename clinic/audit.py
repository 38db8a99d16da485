"""Who changed what, and why. Database triggers (django-pghistory) write the rows; here they get their context."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pghistory
from django.db import transaction

from clinic.models import User


@contextmanager
def recorded(actor: User | None, reason: str = "") -> Iterator[None]:
    """One transaction whose changes are recorded under `actor` (None: the system itself) with the reason given."""
    context = {"actor": str(actor.pk) if actor else None, "role": actor.role if actor else "system"}
    if reason:
        context["reason"] = reason
    with pghistory.context(**context), transaction.atomic():
        yield
