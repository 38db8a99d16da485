"""The page on which motions of one patient are compared. What it shows stands in its address."""
from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.pages import page
from generation import comparing, selectors
from generation.alignment import ALIGNMENTS
from patients.selectors import patient_get

VIEWS = {"side": "Side by side", "over": "One over the other"}


@page(GET="candidate.view")
def compare(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="candidate.view")
    motions = comparing.compared(user=request.user, patient=patient, motion_ids=_ids(request))
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "side"
    align = request.GET.get("align") if request.GET.get("align") in ALIGNMENTS else "phase"
    context = {
        "patient": patient, "motions": motions, "view": view, "align": align, "most": comparing.MOST,
        "choices": selectors.motion_choices(user=request.user, patient=patient),
        "chosen": {motion.id for motion in motions},
    }
    if len(motions) > 1:
        def address(ids: list[UUID] | None = None, **changed: str) -> str:
            wanted = ids if ids is not None else [motion.id for motion in motions]
            return "?" + urlencode([*(("motion", motion_id) for motion_id in wanted),
                                    *({"view": view, "align": align} | changed).items()])

        ids = [motion.id for motion in motions]
        context |= {
            "views": [(key == view, words, address(view=key)) for key, words in VIEWS.items()],
            "alignments": [(key == align, f"Aligned {words}", address(align=key)) for key, words in ALIGNMENTS.items()],
            "heads": [(motion, address([motion.id, *(other for other in ids if other != motion.id)]),
                       address([other for other in ids if other != motion.id])) for motion in motions],
            "groups": comparing.table(motions),
            "plot": comparing.angle_plot(motions, align).document(),
        }
    return render(request, "generation/compare.html", context)


def _ids(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(text) for text in request.GET.getlist("motion")]
    except ValueError:
        raise Http404("An address of a comparison names motions by their ids.") from None
