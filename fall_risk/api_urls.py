"""Addresses of fall risk in the API."""
from django.urls import path

from fall_risk.apis import alerts, assessments, report

_patient = "patients/<uuid:patient_id>/"
_assessment = "fall-assessments/<uuid:assessment_id>/"
_recording = "fall-recordings/<uuid:recording_id>/"
urlpatterns = [
    path("catalogue/fall-risk-instruments/", assessments.InstrumentListAPI.as_view(), name="fall_instruments"),
    path(f"{_patient}fall-risk/", assessments.RiskAPI.as_view(), name="fall_risk"),
    path(f"{_patient}fall-risk/fhir/", assessments.RiskFhirAPI.as_view(), name="fall_risk_fhir"),
    path(f"{_patient}fall-assessments/", assessments.AssessmentListAPI.as_view(), name="fall_assessment_list"),
    path(f"{_patient}falls/", alerts.FallListAPI.as_view(), name="fall_list"),
    path(_assessment, assessments.AssessmentAPI.as_view(), name="fall_assessment"),
    path(f"{_assessment}sections/<str:name>/", assessments.SectionAPI.as_view(), name="fall_section"),
    path(f"{_assessment}complete/", assessments.CompleteAPI.as_view(), name="fall_assessment_complete"),
    path(f"{_assessment}correct/", assessments.CorrectAPI.as_view(), name="fall_assessment_correct"),
    path(f"{_assessment}scores/", assessments.ScoreListAPI.as_view(), name="fall_score_list"),
    path(f"{_assessment}summaries/", assessments.SummaryListAPI.as_view(), name="fall_summary_list"),
    path(f"{_assessment}recordings/", assessments.RecordingListAPI.as_view(), name="fall_recording_list"),
    path(_recording, assessments.RecordingAPI.as_view(), name="fall_recording"),
    path(f"{_recording}confirm/", assessments.RecordingConfirmAPI.as_view(), name="fall_recording_confirm"),
    path(f"{_recording}cancel/", assessments.RecordingCancelAPI.as_view(), name="fall_recording_cancel"),
    path(f"{_recording}repeat/", assessments.RecordingRepeatAPI.as_view(), name="fall_recording_repeat"),
    path("fall-summaries/<uuid:summary_id>/take-back/", assessments.SummaryTakeBackAPI.as_view(),
         name="fall_summary_take_back"),
    path("falls/<uuid:fall_id>/retract/", alerts.FallRetractAPI.as_view(), name="fall_retract"),
    path("own-falls/", alerts.OwnFallListAPI.as_view(), name="own_fall_list"),
    path("own-fall-summaries/", assessments.OwnSummaryListAPI.as_view(), name="own_fall_summary_list"),
    path("alerts/", alerts.AlertListAPI.as_view(), name="alert_list"),
    path("alerts/<uuid:alert_id>/acknowledge/", alerts.AlertAcknowledgeAPI.as_view(), name="alert_acknowledge"),
    path("fall-report/", report.ReportAPI.as_view(), name="fall_report"),
    path("fall-report/due/", report.DueListAPI.as_view(), name="fall_report_due"),
    path("fall-report/months/", report.MonthlyReportListAPI.as_view(), name="monthly_report_list"),
    path("fall-report/months/<uuid:report_id>/", report.MonthlyReportAPI.as_view(), name="monthly_report"),
]
