"""Published numbers, from the answers to what the page of the patient prints."""
from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from patients import services as record
from tests.world import Side, assessed

# What the estimate and the guideline ask, all answered with no.
NOTHING = {
    "falls_12m": 0, "mobility_problem": False, "walking_aid": False, "dizziness": False, "parkinson": False,
    "med_antidepressant": False, "med_benzodiazepine": False, "med_antipsychotic": False, "med_opioid": False,
    "med_antiepileptic": False, "med_count": 2,
}
ONE_FALL = {
    "falls_12m": 1, "fall_injury": False, "fall_long_lie": False, "fall_consciousness": False, "frailty": False,
}


def printed(side: Side, **answers) -> str:
    """The page of a woman of 72, 1.60 m and 60 kg, after an assessment with these answers; tags as spaces."""
    patient = record.patient_create(
        actor=side.clinician, given_name="Ada", family_name="Example", sex="female",
        birth_date=date(timezone.localdate().year - 72, 1, 1),
    )
    record.body_measurement_record(
        actor=side.clinician, patient=patient, height_m=1.60, mass_kg=60.0, measured_on=timezone.localdate()
    )
    assessed(side.clinician, patient, **answers)
    browser = Client()
    browser.force_login(side.clinician)
    page = browser.get(f"/patients/{patient.pk}/fall-risk/").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# The estimate's own printed results: none 18 %, history 32 %, history and mobility 46 %, with an antidepressant 55 %.
@pytest.mark.parametrize(("answers", "percent"), [
    ({}, 18), (ONE_FALL, 32), ({**ONE_FALL, "mobility_problem": True}, 46),
    ({**ONE_FALL, "mobility_problem": True, "med_antidepressant": True}, 55),
])
def test_the_estimate_from_the_literature(side: Side, answers: dict, percent: int):
    text = printed(side, **(NOTHING | answers))
    found = re.search(r"(\d+) % of people with these answers fall at least once in 12 months; 95 % interval (\d+) % to "
                      r"(\d+) %", text)
    number, low, high = map(int, found.groups())
    assert abs(number - percent) <= 1 and low < number < high
    assert "0.65" in text           # its discrimination stands beside it


# World Falls Guidelines 2022: a fall without severity is intermediate where TUG takes over 15 s; with one it is high.
@pytest.mark.parametrize(("answers", "category"), [
    ({}, "Low risk"), ({**ONE_FALL, "tug_s": 15.0}, "Low risk"), ({**ONE_FALL, "tug_s": 15.1}, "Intermediate risk"),
    ({**ONE_FALL, "tug_s": 9.0, "fall_injury": True}, "High risk"),
])
def test_the_path_of_the_guideline(side: Side, answers: dict, category: str):
    text = printed(side, **(NOTHING | answers))
    headline = text.split("Category of the guideline")[1].split("Estimate from the literature")[0]
    assert category in headline, headline


def test_the_chair_stands(side: Side):
    """Lusardi 2017: 12 s or more leaves 41 %. CDC: fewer than 10 stands are below average for a woman of 70 to 74.
    Power of five stands in 12 s from 0.43 m: 0.9 * 60 * 9.81 * (0.80 - 0.43) / 1.2 = 163.3 W, 2.72 W/kg."""
    text = printed(side, fcs_s=12.0, fcs_used_arms=False, fcs_seat_m=0.43, cst_count=9, cst_used_arms=False)
    assert "30-second chair stand 9 stands (Below average" in text
    assert "Five-times sit-to-stand 12 s (Slow" in text
    assert re.search(r"Probability after one performance test 0\.41 ", text)
    assert "2.72 W/kg" in text
    assert "30-second chair stand 10 stands (Below" not in printed(side, cst_count=10, cst_used_arms=False)
