"""Any set of answers that a form could hold, in pieces."""
from __future__ import annotations

from hypothesis import strategies as st

from fall_risk.scores import DECLINED, FIELDS, NOT_DONE, UNABLE, check_answers


def answer(field):
    values = {
        "boolean": st.booleans(),
        "number": st.floats(field.minimum or 0, field.maximum or 0),
        "whole": st.integers(int(field.minimum or 0), int(field.maximum or 0)),
        "choice": st.sampled_from([key for key, _ in field.choices] or [""]),
        "date": st.dates().map(lambda day: day.isoformat()),
    }[field.kind]
    absent = [None, NOT_DONE, DECLINED, *([UNABLE] if field.can_be_unable else [])]
    return values | st.sampled_from(absent)


def _possible(answers: dict) -> bool:
    return not check_answers(answers)[1]


ANSWERS = st.fixed_dictionaries({}, optional={key: answer(field) for key, field in FIELDS.items()
                                              if not key.startswith(("fes_", "morse_", "bp_"))})
PRESSURES = st.fixed_dictionaries({}, optional={key: answer(FIELDS[key]) for key in FIELDS
                                                if key.startswith(("bp_", "fes_", "morse_"))})
ALL_ANSWERS = st.builds(lambda a, b: {**a, **b}, ANSWERS, PRESSURES).filter(_possible)
PERSONS = st.fixed_dictionaries({}, optional={
    "age_years": st.none() | st.floats(18, 110), "sex": st.sampled_from([None, "female", "male"]),
    "height_m": st.none() | st.floats(1.2, 2.2), "mass_kg": st.none() | st.floats(30, 250),
    "recent_surgery": st.none() | st.booleans()})
