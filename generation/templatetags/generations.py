"""Generations inside other rooms' pages."""
from __future__ import annotations

from django import template

from generation import measures
from generation.models import CandidateCheck, CandidateMotion, GenerationRequest
from generation.selectors import generation_request_list, own_motion_list

register = template.Library()


@register.inclusion_tag("generation/_list.html", takes_context=True)
def patient_generations(context, patient) -> dict:
    rows = generation_request_list(user=context["request"].user, patient=patient)[:6]
    return {"generations": rows, "patient": patient, "overview": context.get("overview")}


@register.inclusion_tag("generation/_measures.html")
def motion_measures(candidate: CandidateMotion) -> dict:
    return {"clinical": measures.rows(measures.CLINICAL, candidate.metrics),
            "technical": measures.rows(measures.TECHNICAL, candidate.metrics)}


@register.inclusion_tag("generation/_score.html")
def motion_score(candidate: CandidateMotion) -> dict:
    parts = [{"name": name, "value": value, "meaning": measures.SCORE_PARTS.get(name, "")}
             for name, value in candidate.score_parts.items()]
    return {"score": candidate.score, "parts": parts}


@register.inclusion_tag("generation/_model.html")
def patient_model(patient, overview) -> dict:
    return {"patient": patient, "overview": overview}


@register.inclusion_tag("generation/_own_motions.html", takes_context=True)
def patient_own_motions(context, patient) -> dict:
    return {"motions": own_motion_list(user=context["request"].user, patient=patient)[:6], "patient": patient}


_CHECK_LABELS = {"waiting": "Waits for OpenSim", "running": "Being checked by OpenSim", "passed": "Checked by OpenSim",
                 "withdrawn": "Withdrawn by OpenSim", "failed": "OpenSim check failed",
                 "cancelled": "OpenSim check cancelled"}
_CHECK_STATES = {"waiting": "queued", "passed": "accepted", "withdrawn": "rejected"}     # drawn like these


@register.inclusion_tag("generation/_check_state.html")
def check_state(check: CandidateCheck | None) -> dict:
    if check is None:
        return {"check": None}
    return {"check": check, "state": _CHECK_STATES.get(check.status, check.status),
            "label": _CHECK_LABELS[check.status]}


@register.inclusion_tag("components/state.html")
def generation_state(request: GenerationRequest) -> dict:
    return {"state": request.status, "label": request.get_status_display()}
