"""Addresses of prescriptions and exercises in the API."""
from django.urls import path

from prescriptions import apis, video_apis

_prescription = "prescriptions/<uuid:prescription_id>/"
urlpatterns = [
    path("patients/<uuid:patient_id>/prescriptions/", apis.PrescriptionListAPI.as_view(), name="prescription_list"),
    path(_prescription, apis.PrescriptionAPI.as_view(), name="prescription"),
    path(f"{_prescription}sign/", apis.PrescriptionSignAPI.as_view(), name="prescription_sign"),
    path(f"{_prescription}withdraw/", apis.PrescriptionWithdrawAPI.as_view(), name="prescription_withdraw"),
    path(f"{_prescription}hold/", apis.PrescriptionHoldAPI.as_view(), name="prescription_hold"),
    path(f"{_prescription}release/", apis.PrescriptionReleaseAPI.as_view(), name="prescription_release"),
    path(f"{_prescription}new-version/", apis.PrescriptionVersionAPI.as_view(), name="prescription_new_version"),
    path("exercises/", apis.ExerciseListAPI.as_view(), name="exercise_list"),
    path("exercises/held/", apis.ExerciseHeldAPI.as_view(), name="exercise_held"),
    path("exercises/<uuid:prescription_id>/playback/", apis.ExercisePlaybackAPI.as_view(), name="exercise_playback"),
    path(f"{_prescription}videos/", video_apis.VideoListAPI.as_view(), name="video_list"),
    path("videos/<uuid:video_id>/", video_apis.VideoAPI.as_view(), name="video"),
    path("videos/<uuid:video_id>/cancel/", video_apis.VideoCancelAPI.as_view(), name="video_cancel"),
    path("videos/<uuid:video_id>/retry/", video_apis.VideoRetryAPI.as_view(), name="video_retry"),
    path("videos/<uuid:video_id>/file/", video_apis.VideoFileAPI.as_view(), name="video_file"),
    path("exercises/<uuid:prescription_id>/video/", video_apis.ExerciseVideoAPI.as_view(), name="exercise_video"),
    path("candidates/<uuid:candidate_id>/shares/", video_apis.ShareListAPI.as_view(), name="share_list"),
    path("shares/<uuid:share_id>/revoke/", video_apis.ShareRevokeAPI.as_view(), name="share_revoke"),
    path("shared/", video_apis.SharedListAPI.as_view(), name="shared_list"),
    path("shared/<uuid:share_id>/playback/", video_apis.SharedPlaybackAPI.as_view(), name="shared_playback"),
]
