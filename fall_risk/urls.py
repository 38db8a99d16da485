"""Addresses of the pages of fall risk."""
from django.urls import path

from fall_risk.views import alerts, assessments, files, report

_patient = "patients/<uuid:patient_id>/fall-risk/"
_assessment = "fall-assessments/<uuid:assessment_id>/"
_report = "clinic/fall-risk/"
urlpatterns = [
    path("fall-risk/", assessments.worklist, name="fall_risk_worklist"),
    path(_patient, assessments.patient_overview, name="fall_risk"),
    path(f"{_patient}start/", assessments.start, name="fall_assessment_start"),
    path(f"{_patient}report.pdf", files.patient_as_pdf, name="fall_risk_pdf"),
    path(f"{_patient}fhir.json", files.patient_as_fhir, name="fall_risk_fhir"),
    path(f"{_patient}falls/new/", alerts.fall_new, name="fall_new"),
    path("falls/<uuid:fall_id>/retract/", alerts.fall_retract, name="fall_retract"),
    path(_assessment, assessments.assessment, name="fall_assessment"),
    path(f"{_assessment}sections/<str:name>/", assessments.section_save, name="fall_section_save"),
    path(f"{_assessment}complete/", assessments.complete, name="fall_assessment_complete"),
    path(f"{_assessment}discard/", assessments.discard, name="fall_assessment_discard"),
    path(f"{_assessment}correct/", assessments.correct, name="fall_assessment_correct"),
    path(f"{_assessment}summary/", assessments.release, name="fall_summary_release"),
    path(f"{_assessment}recordings/", assessments.upload, name="fall_recording_upload"),
    path("fall-summaries/<uuid:summary_id>/take-back/", assessments.take_back, name="fall_summary_take_back"),
    path("fall-recordings/<uuid:recording_id>/", assessments.recording, name="fall_recording"),
    path("fall-recordings/<uuid:recording_id>/file/", assessments.recording_file, name="fall_recording_file"),
    path("fall-recordings/<uuid:recording_id>/cancel/", assessments.recording_cancel, name="fall_recording_cancel"),
    path("fall-recordings/<uuid:recording_id>/repeat/", assessments.recording_repeat, name="fall_recording_repeat"),
    path("candidates/<uuid:candidate_id>/movement-profile/", assessments.movement_profile, name="movement_profile"),
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/bar/", alerts.alert_bar, name="alert_bar"),
    path("alerts/<uuid:alert_id>/", alerts.alert, name="alert"),
    path("today/fall/", alerts.own_fall, name="own_fall"),
    path("today/fall/done/", alerts.own_fall_done, name="own_fall_done"),
    path("today/fall-risk/", alerts.own_summary, name="own_summary"),
    path(_report, report.report, name="fall_report"),
    path(f"{_report}report.csv", report.report_as_csv, name="fall_report_csv"),
    path(f"{_report}report.pdf", report.report_as_pdf, name="fall_report_pdf"),
    path(f"{_report}due/", report.due, name="fall_report_due"),
    path(f"{_report}months/<uuid:report_id>/", report.monthly, name="monthly_report"),
    path(f"{_report}months/<uuid:report_id>/report.csv", report.monthly_as_csv, name="monthly_report_csv"),
    path(f"{_report}months/<uuid:report_id>/report.pdf", report.monthly_as_pdf, name="monthly_report_pdf"),
]
