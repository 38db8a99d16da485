"""What is written: assessments and scores, falls, alerts, summaries for the patient, recordings, monthly reports."""
from fall_risk.services.alerts import alert_acknowledge, alert_mail_send, alert_mails_requeue
from fall_risk.services.assessments import (
    assessment_complete,
    assessment_correct,
    assessment_discard,
    assessment_section_save,
    assessment_start,
)
from fall_risk.services.falls import fall_record, fall_report, fall_retract
from fall_risk.services.recordings import (
    profile_compute,
    profile_queue,
    profile_request,
    recording_analyse,
    recording_cancel,
    recording_confirm,
    recording_repeat,
    recording_upload,
)
from fall_risk.services.reports import monthly_report_make, monthly_reports_make
from fall_risk.services.summaries import summary_release, summary_withdraw

__all__ = [
    "alert_acknowledge", "alert_mail_send", "alert_mails_requeue", "assessment_complete", "assessment_correct",
    "assessment_discard", "assessment_section_save", "assessment_start", "fall_record", "fall_report", "fall_retract",
    "monthly_report_make", "monthly_reports_make", "profile_compute", "profile_queue", "profile_request",
    "recording_analyse", "recording_cancel", "recording_confirm", "recording_repeat", "recording_upload",
    "summary_release", "summary_withdraw",
]
