"""Addresses of generations and candidates."""
from django.urls import path

from generation import compare_views, own_views, views

urlpatterns = [
    path("patients/<uuid:patient_id>/generate/", views.generate, name="generate"),
    path("generations/<uuid:request_id>/", views.generation_detail, name="generation_detail"),
    path("generations/<uuid:request_id>/state/", views.generation_state, name="generation_state"),
    path("generations/<uuid:request_id>/preview/", views.generation_preview, name="generation_preview"),
    path("generations/<uuid:request_id>/cancel/", views.generation_cancel, name="generation_cancel"),
    path("generations/<uuid:request_id>/retry/", views.generation_retry, name="generation_retry"),
    path("generations/<uuid:request_id>/model.osim", views.scaled_model, name="scaled_model"),
    path("generations/<uuid:request_id>/checks/", views.generation_checks, name="generation_checks"),
    path("candidates/<uuid:candidate_id>/check/", views.candidate_check, name="candidate_check"),
    path("candidates/<uuid:candidate_id>/check/cancel/", views.candidate_check_cancel, name="candidate_check_cancel"),
    path("candidates/<uuid:candidate_id>/check/retry/", views.candidate_check_retry, name="candidate_check_retry"),
    path("candidates/<uuid:candidate_id>/analysis.zip", views.candidate_analysis, name="candidate_analysis"),
    path("candidates/<uuid:candidate_id>/playback/", views.candidate_playback, name="candidate_playback"),
    path("candidates/<uuid:candidate_id>/muscles/", views.candidate_muscles, name="candidate_muscles"),
    path("candidates/<uuid:candidate_id>/motion.mot", views.candidate_motion, name="candidate_motion"),
    path("patients/<uuid:patient_id>/own-model/", own_views.own_model, name="own_model"),
    path("patients/<uuid:patient_id>/own-model/remove/", own_views.own_model_remove, name="own_model_remove"),
    path("patients/<uuid:patient_id>/own-model.osim", own_views.own_model_file, name="own_model_file"),
    path("patients/<uuid:patient_id>/model.osim", own_views.personal_model, name="personal_model"),
    path("patients/<uuid:patient_id>/own-motions/new/", own_views.own_motion_new, name="own_motion_new"),
    path("own-motions/<uuid:motion_id>/", own_views.own_motion, name="own_motion"),
    path("own-motions/<uuid:motion_id>/remove/", own_views.own_motion_remove, name="own_motion_remove"),
    path("own-motions/<uuid:motion_id>/playback/", own_views.own_motion_playback, name="own_motion_playback"),
    path("own-motions/<uuid:motion_id>/file/", own_views.own_motion_file, name="own_motion_file"),
    path("patients/<uuid:patient_id>/compare/", compare_views.compare, name="compare"),
    path("clinic/jobs/", views.job_list, name="job_list"),
]
