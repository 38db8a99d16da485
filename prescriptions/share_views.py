"""Pages of shared motions: to whom one is shown, and what others show me."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.pages import attempted, page, paged, status_of, submitted
from generation import downloads
from generation.selectors import candidate_get
from prescriptions import forms, media, selectors, shares


@page(GET="share.list", POST="share.create")
def candidate_shares(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    action = "share.create" if request.method == "POST" else "share.list"
    candidate = candidate_get(user=request.user, candidate_id=candidate_id, action=action)
    people = selectors.share_recipients(
        user=request.user, candidate=candidate, signed=selectors.signed_of(candidate)
    )
    form = forms.ShareForm(request.POST or None, people=people)
    if request.method == "POST" and submitted(form, shares.share_create, actor=request.user, candidate=candidate):
        return redirect("candidate_shares", candidate.pk)
    return render(request, "prescriptions/shares.html", {
        "candidate": candidate, "patient": candidate.request.patient, "form": form,
        "shares": selectors.share_list(user=request.user, candidate=candidate),
    }, status=status_of(form))


@page(POST="share.revoke")
def share_revoke(request: HttpRequest, share_id: UUID) -> HttpResponse:
    share = selectors.share_get(user=request.user, share_id=share_id, action="share.revoke")
    attempted(request, shares.share_revoke, f"{share.shared_with.full_name} does not see it any more.",
              actor=request.user, share=share)
    return redirect("candidate_shares", share.candidate_id)


@page(GET="shared.view")
def shared_list(request: HttpRequest) -> HttpResponse:
    rows = paged(request, selectors.shared_list(user=request.user))
    return render(request, "prescriptions/shared_list.html", {"shares": rows})


@page(GET="shared.view")
def shared_detail(request: HttpRequest, share_id: UUID) -> HttpResponse:
    share = selectors.share_get(user=request.user, share_id=share_id, action="shared.view")
    video = selectors.video_ready(prescription=share.prescription) if share.prescription else None
    return render(request, "prescriptions/shared_detail.html", {
        "share": share, "candidate": share.candidate, "video": video,
    })


@page(GET="shared.view")
def shared_playback(request: HttpRequest, share_id: UUID) -> HttpResponse:
    return downloads.playback(request, selectors.shared_playback(user=request.user, share_id=share_id))


@page(GET="shared.view")
def shared_video(request: HttpRequest, share_id: UUID) -> HttpResponse:
    share = selectors.share_get(user=request.user, share_id=share_id, action="shared.view")
    row = share.prescription and selectors.video_ready(prescription=share.prescription, with_files=True)
    return media.video(request, row)
