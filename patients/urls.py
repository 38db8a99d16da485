"""Addresses of the record."""
from django.urls import path

from patients import views

urlpatterns = [
    path("patients/", views.patient_list, name="patient_list"),
    path("patients/new/", views.patient_new, name="patient_new"),
    path("patients/<uuid:patient_id>/", views.patient_detail, name="patient_detail"),
    path("patients/<uuid:patient_id>/edit/", views.patient_edit, name="patient_edit"),
    path("patients/<uuid:patient_id>/care-team/", views.care_team, name="care_team"),
    path("patients/<uuid:patient_id>/account/", views.account, name="patient_account"),
    path("patients/<uuid:patient_id>/body/", views.body, name="body"),
    path("patients/<uuid:patient_id>/range-of-motion/", views.range_of_motion, name="range_of_motion"),
    path("patients/<uuid:patient_id>/strength/", views.strength, name="strength"),
    path("patients/<uuid:patient_id>/segment-length/", views.segment_length, name="segment_length"),
    path("patients/<uuid:patient_id>/tempo/", views.tempo, name="tempo"),
    path("patients/<uuid:patient_id>/execution/", views.execution, name="execution"),
    path("patients/<uuid:patient_id>/tempo/clear/", views.tempo_clear, name="tempo_clear"),
    path("patients/<uuid:patient_id>/conditions/new/", views.condition_new, name="condition_new"),
    path("patients/<uuid:patient_id>/limits/new/", views.limit_new, name="limit_new"),
    path("conditions/<uuid:condition_id>/", views.condition_edit, name="condition_edit"),
    path("conditions/<uuid:condition_id>/resolve/", views.condition_resolve, name="condition_resolve"),
    path("limits/<uuid:limit_id>/", views.limit_edit, name="limit_edit"),
    path("limits/<uuid:limit_id>/remove/", views.limit_remove, name="limit_remove"),
    path("clinic/patients/", views.directory, name="directory"),
]
