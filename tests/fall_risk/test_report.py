"""The clinic's report: counted right, small groups hidden, drill-down by name without findings, files, the schedule."""
from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from clinic.models import Clinic
from fall_risk import services
from fall_risk.facts import BAND_NAMES
from fall_risk.models import Assessment, FallEvent, MonthlyReport
from fall_risk.reporting.counts import Filters, count
from fall_risk.reporting.csv_file import report_csv, safe
from fall_risk.reporting.document import last_twelve_months, report_document
from fall_risk.reporting.groups import group_text, parse_group
from patients import services as record
from patients.models import Patient
from tests.world import Side, World, assessed, fallen, make_patient

ADDRESSES = ("/clinic/fall-risk/", "/clinic/fall-risk/report.csv", "/clinic/fall-risk/report.pdf",
             "/clinic/fall-risk/due/", "/api/v1/fall-report/", "/api/v1/fall-report/due/")


def year() -> Filters:
    return last_twelve_months()


@pytest.fixture
def busy(side: Side) -> Side:
    """Beside the one high patient of the side: six of low risk, one of them twice, and one never assessed."""
    for number in range(6):
        patient = make_patient(side.clinician, f"Low{number}")
        assessed(side.clinician, patient, falls_12m=0, kq_fallen=False)
        if number == 0:
            assessed(side.clinician, patient, falls_12m=2, fall_injury=True)
            fallen(side.clinician, patient, injury="serious")
    make_patient(side.clinician, "Never")
    return side


def test_the_counts(busy: Side):
    found = count(busy.clinic, year())
    assert (found.people, found.assessed, found.never, found.up_to_date, found.overdue) == (8, 7, 1, 7, 0)
    assert {category: n for (_, category), n in found.age.items()} == {"low": 5, "high": 2}
    assert found.transition == {("first", "low"): 5, ("first", "high"): 1, ("low", "high"): 1}
    assert found.clinician == {busy.clinician.full_name: 7}
    assert found.condition == {("ACLR_isolated", "high"): 1} and found.fallers == 2
    assert found.falls_by_injury == {"minor": 1, "serious": 1} and sum(found.falls_by_month.values()) == 2
    later = Filters(timezone.localdate() + timedelta(days=500), timezone.localdate() + timedelta(days=600))
    assert (count(busy.clinic, later).overdue, count(busy.clinic, later).assessed) == (7, 0)


def test_retracted_falls_and_corrected_assessments_do_not_count(busy: Side):
    services.fall_retract(actor=busy.clinician, fall=busy.record.fall, reason="Another patient.")
    row = busy.record.assessment
    services.assessment_correct(actor=busy.clinician, assessment=row, reason="Wrong.")
    found = count(busy.clinic, year())
    assert found.fallers == 1 and found.assessed == 7       # until the correction is complete, the old one counts


def test_filters(busy: Side):
    today = timezone.localdate()
    assert count(busy.clinic, Filters(today, today, clinician=busy.outsider.pk)).people == 0
    assert count(busy.clinic, Filters(today, today, condition="ACLR_isolated")).people == 1
    bands = [count(busy.clinic, Filters(today, today, age_band=band)).people for band in BAND_NAMES]
    assert bands == [8, 0, 0, 0]
    Patient.objects.filter(given_name="Never").update(birth_date=today.replace(year=today.year - 75))
    assert [count(busy.clinic, Filters(today, today, age_band=band)).people for band in BAND_NAMES] == [7, 0, 1, 0]


def test_small_groups_are_hidden_everywhere(busy: Side):
    document = report_document(clinic=busy.clinic, filters=year())
    tables = {table["key"]: table for table in document["tables"]}
    category = {row["label"]: row["cells"][0] for row in tables["category"]["rows"]}
    assert category["High"] is None and list(category.values()).count(None) > 1     # alone it would be 7 - 5
    for table in document["tables"]:
        for row in table["rows"]:
            if table["key"] != "month":
                assert not any(cell is not None and 0 < cell < 5 for cell in row["cells"]), (table["key"], row)
    assert tables["on_hold"]["rows"][0]["cells"] == [0]
    for text in (json.dumps(document), report_csv(document)):
        assert "Hofmann" not in text and "Nora" not in text


def test_filters_that_tell_people_apart_are_refused(busy: Side):
    one = Filters(year().start, year().end, condition="ACLR_isolated")
    document = report_document(clinic=busy.clinic, filters=one)
    assert "fewer than 5" in document["refused"] and not document["tables"] and not document["standing"]
    Patient.objects.filter(given_name="Never").update(birth_date=date(1950, 1, 1))
    rest = report_document(clinic=busy.clinic, filters=Filters(year().start, year().end, age_band="under 65"))
    assert "leave out fewer than 5" in rest["refused"]


@pytest.fixture
def crowd(side: Side) -> Side:
    """36 people more, twelve of each category, one of the high ones older; half of them assessed by a colleague."""
    today = timezone.localdate()
    rows, people = [], []
    for number in range(36):
        old = number == 2
        people.append(Patient(clinic=side.clinic, given_name=f"P{number}", family_name="Crowd", sex="female",
                              birth_date=today.replace(year=today.year - (80 if old else 40), day=1)))
        rows.append(Assessment(
            patient=people[-1], status="complete", category=("low", "intermediate", "high")[number % 3],
            started_by=side.clinician, completed_by=side.outsider if number < 18 else side.clinician,
            completed_at=timezone.now(), facts={"age_years": 40}, age_band="75-84" if old else "under 65",
            next_due_on=today + timedelta(days=90), conditions=["knee_OA"] if number < 24 else [],
        ))
    Patient.objects.bulk_create(people)
    Assessment.objects.bulk_create(rows)
    return side


def cells(document: dict, table: str) -> dict[str, list]:
    return {row["label"]: row["cells"] for found in document["tables"] if found["key"] == table
            for row in found["rows"]}


def closer(side: Side, text: str) -> dict:
    return report_document(clinic=side.clinic, filters=replace(year(), group=parse_group(text)))


def test_a_count_opens_the_counts_of_its_people(crowd: Side):
    whole = report_document(clinic=crowd.clinic, filters=year())
    assert not whole["rounded"] and cells(whole, "category")["High"] == [13]
    (row,) = [row for found in whole["tables"] if found["key"] == "category" for row in found["rows"]
              if row["label"] == "High"]
    found = closer(crowd, row["groups"][0])
    assert found["filters"] == ["Category High"] and found["rounded"] and "rounded" in found["rule"]
    assert cells(found, "category") == {"Low": [0], "Intermediate": [0], "High": [15], "Not determined": [0],
                                        "All": [15]}
    assert cells(found, "clinician")[crowd.outsider.full_name] == [5]          # 6 of them
    assert not any(cell is not None and cell % 5 for table in found["tables"] for line in table["rows"]
                   for cell in line["cells"])
    browser = Client()
    browser.force_login(crowd.administrator)
    page = browser.get("/clinic/fall-risk/").content.decode()
    assert 'href="?group=category/high"' in page.replace("%2F", "/")
    shown = browser.get("/clinic/fall-risk/?group=category/high").content.decode()
    assert "Counts of these people only" in shown and "look closer" not in shown and "Crowd" not in shown
    assert browser.get("/api/v1/fall-report/?group=category/high").json()["tables"] == found["tables"]
    assert "Category High" in browser.get("/clinic/fall-risk/report.csv?group=category/high").content.decode()


@pytest.mark.parametrize(("group", "people"), [
    ("assessed", 37), ("age/under 65/all", 36), ("age/under 65/low", 12), ("condition/knee_OA/all", 24),
    ("condition/knee_OA/intermediate", 8), ("transition/first/high", 13), ("clinician/Outsider North", 18),
])
def test_a_group_has_the_people_whom_its_cell_counts(crowd: Side, group: str, people: int):
    chosen = replace(year(), group=parse_group(group))
    found = count(crowd.clinic, chosen)
    assert found.people == found.assessed == people
    assert group_text(chosen.group.cell) == group


def test_groups_of_falls_holds_and_months(crowd: Side):
    month = f"{timezone.localdate():%Y-%m}"
    for patient in Patient.objects.filter(family_name="Crowd")[:6]:
        FallEvent.objects.create(patient=patient, occurred_on=timezone.localdate(), injury="care", by_patient=False,
                                 reported_by=crowd.clinician, submission=uuid4())
    people = {text: count(crowd.clinic, replace(year(), group=parse_group(text))).people for text in (
        "fallers", "falls/care", "falls/minor", f"month falls/{month}", f"assessments/{month}", "on_hold")}
    assert people == {"fallers": 7, "falls/care": 6, "falls/minor": 1, f"month falls/{month}": 7,
                      f"assessments/{month}": 37, "on_hold": 0}


def test_what_is_hidden_stays_hidden_closer_and_filtered(crowd: Side):
    """One old person of high risk: neither the group, nor a group or a filter beside it, tells of it."""
    whole = report_document(clinic=crowd.clinic, filters=year())
    ages = cells(whole, "age")
    assert ages["75-84"][2] is None and ages["under 65"].count(None) > 0
    for text in ("age/75-84/high", "age/75-84/all", "falls/care", "on_hold"):
        found = closer(crowd, text)
        assert "fewer than 5" in found["refused"] and not found["tables"] and not found["standing"], text
    hidden = [name for name, value in zip(("low", "intermediate", "high"), ages["under 65"], strict=False)
              if value is None]
    for category in hidden:
        assert closer(crowd, f"age/under 65/{category}")["refused"]
    young = cells(closer(crowd, "age/under 65/all"), "category") if ages["under 65"][-1] is not None else {}
    for category in hidden:
        assert young.get(category.capitalize(), [None]) == [None]
    assert cells(closer(crowd, "category/high"), "age")["75-84"][-1] is None


def test_only_the_whole_report_of_twelve_months_is_exact(crowd: Side):
    today = timezone.localdate()
    for filters in (Filters(today.replace(day=1), today), replace(year(), condition="knee_OA"),
                    replace(year(), clinician=crowd.clinician.pk), replace(year(), age_band="under 65")):
        document = report_document(clinic=crowd.clinic, filters=filters)
        assert document["rounded"], filters
        assert not any(cell % 5 for table in document["tables"] for row in table["rows"] for cell in row["cells"]
                       if cell is not None)


@pytest.mark.parametrize("text", [
    "x", "category/x", "age/75-84/x", "age/9/high", "falls/x", "clinician/", "month falls/2026-13",
    "on_hold/x", "transition/low/high/high", "condition/\0/high",
])
def test_a_group_that_the_report_does_not_have_is_refused(side: Side, text: str):
    with pytest.raises(ValueError, match="no such group"):
        parse_group(text)
    browser = Client()
    browser.force_login(side.administrator)
    assert browser.get("/clinic/fall-risk/", {"group": text}).status_code == 200
    assert browser.get("/api/v1/fall-report/", {"group": text}).status_code == 400


def test_who_is_due_by_name_of_one_kind_and_one_care_team(busy: Side):
    browser = Client()
    browser.force_login(busy.administrator)
    pages = {query: browser.get(f"/clinic/fall-risk/due/?{query}").content.decode() for query in (
        "only=never", "only=overdue", f"clinician={busy.clinician.pk}", f"clinician={busy.outsider.pk}")}
    assert ["Hofmann, Never" in page for page in pages.values()] == [True, False, True, False]
    listed = browser.get(f"/api/v1/fall-report/due/?only=never&clinician={busy.clinician.pk}").json()["results"]
    assert [row["given_name"] for row in listed] == ["Never"]
    assert browser.get("/api/v1/fall-report/due/?only=some").status_code == 400


def test_an_administrator_sees_the_own_clinic_only_and_no_findings(world: World):
    browser = Client()
    browser.force_login(world.own.administrator)
    make_patient(world.own.clinician, "Overdue")
    for address in ADDRESSES:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode(errors="replace")
        assert world.foreign.clinician.full_name not in text
        assert ("Hofmann" in text) == ("due" in address), address
    due = browser.get("/clinic/fall-risk/due/").content.decode()
    assert "Overdue" in due and "Never assessed" in due and "Intermediate" not in due
    assert browser.get(f"/patients/{world.own.record.patient.pk}/fall-risk/").status_code == 403


@pytest.mark.parametrize("query", [
    "start=2026-13", "start=abc", "end=0000-00", "clinician=1", "clinician=%00", "age_band=x", "condition=%00",
    "start=9999-12&end=0001-01", "page=%00",
])
def test_strange_filters_are_answered(side: Side, query: str):
    browser = Client()
    browser.force_login(side.administrator)
    for address in ADDRESSES:       # the files are asked for by the same form as the page
        if not address.endswith(("csv", "pdf")):
            assert browser.get(f"{address}?{query}").status_code in (200, 400, 404), address


def test_csv_that_no_spreadsheet_computes(busy: Side):
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "\u00a0=1"):
        assert safe(text) == f"'{text}"
    assert safe("Low") == "Low" and safe(-3) == -3 and safe("") == ""
    busy.clinician.full_name = '=HYPERLINK("http://x")'
    busy.clinician.save()
    text = report_csv(report_document(clinic=busy.clinic, filters=year()))
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert ["'=HYPERLINK(\"http://x\")", "7"] in rows and ["High", "hidden"] in rows


def test_live_counts_are_hinted_to_administrators(busy: Side, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr("fall_risk.push._send", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        fallen(busy.clinician, busy.record.patient)
    assert f"fall-report.{busy.clinic.pk}" in sent and f"fall-alerts.{busy.clinician.pk}" in sent


def test_the_monthly_report_is_made_once_kept_and_mailed_once(busy: Side):
    today = date(2026, 11, 3)
    Clinic.objects.update(created_at="2026-11-02T12:00Z")
    assert services.monthly_reports_make(today=today) == []         # it was not there in October
    Clinic.objects.update(created_at="2026-10-31T12:00Z")
    first = services.monthly_reports_make(today=today)
    assert [report.month for report in first] == [date(2026, 10, 1)] and len(mail.outbox) == 1
    message = mail.outbox[0]
    assert message.to == [busy.administrator.email] and f"/clinic/fall-risk/months/{first[0].pk}/" in message.body
    again = services.monthly_reports_make(today=today)
    assert again == first and len(mail.outbox) == 1
    browser = Client()
    browser.force_login(busy.administrator)
    address = f"/clinic/fall-risk/months/{first[0].pk}/"
    assert "October 2026" in browser.get(address).content.decode()
    assert browser.get(f"{address}report.pdf").content.startswith(b"%PDF")


def test_a_monthly_report_whose_mail_failed_is_mailed_later(busy: Side, monkeypatch):
    def refuse(self):
        raise OSError("away")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    Clinic.objects.update(created_at="2026-01-01T12:00Z")
    with pytest.raises(OSError):
        services.monthly_reports_make(today=date(2026, 11, 3))
    assert MonthlyReport.objects.get(month=date(2026, 10, 1)).mailed_at is None
    monkeypatch.undo()
    services.monthly_reports_make(today=date(2026, 11, 4))
    assert len(mail.outbox) == 1


def test_two_clinicians_of_one_name_are_one_row(busy: Side):
    busy.outsider.full_name = busy.clinician.full_name
    busy.outsider.save()
    patient = make_patient(busy.outsider, "Other")
    assessed(busy.outsider, patient, falls_12m=0, kq_fallen=False)
    record.care_team_add(actor=busy.outsider, patient=patient, clinician=busy.clinician)
    assert count(busy.clinic, year()).clinician == {busy.clinician.full_name: 8}
