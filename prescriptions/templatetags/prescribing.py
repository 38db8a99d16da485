"""Prescriptions inside other rooms' pages."""
from __future__ import annotations

from django import template

from prescriptions import selectors
from prescriptions.models import MotionShare, MotionVideo, Prescription
from prescriptions.selectors import prescription_list
from prescriptions.standing import with_standing
from prescriptions.words import STATEMENT

register = template.Library()
MOST_JOBS = 50
_LABELS = {"draft": "Draft", "signed": "Signed", "held": "On hold", "withdrawn": "Withdrawn", "expired": "Expired"}


@register.inclusion_tag("prescriptions/_list.html", takes_context=True)
def patient_prescriptions(context, patient) -> dict:
    return {"prescriptions": prescription_list(user=context["request"].user, patient=patient)[:8], "patient": patient}


@register.inclusion_tag("components/state.html")
def prescription_state(prescription: Prescription) -> dict:
    return {"state": prescription.state, "label": _LABELS[prescription.state]}


_VIDEO_STATES = {"ready": "succeeded"}      # drawn like these


@register.inclusion_tag("components/state.html")
def video_state(video: MotionVideo) -> dict:
    return {"state": _VIDEO_STATES.get(video.status, video.status), "label": video.get_status_display()}


@register.inclusion_tag("components/state.html")
def share_state(share: MotionShare) -> dict:
    labels = {"active": "Shown", "expired": "Run out", "withdrawn": "Taken back"}
    return {"state": share.state, "label": labels[share.state]}


@register.inclusion_tag("prescriptions/_video_jobs.html", takes_context=True)
def video_jobs(context) -> dict:
    """For the administrator: videos that wait, run or failed, and how the renderer of the worker's machine is."""
    user = context["request"].user
    return {"videos": selectors.video_jobs(user=user)[:MOST_JOBS], "last": selectors.video_renderer(user=user),
            "csrf_token": context.get("csrf_token")}


@register.simple_tag
def standing(patients) -> list:
    """The patients of one page of a list, each with what a row of the list tells."""
    return with_standing(patients)


@register.simple_tag
def statement() -> str:
    return STATEMENT
