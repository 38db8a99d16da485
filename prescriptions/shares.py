"""A motion shown to one named person of the clinic: given with a note and an end, taken back."""
from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation.models import CandidateMotion
from prescriptions.models import MotionShare
from prescriptions.selectors import share_recipients, signed_of

LONGEST_DAYS = 90       # E: our default; whoever needs it longer belongs to the care team
USUAL_DAYS = 14


def share_create(
    *, actor: User, candidate: CandidateMotion, shared_with: User, days: int = USUAL_DAYS, note: str = "",
) -> MotionShare:
    """Show a motion to somebody for some days. A patient is shown only what is signed for them, while in force."""
    require_on(actor, "share.create", candidate)
    signed = signed_of(candidate)
    if not share_recipients(user=actor, candidate=candidate, signed=signed).filter(pk=shared_with.pk).exists():
        raise ServiceError.of(
            "Choose another clinician of this clinic, or the patient once the motion is signed.", "shared_with"
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise ServiceError.of(f"Between 1 and {LONGEST_DAYS} days.", "days")
    share = MotionShare(
        candidate=candidate, prescription=signed, shared_by=actor, shared_with=shared_with, note=note.strip(),
        expires_at=timezone.now() + timedelta(days=days),
    )
    share.full_clean()
    with recorded(actor, f"Motion shared with {shared_with.full_name} for {days} days"):
        open_ones = MotionShare.objects.select_for_update().filter(
            candidate=candidate, shared_with=shared_with, revoked_at=None, expires_at__gt=timezone.now()
        )
        if open_ones.exists():
            raise ServiceError.of(f"{shared_with.full_name} sees it already. Take that back first.", "shared_with")
        share.save()
    return share


def share_revoke(*, actor: User, share: MotionShare) -> MotionShare:
    """From now on the other person does not see it."""
    require_on(actor, "share.revoke", share)
    with recorded(actor, "Share taken back"):
        share = MotionShare.objects.select_for_update(of=("self",)).get(pk=share.pk)
        if not share.is_open:
            raise conflict("This share has ended already.")
        share.revoked_at, share.revoked_by = timezone.now(), actor
        share.save(update_fields=["revoked_at", "revoked_by"])
    return share
