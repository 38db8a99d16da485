"""Generations inside other rooms' pages."""
from __future__ import annotations

from django import template

from generation.models import GenerationRequest
from generation.selectors import generation_request_list

register = template.Library()


@register.inclusion_tag("generation/_list.html", takes_context=True)
def patient_generations(context, patient) -> dict:
    rows = generation_request_list(user=context["request"].user, patient=patient)[:6]
    return {"generations": rows, "patient": patient, "overview": context.get("overview")}


@register.inclusion_tag("components/state.html")
def generation_state(request: GenerationRequest) -> dict:
    return {"state": request.status, "label": request.get_status_display()}
