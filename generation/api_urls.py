"""Addresses of generations and candidates in the API."""
from django.urls import path

from generation import apis, own_apis

_request = "generation-requests/<uuid:request_id>/"
urlpatterns = [
    path("patients/<uuid:patient_id>/generation-requests/", apis.GenerationListAPI.as_view(), name="generation_list"),
    path(_request, apis.GenerationAPI.as_view(), name="generation"),
    path(f"{_request}preview/", apis.GenerationPreviewAPI.as_view(), name="generation_preview"),
    path(f"{_request}cancel/", apis.GenerationCancelAPI.as_view(), name="generation_cancel"),
    path(f"{_request}retry/", apis.GenerationRetryAPI.as_view(), name="generation_retry"),
    path(f"{_request}candidates/", apis.CandidateListAPI.as_view(), name="candidate_list"),
    path(f"{_request}model.osim", apis.ScaledModelAPI.as_view(), name="scaled_model"),
    path("candidates/<uuid:candidate_id>/", apis.CandidateAPI.as_view(), name="candidate"),
    path("candidates/<uuid:candidate_id>/motion.mot", apis.CandidateMotionAPI.as_view(), name="candidate_motion"),
    path("candidates/<uuid:candidate_id>/playback/", apis.CandidatePlaybackAPI.as_view(), name="candidate_playback"),
    path("candidates/<uuid:candidate_id>/muscles/", apis.CandidateMusclesAPI.as_view(), name="candidate_muscles"),
    path("candidates/<uuid:candidate_id>/check/", apis.CandidateCheckAPI.as_view(), name="candidate_check"),
    path("candidates/<uuid:candidate_id>/check/cancel/", apis.CandidateCheckCancelAPI.as_view(),
         name="candidate_check_cancel"),
    path("candidates/<uuid:candidate_id>/check/retry/", apis.CandidateCheckRetryAPI.as_view(),
         name="candidate_check_retry"),
    path("candidates/<uuid:candidate_id>/analysis.zip", apis.CandidateAnalysisAPI.as_view(),
         name="candidate_analysis"),
    path("patients/<uuid:patient_id>/own-model/", own_apis.OwnModelAPI.as_view(), name="own_model"),
    path("patients/<uuid:patient_id>/own-model.osim", own_apis.OwnModelFileAPI.as_view(), name="own_model_file"),
    path("patients/<uuid:patient_id>/model.osim", own_apis.PersonalModelAPI.as_view(), name="personal_model"),
    path("patients/<uuid:patient_id>/own-motions/", own_apis.OwnMotionListAPI.as_view(), name="own_motion_list"),
    path("own-motions/<uuid:motion_id>/", own_apis.OwnMotionAPI.as_view(), name="own_motion"),
    path("own-motions/<uuid:motion_id>/playback/", own_apis.OwnMotionPlaybackAPI.as_view(),
         name="own_motion_playback"),
    path("jobs/", apis.JobListAPI.as_view(), name="job_list"),
]
