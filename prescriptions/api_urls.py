"""Addresses of prescriptions and exercises in the API."""
from django.urls import path

from prescriptions import apis

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
]
