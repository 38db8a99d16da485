"""Addresses of generations and candidates."""
from django.urls import path

from generation import views

urlpatterns = [
    path("patients/<uuid:patient_id>/generate/", views.generate, name="generate"),
    path("generations/<uuid:request_id>/", views.generation_detail, name="generation_detail"),
    path("generations/<uuid:request_id>/state/", views.generation_state, name="generation_state"),
    path("generations/<uuid:request_id>/cancel/", views.generation_cancel, name="generation_cancel"),
    path("generations/<uuid:request_id>/retry/", views.generation_retry, name="generation_retry"),
    path("generations/<uuid:request_id>/model.osim", views.scaled_model, name="scaled_model"),
    path("candidates/<uuid:candidate_id>/playback/", views.candidate_playback, name="candidate_playback"),
    path("candidates/<uuid:candidate_id>/motion.mot", views.candidate_motion, name="candidate_motion"),
    path("clinic/jobs/", views.job_list, name="job_list"),
]
