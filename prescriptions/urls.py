"""Addresses of prescriptions, and of what the patient does today."""
from django.urls import path

from prescriptions import share_views, video_views, views

urlpatterns = [
    path("candidates/<uuid:candidate_id>/prescribe/", views.prescribe, name="prescribe"),
    path("prescriptions/<uuid:prescription_id>/", views.prescription_detail, name="prescription_detail"),
    path("prescriptions/<uuid:prescription_id>/edit/", views.prescription_edit, name="prescription_edit"),
    path("prescriptions/<uuid:prescription_id>/sign/", views.prescription_sign, name="prescription_sign"),
    path("prescriptions/<uuid:prescription_id>/withdraw/", views.prescription_withdraw, name="prescription_withdraw"),
    path("prescriptions/<uuid:prescription_id>/hold/", views.prescription_hold, name="prescription_hold"),
    path("prescriptions/<uuid:prescription_id>/release/", views.prescription_release, name="prescription_release"),
    path(
        "prescriptions/<uuid:prescription_id>/new-version/", views.prescription_new_version,
        name="prescription_new_version",
    ),
    path("today/", views.today, name="today"),
    path("today/<uuid:prescription_id>/playback/", views.exercise_playback, name="exercise_playback"),
    # videos and pictures
    path("prescriptions/<uuid:prescription_id>/videos/", video_views.prescription_videos, name="prescription_videos"),
    path(
        "prescriptions/<uuid:prescription_id>/pictures/<str:moment>/", video_views.prescription_picture,
        name="prescription_picture",
    ),
    path("videos/<uuid:video_id>/file/", video_views.video_file, name="video_file"),
    path("videos/<uuid:video_id>/captions/", video_views.video_captions, name="video_captions"),
    path("videos/<uuid:video_id>/poster/", video_views.video_poster, name="video_poster"),
    path("videos/<uuid:video_id>/cancel/", video_views.video_cancel, name="video_cancel"),
    path("videos/<uuid:video_id>/retry/", video_views.video_retry, name="video_retry"),
    path("videos/<uuid:video_id>/send/", video_views.video_send, name="video_send"),
    path("today/<uuid:prescription_id>/video/", video_views.exercise_video, name="exercise_video"),
    path("today/<uuid:prescription_id>/captions/", video_views.exercise_captions, name="exercise_captions"),
    path("today/<uuid:prescription_id>/poster/", video_views.exercise_poster, name="exercise_poster"),
    path("today/<uuid:prescription_id>/pictures/<str:moment>/", video_views.exercise_picture, name="exercise_picture"),
    # motions shown to a named person
    path("candidates/<uuid:candidate_id>/shares/", share_views.candidate_shares, name="candidate_shares"),
    path("shares/<uuid:share_id>/revoke/", share_views.share_revoke, name="share_revoke"),
    path("shared/", share_views.shared_list, name="shared_list"),
    path("shared/<uuid:share_id>/", share_views.shared_detail, name="shared_detail"),
    path("shared/<uuid:share_id>/playback/", share_views.shared_playback, name="shared_playback"),
    path("shared/<uuid:share_id>/video/", share_views.shared_video, name="shared_video"),
]
