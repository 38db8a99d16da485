"""What fall risk does when a row of another room changes; in the transaction of the change."""
from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import receiver

from fall_risk.services import profile_queue
from prescriptions.models import Prescription, PrescriptionStatus


@receiver(post_save, sender=Prescription, dispatch_uid="fall_risk.movement_profile")
def compute_movement_profile(instance: Prescription, **kwargs) -> None:
    """What is signed has its movement profile without anybody's asking."""
    if instance.status == PrescriptionStatus.SIGNED:
        profile_queue(candidate=instance.candidate)
