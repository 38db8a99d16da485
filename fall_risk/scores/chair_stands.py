"""30-second chair stand and five-times sit-to-stand, with their norms."""
from __future__ import annotations

from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

# Below average is fewer than this: first age of the band -> (men, women). CDC STEADI (V, secondary).
BELOW_AVERAGE = {60: (14, 12), 65: (12, 11), 70: (12, 10), 75: (11, 10), 80: (10, 9), 85: (8, 8), 90: (7, 4)}
# 25th to 75th percentile, Rikli & Jones 1999 (V, secondary): first age -> (men, women)
QUARTILES = {60: ((14, 19), (12, 17)), 65: ((12, 18), (11, 16))}
OLDEST = 95                     # the tables end here
# Five times: worse than average if slower, by decade (Bohannon 2006, V)
BOHANNON_S = {60: 11.4, 70: 12.6, 80: 14.8}
LUSARDI_S, BUATOIS_S, GURALNIK_S, MAKIZAKO_S = 12.0, 15.0, 13.6, 10.0
# SPPB chair item: under this time -> points (<= 11.1, 11.2-13.6, 13.7-16.6, >= 16.7; times are read to a tenth)
SPPB = ((11.2, 4), (13.7, 3), (16.7, 2))
SPPB_UNABLE_S = 60.0            # R: over a minute counts as unable


def chair_stand_count(answers: Answers) -> int | None:
    """Stands in 30 s by the protocol: arms used, or could not: 0."""
    if answers.unable("cst_count") or answers.get("cst_used_arms"):
        return 0
    return answers.get("cst_count")


def _band(age: float | None, width: int, first: int) -> int | None:
    return None if age is None or not first <= age < OLDEST else int(age // width * width)


def below_average(count: int, person: Person) -> bool | None:
    """None outside the table (60 to 94 years, sex known)."""
    band = _band(person.age_years, 5, 60)
    if band is None or person.sex is None:
        return None
    return count < BELOW_AVERAGE[band][person.sex == "female"]


@score("chair_stand_30s", "1", "30-second chair stand", uses=("cst_count", "cst_used_arms"),
       person=("age_years", "sex"), sources=("cst_below_average", "rikli_jones"))
def chair_stand_30s(answers: Answers, person: Person) -> dict:
    """Stands in 30 s against the average for age and sex."""
    count = chair_stand_count(answers)
    if count is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["cst_count"]}
    low = below_average(count, person)
    path = ["The arms were used: the protocol scores this as 0."] if answers.get("cst_used_arms") else []
    parts = []
    band = _band(person.age_years, 5, 60)
    missing = [f"person.{name}" for name in ("age_years", "sex") if getattr(person, name) is None]
    if low is None:
        return {"value": float(count), "unit": "stands", "path": path, "missing": missing,
                "limits": ["Norms exist from 60 to 94 years, by sex: no comparison here."]}
    limit = BELOW_AVERAGE[band][person.sex == "female"]
    parts.append(part(f"Fewer than {limit} (below average for age and sex)", low, source="cst_below_average"))
    if band in QUARTILES:
        bottom, top = QUARTILES[band][person.sex == "female"]
        parts.append(part("25th to 75th percentile", f"{bottom} to {top}", source="rikli_jones"))
    return {"value": float(count), "unit": "stands", "path": path, "parts": parts,
            "missing": answers.missing("cst_used_arms"),
            "category": "below_average" if low else "average",
            "category_label": "Below average for age and sex" if low else "Average or better for age and sex"}


def five_time(answers: Answers) -> tuple[float | None, bool]:
    """(seconds, could not). Using the arms means that the test could not be done."""
    unable = answers.unable("fcs_s") or bool(answers.get("fcs_used_arms"))
    return (None if unable else answers.get("fcs_s")), unable


@score("five_chair_stands", "1", "Five-times sit-to-stand", uses=("fcs_s", "fcs_used_arms"), person=("age_years",),
       sources=("lusardi", "buatois", "bohannon", "guralnik", "makizako"))
def five_chair_stands(answers: Answers, person: Person) -> dict:
    """Seconds, against every cut-off; the category follows Lusardi (12 s) and Buatois (15 s)."""
    time, unable = five_time(answers)
    if unable:
        return {"category": "unable", "category_label": "Could not do the test without the arms"}
    if time is None:
        return {"applies": False, "why_not": "The test has not been done.", "missing": ["fcs_s"]}
    parts = [
        part("12 s or more (falls: post-test probability 41 %, else 20 %)", time >= LUSARDI_S, source="lusardi"),
        part("More than 15 s (recurrent falls: sensitivity 55 %, specificity 65 %)", time > BUATOIS_S,
             source="buatois"),
        part("More than 13.6 s (disability)", time > GURALNIK_S, source="guralnik"),
        part("10 s or more (disability)", time >= MAKIZAKO_S, source="makizako"),
    ]
    age = person.age_years
    decade = None if age is None or not 60 <= age < 90 else int(age // 10 * 10)
    if decade is not None:
        norm = BOHANNON_S[decade]
        parts.append(part(f"More than {norm:g} s (worse than average for age)", time > norm, source="bohannon"))
    category, label = (("very_slow", "Very slow (over 15 s)") if time > BUATOIS_S else
                       ("slow", "Slow (12 s or more)") if time >= LUSARDI_S else ("usual", "Under 12 s"))
    return {"value": time, "unit": "s", "category": category, "category_label": label, "parts": parts,
            "missing": answers.missing("fcs_used_arms")}


@score("sppb_chair", "1", "SPPB chair item", uses=("fcs_s", "fcs_used_arms"), sources=("sppb",))
def sppb_chair(answers: Answers, person: Person) -> dict:
    """0 to 4 points from the time for five chair stands."""
    time, unable = five_time(answers)
    if time is None and not unable:
        return {"applies": False, "why_not": "Five-times sit-to-stand has not been done.", "missing": ["fcs_s"]}
    points = 0 if unable or time > SPPB_UNABLE_S else next((p for limit, p in SPPB if time < limit), 1)
    return {"value": float(points), "unit": "points of 4", "category": f"points_{points}",
            "category_label": f"{points} of 4 points",
            "limits": ["One of three items of the battery: not a battery score. Over 60 s counts as unable (R)."]}
