"""Files: the PDF opens, holds what it should and is tagged; FHIR is valid and says what the record says."""
from __future__ import annotations

import io
import json

import pytest
from django.test import Client
from fhir.resources.R4B.bundle import Bundle
from pypdf import PdfReader

from fall_risk.files.tagged import Document
from tests.world import Side, assessed, make_patient


def text_of(body: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


def roles(node) -> list[str]:
    """The structure roles of a tagged PDF, depth first."""
    node = node.get_object()
    found = [str(node["/S"])]
    for kid in node.get("/K", []):
        kid = kid.get_object()
        if "/S" in kid:
            found += roles(kid)
    return found


def test_the_patients_pdf(side: Side):
    browser = Client()
    browser.force_login(side.clinician)
    answer = browser.get(f"/patients/{side.record.patient.pk}/fall-risk/report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    text = text_of(answer.content)
    for words in ("Fall risk: Lena Hofmann", "Category: high", "A fall in the last 12 months? yes.", "Does not apply.",
                  "Timed Up and Go", "Falls reported", "Not a medical device"):
        assert words in text, words
    empty = browser.get(f"/patients/{make_patient(side.clinician, 'Ida').pk}/fall-risk/report.pdf")
    assert "No assessment has been completed yet." in text_of(empty.content)


def test_the_clinics_pdf(side: Side):
    browser = Client()
    browser.force_login(side.administrator)
    text = text_of(browser.get("/clinic/fall-risk/report.pdf").content)
    assert "By category" in text and "hidden" in text and "Hofmann" not in text


def test_a_pdf_is_tagged_titled_and_has_its_fonts():
    pdf = Document("Łukasz Ñandú <b>", "Foot")
    pdf.text("First & second")
    pdf.bullets(["One", "Two"])
    pdf.heading("Numbers")
    pdf.table(["Name", "Count"], [[f"Row {n}", str(n)] for n in range(120)], [3, 1], 1)
    reader = PdfReader(io.BytesIO(pdf.bytes()))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en" and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title.startswith("Łukasz") or reader.metadata.title.startswith("Lukasz")
    found = roles(root["/StructTreeRoot"]["/K"])
    assert found[:6] == ["/Document", "/H1", "/P", "/L", "/LI", "/LBody"]
    assert found.count("/TR") == 121 and found.count("/TH") == 2 + 120 and found.count("/TD") == 120
    assert len(reader.pages) > 1
    for number, page in enumerate(reader.pages):
        assert page["/StructParents"] == number and page["/Tabs"] == "/S"
        for font in page["/Resources"]["/Font"].values():
            assert "/FontFile2" in font["/FontDescriptor"], font["/BaseFont"]
        content = page.get_contents().get_data()
        assert content.count(b" BDC") + content.count(b" BMC") == content.count(b"EMC")
        drawn = outside_of_marks(content)
        assert not drawn, drawn


def outside_of_marks(content: bytes) -> list[bytes]:
    """Text that belongs to no structure element and is no artifact."""
    depth, found = 0, []
    for line in content.split(b"\n"):
        depth += line.count(b" BDC") + line.count(b" BMC")
        if depth == 0 and b" Tj" in line and b"() Tj" not in line:
            found.append(line)
        depth -= line.count(b"EMC")
    return found


@pytest.mark.parametrize("text", ["\u674e\u96f7", "\x00\x07", "\U0001f600", "e\u0301", "\u202ertl", "a" * 5000])
def test_any_text_can_be_printed(text: str):
    pdf = Document(text or "x", text)
    pdf.text(text)
    pdf.table(["a", "b"], [[text, text]], [1, 1])
    assert PdfReader(io.BytesIO(pdf.bytes())).pages


def r4_faults(body: bytes) -> list[str]:
    """What is wrong with a bundle by the models of FHIR 4.0.1 itself: `fhir.resources` has those of R4B only."""
    bundle = pytest.importorskip("fhirclient.models.bundle")
    from fhirclient.models.fhirabstractbase import FHIRValidationError

    try:
        bundle.Bundle(json.loads(body), strict=True)
    except FHIRValidationError as error:
        return [str(error)]
    return []


def test_r4_itself_is_asked():
    assert r4_faults(b'{"resourceType": "Bundle", "type": "collection"}') == []
    assert r4_faults(b'{"resourceType": "Bundle"}') and r4_faults(
        b'{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Observation"}}]}')


def test_fhir_is_valid_and_says_what_the_record_says(side: Side):
    patient = make_patient(side.clinician, "Nora")
    type(patient).objects.filter(pk=patient.pk).update(birth_date="1948-05-06")
    assessed(side.clinician, patient, falls_12m=2, fall_injury=True, tug_s="unable", gait_speed_m_s="not_done",
             kq_fallen=True, si_fallen=True, fes_total=30, bp_start="supine", mobility_problem=True, walking_aid=True,
             dizziness=False, parkinson=False, med_antidepressant=False, med_benzodiazepine=False,
             med_antipsychotic=False, med_opioid=False, med_antiepileptic=False, med_count=2, cst_count=9,
             med_reviewed_on="2026-01-05")
    client = Client()
    client.force_login(side.clinician)
    answer = client.get(f"/api/v1/patients/{patient.pk}/fall-risk/fhir/")
    assert answer["Content-Type"] == "application/fhir+json"
    bundle = Bundle.model_validate_json(answer.content)
    resources = [json.loads(entry.resource.model_dump_json()) for entry in bundle.entry]
    (risk,) = [r for r in resources if r["resourceType"] == "RiskAssessment"]
    category, estimate = risk["prediction"]
    assert category["qualitativeRisk"]["coding"][0]["code"] == "high"
    assert 0 < float(estimate["probabilityDecimal"]) < 100 and "AUC" in estimate["rationale"]
    by_code = {c["code"]: r for r in resources if r["resourceType"] == "Observation" for c in r["code"]["coding"]}
    assert by_code["gait_speed_m_s"]["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert by_code["tug_s"]["valueCodeableConcept"]["text"] == "Tried and unable"
    assert float(by_code["falls_12m"]["valueQuantity"]["value"]) == 2
    assert by_code["si_fallen"]["code"]["coding"][0] == {"system": "http://loinc.org", "code": "52552-7"}
    local = [c for r in resources if r["resourceType"] == "Observation" for c in r["code"]["coding"]
             if c["system"] != "http://loinc.org"]
    assert all(c["system"] == "urn:genuflex:fall-risk" for c in local)
    assert r4_faults(answer.content) == []
    known = {f"urn:genuflex:{r['resourceType']}/{r['id']}" for r in resources}
    assert {b["reference"] for b in risk["basis"]} <= known and risk["subject"]["reference"] in known


def test_fhir_of_a_patient_without_an_assessment(side: Side):
    client = Client()
    client.force_login(side.clinician)
    body = client.get(f"/patients/{make_patient(side.clinician, 'Ida').pk}/fall-risk/fhir.json").content
    assert [entry.resource.get_resource_type() for entry in Bundle.model_validate_json(body).entry] == ["Patient"]
