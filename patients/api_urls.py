"""Addresses of the record in the API."""
from django.urls import path

from patients import apis

_patient = "patients/<uuid:patient_id>/"
urlpatterns = [
    path("patients/", apis.PatientListAPI.as_view(), name="patient_list"),
    path(_patient, apis.PatientAPI.as_view(), name="patient"),
    path(f"{_patient}body-measurements/", apis.BodyListAPI.as_view(), name="body_list"),
    path(f"{_patient}range-of-motion/", apis.RangeOfMotionListAPI.as_view(), name="range_of_motion_list"),
    path(f"{_patient}strength/", apis.StrengthListAPI.as_view(), name="strength_list"),
    path(f"{_patient}segment-lengths/", apis.SegmentLengthListAPI.as_view(), name="segment_length_list"),
    path(f"{_patient}conditions/", apis.ConditionListAPI.as_view(), name="condition_list"),
    path(f"{_patient}limits/", apis.LimitListAPI.as_view(), name="limit_list"),
    path(f"{_patient}tempo/", apis.TempoAPI.as_view(), name="tempo"),
    path(f"{_patient}execution/", apis.ExecutionAPI.as_view(), name="execution"),
    path("conditions/<uuid:condition_id>/", apis.ConditionAPI.as_view(), name="condition"),
    path("conditions/<uuid:condition_id>/resolve/", apis.ConditionResolveAPI.as_view(), name="condition_resolve"),
    path("limits/<uuid:limit_id>/", apis.LimitAPI.as_view(), name="limit"),
    path("limits/<uuid:limit_id>/remove/", apis.LimitRemoveAPI.as_view(), name="limit_remove"),
    path("catalogue/conditions/", apis.ConditionKindsAPI.as_view(), name="condition_kinds"),
    path("catalogue/variables/", apis.VariablesAPI.as_view(), name="variables"),
    path("catalogue/presets/<str:name>/", apis.PresetAPI.as_view(), name="preset"),
]
