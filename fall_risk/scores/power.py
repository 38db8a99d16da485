"""Sit-to-stand muscle power from the chair stand tests (equation of Alcazar).

P[W] = 0.9 m g (0.5 H - seat) / (0.5 T / n): 90 % of body mass is lifted from the seat to leg length (50 % of body
height), and half of the time goes into rising.
"""
from __future__ import annotations

from fall_risk.scores.chair_stands import chair_stand_count, five_time
from fall_risk.scores.fields import Answers
from fall_risk.scores.registry import score
from fall_risk.scores.result import Person, part

GRAVITY = 9.81                  # m/s2, as in the publication
LOW_W_PER_KG = {"female": 2.1, "male": 2.6}                      # Alcazar 2021 (R)
LOW_30S_W_PER_KG = {"female": 2.01, "male": 2.53}                # Garcia-Aguirre, Toledo (V), 30-second test


def power_w(mass_kg: float, height_m: float, seat_m: float, repetitions: float, seconds: float) -> float:
    """Mean power of rising, W."""
    return 0.9 * mass_kg * GRAVITY * (0.5 * height_m - seat_m) / (0.5 * seconds / repetitions) if repetitions else 0.0


def _result(answers: Answers, person: Person, seat_key: str, repetitions: float | None, seconds: float | None,
            test_key: str, cut_offs: tuple[tuple[dict, str], ...]) -> dict:
    seat = answers.get(seat_key)
    missing = [test_key] if repetitions is None or seconds is None else []
    missing += [seat_key] if seat is None else []
    missing += [f"person.{name}" for name in ("height_m", "mass_kg") if getattr(person, name) is None]
    if missing:
        return {"applies": False, "missing": missing,
                "why_not": "The test, seat height, body height and mass are needed."}
    if 0.5 * person.height_m <= seat:
        return {"applies": False,
                "why_not": "The seat is not lower than half the body height: the equation has no rise."}
    watts = power_w(person.mass_kg, person.height_m, seat, repetitions, seconds)
    relative = watts / person.mass_kg
    parts = [part("Power, W", round(watts, 1), source="sts_power")]
    result = {"value": round(relative, 4), "unit": "W/kg", "parts": parts, "limits": [
        "Assumes 90 % of body mass, leg length half of body height, half of the time rising. Low power goes with "
        "slowness and disability; no coefficient turns it into a probability of falling."]}
    if person.sex is None:
        return {**result, "missing": ["person.sex"]}
    for table, source in cut_offs:
        limit = table[person.sex]
        parts.append(part(f"Below {limit:g} W/kg", relative < limit, source=source))
    low = relative < cut_offs[0][0][person.sex]
    return {**result, "category": "low" if low else "not_low",
            "category_label": f"{'Low' if low else 'Not low'} power for {'women' if person.sex == 'female' else 'men'}"}


@score("power_30s", "1", "Sit-to-stand power (30 s)", uses=("cst_count", "cst_used_arms", "cst_seat_m"),
       person=("sex", "height_m", "mass_kg"), sources=("sts_power", "garcia_aguirre", "alcazar_2021"))
def power_30s(answers: Answers, person: Person) -> dict:
    """From the 30-second chair stand. The category follows the cut-off that was seen (V); the other is a part."""
    return _result(answers, person, "cst_seat_m", chair_stand_count(answers), 30.0, "cst_count",
                   ((LOW_30S_W_PER_KG, "garcia_aguirre"), (LOW_W_PER_KG, "alcazar_2021")))


@score("power_5", "1", "Sit-to-stand power (five times)", uses=("fcs_s", "fcs_used_arms", "fcs_seat_m"),
       person=("sex", "height_m", "mass_kg"), sources=("sts_power", "alcazar_2021"))
def power_5(answers: Answers, person: Person) -> dict:
    """From the five-times sit-to-stand; the cut-offs are recalled (R) and come from the 30-second test."""
    time, unable = five_time(answers)
    if unable:
        return {"applies": False, "why_not": "The test could not be done without the arms: power is not computed."}
    return _result(answers, person, "fcs_seat_m", 5, time, "fcs_s", ((LOW_W_PER_KG, "alcazar_2021"),))
