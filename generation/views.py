"""Pages of generations: ask, watch, compare, download; and the administrator's jobs."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from clinic.pages import attempted, page, paged, status_of, submitted
from generation import checks, downloads, muscles, selectors, services
from generation.angle_plots import joint_angles
from generation.forms import GenerateForm
from generation.models import CandidateCheck, CandidateMotion, GenerationRequest, RequestStatus
from generation.physics_page import physics_of
from patients.selectors import patient_get, patient_overview

MOST_CHECKS = 50        # of the undecided checks, shown to the administrator


@page(GET="generation.create", POST="generation.create")
def generate(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_get(user=request.user, patient_id=patient_id, action="generation.create")
    motions = selectors.own_motion_ready(user=request.user, patient=patient)
    candidates = selectors.candidates_named(
        user=request.user, patient=patient, candidate_id=request.POST.get("start_candidate")
        or request.GET.get("candidate", ""))
    form = GenerateForm(
        request.POST or None, motions=motions, candidates=candidates,
        initial={"own_motion": request.GET.get("own_motion"), "start_candidate": request.GET.get("candidate")})
    if request.method == "POST":
        made = submitted(form, services.generation_request_create, actor=request.user, patient=patient)
        if made:
            return redirect("generation_detail", made.pk)
    return render(request, "generation/generate.html", {
        "form": form, "patient": patient, "overview": patient_overview(user=request.user, patient=patient),
    }, status=status_of(form))


@page(GET="generation.view")
def generation_detail(request: HttpRequest, request_id: UUID) -> HttpResponse:
    row = selectors.generation_request_get(user=request.user, request_id=request_id)
    if row.status != RequestStatus.SUCCEEDED:
        return render(request, "generation/progress.html", _progress(row))
    candidates = list(selectors.candidate_list(user=request.user, request=row))
    shown = _shown(request, candidates)
    context = {"generation": row, "patient": row.patient, "candidates": candidates, "shown": shown}
    if shown is not None:
        own = selectors.own_motion_behind(user=request.user, request=row)
        context["angles"] = joint_angles(
            selectors.candidate_get(user=request.user, candidate_id=shown.pk, with_files=True), own
        ).document()
        context |= _physics(request, shown.pk)
    return render(request, "generation/results.html", context)


@page(GET="generation.view")
def generation_preview(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The playback document of the best motion so far, while the generation runs; else nothing (204)."""
    return downloads.preview(request, selectors.preview_find(user=request.user, request_id=request_id))


@page(GET="generation.view")
def generation_checks(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The parts of the results page that a check changes, read again at a hint.

    `seen` is the state that the page shows of the candidate in front; what belongs to it is sent only when it changed,
    so that nothing folds up under a reader.
    """
    row = selectors.generation_request_get(user=request.user, request_id=request_id)
    candidates = list(selectors.candidate_list(user=request.user, request=row))
    shown = _shown(request, candidates)
    context = {"generation": row, "candidates": candidates, "shown": shown}
    check = shown.check_by_opensim if shown else None
    if check is not None and check.status != request.GET.get("seen"):
        context |= {**_physics(request, shown.pk), "changed": True}
    return render(request, "generation/_checked.html", context)


@page(GET="candidate.view")
def candidate_check(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    """Everything OpenSim says of one candidate, on a page of its own."""
    candidate = selectors.candidate_get(user=request.user, candidate_id=candidate_id)
    return render(request, "generation/check.html", {
        "candidate": candidate, "shown": candidate, "patient": candidate.request.patient,
        **_physics(request, candidate_id),
    })


@page(POST="check.cancel")
def candidate_check_cancel(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    row = selectors.check_get(user=request.user, candidate_id=candidate_id, action="check.cancel")
    attempted(request, checks.candidate_check_cancel, "The check is cancelled.", actor=request.user, check=row)
    return _back_to_candidate(request, row)


@page(POST="check.retry")
def candidate_check_retry(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    row = selectors.check_get(user=request.user, candidate_id=candidate_id, action="check.retry")
    attempted(request, checks.candidate_check_retry, "The check is queued again.", actor=request.user, check=row)
    return _back_to_candidate(request, row)


@page(GET="candidate.view")
def candidate_analysis(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    return downloads.analysis_tables(
        selectors.analysis_get(user=request.user, candidate_id=candidate_id, with_tables=True)
    )


@page(GET="generation.view")
def generation_state(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The part of the progress page that is read again at every hint; the whole page when the motions are there."""
    row = selectors.generation_request_get(user=request.user, request_id=request_id)
    if row.status == RequestStatus.SUCCEEDED:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "generation/_state.html", _progress(row))


@page(POST="generation.cancel")
def generation_cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    row = selectors.generation_request_get(user=request.user, request_id=request_id, action="generation.cancel")
    attempted(
        request, services.generation_request_cancel, "The generation is cancelled.", actor=request.user, request=row
    )
    return _back(request, row)


@page(POST="generation.retry")
def generation_retry(request: HttpRequest, request_id: UUID) -> HttpResponse:
    row = selectors.generation_request_get(user=request.user, request_id=request_id, action="generation.retry")
    attempted(request, services.generation_request_retry, "It is queued again.", actor=request.user, request=row)
    return _back(request, row)


@page(GET="candidate.view")
def candidate_playback(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    return downloads.playback(
        request, selectors.candidate_get(user=request.user, candidate_id=candidate_id, with_files=True)
    )


@page(GET="candidate.view")
def candidate_muscles(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    return downloads.muscles(request, muscles.muscles_get(user=request.user, candidate_id=candidate_id))


@page(GET="candidate.view")
def candidate_motion(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    return downloads.motion(selectors.candidate_get(user=request.user, candidate_id=candidate_id, with_files=True))


@page(GET="candidate.view")
def scaled_model(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return downloads.scaled_model(selectors.scaled_model_get(user=request.user, request_id=request_id))


@page(GET="job.list")
def job_list(request: HttpRequest) -> HttpResponse:
    return render(request, "generation/jobs.html", {
        "jobs": paged(request, selectors.job_list(user=request.user)),
        "counts": selectors.job_counts(user=request.user),
        "checks": selectors.check_jobs(user=request.user)[:MOST_CHECKS],
    })


def _progress(row: GenerationRequest) -> dict:
    before = selectors.queue_position(row) if row.status == RequestStatus.QUEUED else 0
    return {"generation": row, "patient": row.patient, "before": before}


def _shown(request: HttpRequest, candidates: list[CandidateMotion]) -> CandidateMotion | None:
    """The candidate in the address, or the best."""
    wanted = request.GET.get("candidate", "")
    return next((c for c in candidates if str(c.pk) == wanted), candidates[0] if candidates else None)


def _physics(request: HttpRequest, candidate_id: UUID) -> dict:
    """What the part on forces and muscles needs of a candidate."""
    candidate = selectors.candidate_get(user=request.user, candidate_id=candidate_id)
    analysis = selectors.analysis_find(user=request.user, candidate=candidate)
    return {"check": candidate.check_by_opensim, **physics_of(candidate, analysis)}


def _back_to_candidate(request: HttpRequest, row: CandidateCheck) -> HttpResponse:
    if request.user.is_administrator:
        return redirect("job_list")
    return redirect(f"{reverse('generation_detail', args=[row.candidate.request_id])}?candidate={row.pk}")


def _back(request: HttpRequest, row: GenerationRequest) -> HttpResponse:
    return redirect("job_list") if request.user.is_administrator else redirect("generation_detail", row.pk)
