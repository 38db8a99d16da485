"""Files as HTTP answers. The caller has asked the permission table."""
from __future__ import annotations

import gzip

from django.http import HttpRequest, HttpResponse

from generation.models import CandidateAnalysis, CandidateMotion, GenerationPreview, OwnMotion
from patients.models import OwnModel


def motion(candidate: CandidateMotion) -> HttpResponse:
    return _file(bytes(candidate.mot_file), candidate.file_name)


def scaled_model(osim: bytes) -> HttpResponse:
    return _file(osim, "genuflex_scaled.osim")


def own_model(model: OwnModel) -> HttpResponse:
    """As it was sent."""
    return _file(gzip.decompress(model.osim_gzip), f"own-model-{model.pk}.osim")


def osim(content: bytes, name: str) -> HttpResponse:
    return _file(content, name)


def own_motion_playback(request: HttpRequest, motion: OwnMotion) -> HttpResponse:
    return _compressed(request, bytes(motion.playback_gzip))


def own_motion_file(motion: OwnMotion) -> HttpResponse:
    """As it was sent."""
    return _file(bytes(motion.file), f"recording-{motion.pk}{motion.file_name[-4:].lower()}")


def analysis_tables(analysis: CandidateAnalysis) -> HttpResponse:
    return _file(bytes(analysis.tables_zip), "opensim_analysis.zip")


def playback(request: HttpRequest, candidate: CandidateMotion) -> HttpResponse:
    """The playback document."""
    return _compressed(request, bytes(candidate.playback_gzip))


def preview(request: HttpRequest, shown: GenerationPreview | None) -> HttpResponse:
    """The playback document of the best motion so far, and its number: in a moment it is another one. 204: none."""
    if shown is None:
        return HttpResponse(status=204, headers={"Cache-Control": "private, no-store"})
    response = _compressed(request, bytes(shown.playback_gzip))
    response["Cache-Control"] = "private, no-store"
    response["Preview-Number"] = str(shown.number)
    return response


def muscles(request: HttpRequest, document_gzip: bytes) -> HttpResponse:
    """The muscle document."""
    return _compressed(request, document_gzip)


def _compressed(request: HttpRequest, body: bytes) -> HttpResponse:
    """Stored compressed and sent so, unless the client cannot."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(body, content_type="application/json", headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(gzip.decompress(body), content_type="application/json")
    response["Vary"] = "Accept-Encoding, Cookie"
    response["Cache-Control"] = "private, no-cache"      # every showing asks for permission again
    return response


def _file(body: bytes, name: str) -> HttpResponse:
    return HttpResponse(body, content_type="application/octet-stream", headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store",
    })
