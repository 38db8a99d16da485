"""Every questionnaire and test that can be filled in, as data: forms, storage and interfaces are built from this table.

Field keys are unique over all instruments, so answers of one visit are one flat mapping from key to answer
(``fields.py`` says what an answer is). Wording is ours except for STEADI, which is US-government work. The wording of
FES-I, the Morse scale, Berg, POMA and PAR-Q+ is protected: there only item scores or totals are asked for, to be taken
from the official form.

Left out on purpose: knee-extensor strength from squats (Tapanya 2024). Its published equation needs the coding of sex
and the units of two girths and of the repetitions, which we could not see; a wrong unit would give a wrong strength
silently. QTUG is proprietary.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fall_risk.scores.fields import BOOLEAN, CHOICE, DATE, NUMBER, WHOLE, Field, InputError, Instrument

_OWN = "Our wording; free to use."
_STEADI = "US-government work (CDC); free to use with credit to CDC."
_PROTECTED = "Protected wording: use the official form and enter the scores only."


def _yes_no(key: str, label: str, help: str = "", loinc: str = "") -> Field:
    return Field(key, label, BOOLEAN, help=help, loinc=loinc)


def _number(key: str, label: str, unit: str, low: float, high: float, help: str = "", unable: bool = False,
            loinc: str = "") -> Field:
    return Field(key, label, NUMBER, unit, low, high, help=help, can_be_unable=unable, loinc=loinc)


def _whole(key: str, label: str, low: int, high: int, help: str = "", unit: str = "", unable: bool = False,
           loinc: str = "") -> Field:
    return Field(key, label, WHOLE, unit, low, high, help=help, can_be_unable=unable, loinc=loinc)


def _choice(key: str, label: str, *choices: tuple[str, str], help: str = "") -> Field:
    return Field(key, label, CHOICE, choices=choices, help=help)


_TABLE = (
    Instrument(
        "key_questions", "STEADI three key questions", "Three quick questions to find out who needs a closer look.", (
            _yes_no("kq_fallen", "Have you fallen in the past year?"),
            _yes_no("kq_unsteady", "Do you feel unsteady when standing or walking?"),
            _yes_no("kq_worried", "Do you worry about falling?"),
        ), "steadi", _STEADI, patient_may=True),
    Instrument(
        "stay_independent", "Stay Independent (12 items)",
        "A questionnaire on falling that a person can fill in at home.", (
            _yes_no("si_fallen", "I have fallen in the past year.", loinc="52552-7"),
            _yes_no("si_aid", "I use or have been advised to use a cane or walker to get around safely.",
                    loinc="97875-9"),
            _yes_no("si_unsteady", "Sometimes I feel unsteady when I am walking.", loinc="97876-7"),
            _yes_no("si_furniture", "I steady myself by holding onto furniture when walking at home.", loinc="97877-5"),
            _yes_no("si_worried", "I am worried about falling.", loinc="97878-3"),
            _yes_no("si_hands", "I need to push with my hands to stand up from a chair.", loinc="97879-1"),
            _yes_no("si_curb", "I have some trouble stepping up onto a curb.", loinc="97880-9"),
            _yes_no("si_toilet", "I often have to rush to the toilet.", loinc="97881-7"),
            _yes_no("si_feet", "I have lost some feeling in my feet.", loinc="97882-5"),
            _yes_no("si_light_headed", "I take medicine that sometimes makes me feel light-headed or more tired than "
                                       "usual.",
                    loinc="97883-3"),
            _yes_no("si_sleep_mood", "I take medicine to help me sleep or improve my mood.", loinc="97884-1"),
            _yes_no("si_sad", "I often feel sad or depressed.", loinc="48527-6"),
        ), "stay_independent", _STEADI, patient_may=True),
    Instrument(
        "falls_history", "Falls in the last 12 months",
        "How often, how badly, and what the person could do afterwards.", (
            _whole("falls_12m", "Number of falls in the last 12 months", 0, 365,
                   "A fall is coming to rest on the ground or a lower level without meaning to."),
            Field("last_fall_on", "Date of the last fall", DATE),
            _yes_no("fall_injury", "A fall caused an injury that needed medical care"),
            _yes_no("fall_long_lie", "After a fall: lay on the floor for an hour or more, or could not get up "
                                     "without help"),
            _yes_no("fall_consciousness", "A fall with loss of consciousness, or suspected fainting"),
            _yes_no("frailty", "The person is frail",
                    "By a recognised scale, for example Clinical Frailty Scale 5 or more (R)."),
        ), "wfg", _OWN),
    Instrument(
        "two_questions", "Two-question tool for repeated falls", "A recent fall, and what the person expects.", (
            _yes_no("tq_fallen_6m", "Fallen in the last 6 months"),
            _choice("tq_own_estimate", "How likely does the person think a fall is in the next months?", ("low", "Low"),
                    ("intermediate", "Intermediate"), ("high", "High")),
        ), "two_questions", _OWN, patient_may=True),
    Instrument(
        "tug", "Timed Up and Go", "Time to stand up, walk 3 m, turn, walk back and sit down, with the usual aid and "
                                  "shoes.", (
            _number("tug_s", "Time", "s", 3, 180, unable=True),
            _yes_no("tug_aid", "A walking aid was used"),
        ), "steadi_tests", _OWN, how="Say: on “go”, stand up, walk to the line at your normal pace, turn, walk back, "
                                     "sit down."),
    Instrument(
        "gait_speed", "Gait speed", "Usual walking speed over a short distance.", (
            _number("gait_speed_m_s", "Usual walking speed", "m/s", 0.05, 3.0, "Distance divided by time.",
                    unable=True),
        ), "wfg", _OWN),
    Instrument(
        "chair_stand_30s", "30-second chair stand",
        "How often a person can stand up from a chair in 30 s, arms crossed.", (
            _whole("cst_count", "Number of full stands", 0, 60, "More than half way up when the 30 s end counts.",
                   unable=True),
            _yes_no("cst_used_arms", "The arms were used to stand up", "Then the score is 0."),
            _number("cst_seat_m", "Seat height", "m", 0.30, 0.60, "43 cm (17 inches) in the protocol."),
        ), "cst_below_average", _OWN),
    Instrument(
        "five_chair_stands", "Five-times sit-to-stand", "Time to stand up and sit down five times, arms crossed.", (
            _number("fcs_s", "Time for five", "s", 2, 180, unable=True),
            _yes_no("fcs_used_arms", "The arms were used to stand up", "Then the test counts as not possible."),
            _number("fcs_seat_m", "Seat height", "m", 0.30, 0.60),
        ), "bohannon", _OWN),
    Instrument(
        "four_stage_balance", "4-stage balance test",
        "How long each of four harder and harder stances is held, up to 10 s.", (
            _number("fsb_side_s", "Feet side by side", "s", 0, 60, unable=True),
            _number("fsb_semi_s", "Semi-tandem", "s", 0, 60, unable=True),
            _number("fsb_tandem_s", "Tandem", "s", 0, 60, unable=True),
            _number("fsb_one_leg_s", "On one foot", "s", 0, 60, unable=True),
        ), "steadi_tests", _OWN),
    Instrument(
        "blood_pressure", "Orthostatic blood pressure", "Does blood pressure drop on standing up?", (
            _choice("bp_start", "Resting position", ("supine", "Lying, 5 min"), ("seated", "Sitting")),
            *(_number(f"bp_{when}_{kind}", f"{words}, {name}", "mmHg", low, high)
              for when, words in (("rest", "At rest"), ("1min", "Standing 1 min"), ("3min", "Standing 3 min"))
              for kind, name, low, high in (("systolic", "systolic", 40, 280), ("diastolic", "diastolic", 20, 180))),
            _yes_no("bp_symptoms", "Dizzy or faint on standing up"),
        ), "shaw", _OWN),
    Instrument(
        "medication", "Medication", "Which groups of drugs that raise the risk of falls are taken, and how many "
                                    "drugs in all.", (
            _whole("med_count", "Number of different drugs", 0, 40),
            _yes_no("med_antidepressant", "Antidepressant"),
            _choice("med_antidepressant_kind", "Kind of antidepressant", ("ssri", "SSRI"), ("tricyclic", "Tricyclic"),
                    ("other", "Other or not known")),
            _yes_no("med_benzodiazepine", "Benzodiazepine"),
            _choice("med_benzodiazepine_kind", "Kind of benzodiazepine", ("long", "Long-acting"), ("short",
                "Short-acting"),
                    ("other", "Not known")),
            _yes_no("med_antipsychotic", "Antipsychotic"),
            _yes_no("med_opioid", "Opioid"),
            _yes_no("med_antiepileptic", "Antiepileptic"),
            _yes_no("med_antiparkinson", "Anti-Parkinson drug"),
            _yes_no("med_analgesic", "Other analgesic"),
            _yes_no("med_nsaid", "Non-steroidal anti-inflammatory drug"),
            Field("med_reviewed_on", "Date of the last medication review", DATE),
        ), "seppala", _OWN),
    Instrument(
        "mobility_and_conditions", "Mobility and conditions", "Conditions that the literature links with falling.", (
            _yes_no("mobility_problem", "A problem with walking or balance"),
            _yes_no("walking_aid", "Uses a walking aid"),
            _yes_no("dizziness", "Dizziness or vertigo"),
            _yes_no("parkinson", "Parkinson's disease"),
            _yes_no("stroke", "Had a stroke"),
            _yes_no("cognition", "Problems with memory or thinking"),
            _yes_no("depression", "Depression or low mood"),
            _yes_no("continence", "Urinary incontinence or urgency"),
        ), "deandrea", _OWN),
    Instrument(
        "surroundings", "Vision, feet and home", "Things that can often be changed.", (
            _yes_no("vision_problem", "A problem with sight that glasses do not correct"),
            _yes_no("vision_checked", "Eyes checked in the last 12 months"),
            _yes_no("footwear_unsafe", "Loose, slippery or high-heeled shoes, or no shoes at home"),
            _yes_no("foot_problem", "Pain or deformity of the feet, or loss of feeling in them"),
            _yes_no("home_hazards", "Hazards at home: loose rugs, poor light, no rails"),
            _yes_no("inactive", "Less than 150 minutes of activity a week"),
            _yes_no("alcohol", "Alcohol above the national guidance"),
            _yes_no("lives_alone", "Lives alone"),
        ), "wfg_recalled", _OWN, patient_may=True),
    Instrument(
        "fes_i", "Falls Efficacy Scale International (FES-I)",
        "How concerned the person is about falling. Enter either the total or the 16 item scores from the official "
        "form.", (
            _whole("fes_total", "Total", 16, 64),
            *(_whole(f"fes_{n}", f"Item {n}", 1, 4) for n in range(1, 17)),
        ), "delbaere", _PROTECTED, patient_may=True),
    Instrument(
        "berg", "Berg Balance Scale", "Total of the official form.", (_whole("berg_total", "Total", 0, 56),), "muir",
        _PROTECTED),
    Instrument(
        "poma", "Tinetti POMA", "Total of the official form.", (_whole("poma_total", "Total", 0, 28),), "tinetti",
        _PROTECTED),
    Instrument(
        "morse", "Morse Fall Scale (inpatients only)",
        "Item scores of the official form; not meant for people at home.", (
            _yes_no("morse_inpatient", "The person is in hospital now"),
            *(_choice(f"morse_{key}", label, *((str(p), f"{p} points") for p in points)) for key, label, points in (
                ("history", "History of falling", (0, 25)), ("diagnosis", "Secondary diagnosis", (0, 15)),
                ("aid", "Ambulatory aid", (0, 15, 30)), ("infusion", "Intravenous line", (0, 20)),
                ("gait", "Gait", (0, 10, 20)), ("mental", "Mental status", (0, 15)))),
        ), "morse", _PROTECTED),
    Instrument(
        "par_q", "PAR-Q+ (readiness for exercise)", "Not a fall score: whether exercise needs a closer look first. "
                                                    "Use the official form at eparmedx.com.", (
            _yes_no("parq_any_yes", "Any of the seven general questions answered with yes"),
        ), "parq", "Copyright: link to the official form, do not alter it.", patient_may=True),
)

INSTRUMENTS: dict[str, Instrument] = {instrument.key: instrument for instrument in _TABLE}
FIELDS: dict[str, Field] = {field.key: field for instrument in _TABLE for field in instrument.fields}


def check_answers(answers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers in their stored form, and a sentence for each that cannot be right. None is left out: not filled
    in.
    """
    clean, errors = {}, {}
    for key, value in answers.items():
        if key not in FIELDS:
            errors[str(key)] = "There is no such question."
        elif value is not None:
            try:
                clean[key] = FIELDS[key].clean(value)
            except ValueError as fault:
                errors[key] = str(fault)
    return clean, errors | _contradictions(clean)


def clean_answers(answers: Mapping[str, Any]) -> dict[str, Any]:
    """As ``check_answers``, but raises InputError (with all sentences) if any answer cannot be right."""
    clean, errors = check_answers(answers)
    if errors:
        raise InputError(errors)
    return clean


def _contradictions(answers: Mapping[str, Any]) -> dict[str, str]:
    """Pairs that cannot both be right. Disagreement between two questionnaires is no error: the scores say it."""
    errors = {}
    for when in ("rest", "1min", "3min"):
        systolic, diastolic = answers.get(f"bp_{when}_systolic"), answers.get(f"bp_{when}_diastolic")
        if isinstance(systolic, float) and isinstance(diastolic, float) and systolic <= diastolic:
            errors[f"bp_{when}_diastolic"] = "The diastolic value must be below the systolic one."
    items = [answers.get(f"fes_{n}") for n in range(1, 17)]
    total = answers.get("fes_total")
    if isinstance(total, int) and all(isinstance(item, int) for item in items) and sum(items) != total:
        errors["fes_total"] = f"The 16 items sum to {sum(items)}: correct the total or an item."
    return errors
