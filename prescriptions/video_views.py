"""Pages and files of videos: the clinician's, the patient's own, and the pictures that come with them."""
from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.pages import attempted, page, submitted
from prescriptions import forms, media, selectors, videos
from prescriptions.models import MotionVideo, Prescription


def videos_of(request: HttpRequest, prescription: Prescription, form=None) -> dict:
    """What the part of the prescription's page about videos shows."""
    rows = list(selectors.video_list(user=request.user, prescription=prescription))
    return {
        "videos": rows, "videos_open": any(row.is_open for row in rows),
        "video": next((row for row in rows if row.is_ready), None),
        "video_form": form or forms.VideoForm(prescription=prescription, auto_id="video_%s"),
        "pictures": selectors.picture_list(user=request.user, candidate=prescription.candidate),
    }


@page(GET="video.view", POST="video.create")
def prescription_videos(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """GET is the part of the page that renews itself while a video is made."""
    action = "video.create" if request.method == "POST" else "video.view"
    row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action=action)
    form = forms.VideoForm(request.POST if request.method == "POST" else None, prescription=row, auto_id="video_%s")
    if request.method == "POST" and submitted(form, videos.video_request, actor=request.user, prescription=row):
        return redirect(f"/prescriptions/{row.pk}/#videos")
    context = {"prescription": row, "patient": row.patient, **videos_of(request, row, form)}
    if request.method == "POST":
        return render(request, "prescriptions/videos.html", context, status=422)
    return render(request, "prescriptions/_videos.html", context)


@page(POST="video.cancel")
def video_cancel(request: HttpRequest, video_id: UUID) -> HttpResponse:
    row = _get(request, video_id, "video.cancel")
    attempted(request, videos.video_cancel, "The video is not made.", actor=request.user, video=row)
    return _back(request, row)


@page(POST="video.cancel")
def video_retry(request: HttpRequest, video_id: UUID) -> HttpResponse:
    row = _get(request, video_id, "video.cancel")
    attempted(request, videos.video_retry, "The video is made again.", actor=request.user, video=row)
    return _back(request, row)


@page(POST="video.create")
def video_send(request: HttpRequest, video_id: UUID) -> HttpResponse:
    row = _get(request, video_id, "video.create")
    attempted(request, videos.video_send, "The patient was told by e-mail that there is a video.",
              actor=request.user, video=row)
    return _back(request, row)


@page(GET="video.view")
def video_file(request: HttpRequest, video_id: UUID) -> HttpResponse:
    return media.video(request, selectors.video_get(user=request.user, video_id=video_id, with_files=True))


@page(GET="video.view")
def video_captions(request: HttpRequest, video_id: UUID) -> HttpResponse:
    return media.captions(selectors.video_get(user=request.user, video_id=video_id, with_files=True))


@page(GET="video.view")
def video_poster(request: HttpRequest, video_id: UUID) -> HttpResponse:
    return media.poster(selectors.video_get(user=request.user, video_id=video_id, with_files=True))


@page(GET="video.view")
def prescription_picture(request: HttpRequest, prescription_id: UUID, moment: str) -> HttpResponse:
    row = selectors.prescription_get(user=request.user, prescription_id=prescription_id, action="video.view")
    return media.picture(selectors.picture_get(candidate=row.candidate, moment=moment))


@page(GET="exercise.view")
def exercise_video(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    """The patient's own: signed, not on hold, not run out."""
    return media.video(request, _own(request, prescription_id))


@page(GET="exercise.view")
def exercise_captions(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    return media.captions(_own(request, prescription_id))


@page(GET="exercise.view")
def exercise_poster(request: HttpRequest, prescription_id: UUID) -> HttpResponse:
    return media.poster(_own(request, prescription_id))


@page(GET="exercise.view")
def exercise_picture(request: HttpRequest, prescription_id: UUID, moment: str) -> HttpResponse:
    row = selectors.exercise_get(user=request.user, prescription_id=prescription_id)
    return media.picture(selectors.picture_get(candidate=row.candidate, moment=moment))


def _own(request: HttpRequest, prescription_id: UUID) -> MotionVideo | None:
    row = selectors.exercise_get(user=request.user, prescription_id=prescription_id)
    return selectors.video_ready(prescription=row, with_files=True)


def _get(request: HttpRequest, video_id: UUID, action: str) -> MotionVideo:
    return selectors.video_get(user=request.user, video_id=video_id, action=action)


def _back(request: HttpRequest, row: MotionVideo) -> HttpResponse:
    if request.user.is_administrator:
        return redirect("job_list")
    return redirect(f"/prescriptions/{row.prescription_id}/#videos")
