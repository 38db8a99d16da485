"""Prescriptions inside other rooms' pages."""
from __future__ import annotations

from django import template

from prescriptions.models import Prescription
from prescriptions.selectors import prescription_list
from prescriptions.standing import with_standing
from prescriptions.words import STATEMENT

register = template.Library()
_LABELS = {"draft": "Draft", "signed": "Signed", "held": "On hold", "withdrawn": "Withdrawn", "expired": "Expired"}


@register.inclusion_tag("prescriptions/_list.html", takes_context=True)
def patient_prescriptions(context, patient) -> dict:
    return {"prescriptions": prescription_list(user=context["request"].user, patient=patient)[:8], "patient": patient}


@register.inclusion_tag("components/state.html")
def prescription_state(prescription: Prescription) -> dict:
    return {"state": prescription.state, "label": _LABELS[prescription.state]}


@register.simple_tag
def standing(patients) -> list:
    """The patients of one page of a list, each with what a row of the list tells."""
    return with_standing(patients)


@register.simple_tag
def statement() -> str:
    return STATEMENT
