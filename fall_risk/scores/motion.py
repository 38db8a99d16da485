"""What a recording of chair stands or squats shows: repetitions, speed, power, asymmetry, smoothness.

Arrays in, measures out. Counts and times are proposals for a clinician to confirm; nothing here is a probability of
falling, and nothing here feeds one. Heights are along Y (up), metres; positions (time, 3).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel
from scipy.signal import butter, filtfilt

from fall_risk.scores.fields import InputError
from fall_risk.scores.instruments import FIELDS, check_answers
from fall_risk.scores.sources import SOURCES
from generation.engine.metrics.smoothness import log_dimensionless_jerk, spectral_arc_length

VERSION = "1"
GRAVITY = 9.80665               # m/s2, standard acceleration of free fall
CUT_OFF_HZ = 6.0                # E: zero-lag low-pass of the height before it is differentiated
LEAST_RISE_M = 0.10             # E: less is no repetition
LOW, HIGH = 0.25, 0.75          # E: a rise goes from the lowest to the highest quarter of the range
SPEED_FRACTION = 0.05           # E: a rise begins and ends at this share of its peak speed
TEST_S, STANDS = 30.0, 5        # the two chair stand tests
ALARM_MARGIN_CM = 2.0           # E
ASYMMETRY_AMBER, ASYMMETRY_RED = 10.0, 15.0     # E, percent
NO_PROBABILITY = ("No published coefficient turns these measures into a probability of falling. A slower or smoother "
                  "movement is not evidence of a lower risk: fallers rise more slowly.")


@dataclass(frozen=True)
class Recording:
    """One recording. ``times`` (time,) s, evenly spaced; ``com`` (time, 3) m; the others as far as they were computed.

    ``knee_flexion_deg`` and ``vertical_force_n`` are (time, 2), right before left; ``margin_cm`` is the margin of
    stability. ``go_s`` is when the test began, if that is known.
    """

    times: np.ndarray
    com: np.ndarray
    pelvis_height: np.ndarray | None = None
    knee_flexion_deg: np.ndarray | None = None
    trunk_lean_deg: np.ndarray | None = None
    margin_cm: np.ndarray | None = None
    vertical_force_n: np.ndarray | None = None
    go_s: float | None = None

    def __post_init__(self) -> None:
        errors = {}
        times = np.asarray(self.times, float)
        steps = np.diff(times)
        even = len(times) >= 20 and np.isfinite(times).all() and steps.min() > 0 and np.ptp(steps) < 0.1 * steps.mean()
        if not even:
            errors["times"] = "At least 20 evenly spaced, increasing times are needed."
        for name, width in (("com", 3), ("pelvis_height", 0), ("knee_flexion_deg", 2), ("trunk_lean_deg", 0),
                            ("margin_cm", 0), ("vertical_force_n", 2)):
            values = getattr(self, name)
            shape = (len(times), width) if width else (len(times),)
            if values is not None and (np.shape(values) != shape or not np.isfinite(values).all()):
                errors[name] = f"Finite numbers of the shape {shape} are needed."
        if self.go_s is not None and not (even and times[0] <= self.go_s < times[-1]):
            errors["go_s"] = "The start of the test must lie within the recording."
        if errors:
            raise InputError(errors)


class Rise(BaseModel):
    """One time of getting up."""

    start_s: float
    end_s: float
    height_gain_m: float
    peak_velocity_m_s: float
    mean_velocity_m_s: float
    mean_power_w_per_kg: float
    peak_power_w_per_kg: float
    sparc: float
    log_dimensionless_jerk: float


class Measure(BaseModel):
    """One number with what it may be compared with. ``level``: "", "amber" or "red" (bands are E)."""

    key: str
    label: str
    value: float
    unit: str
    note: str = ""
    source: str = ""
    status: str = ""
    level: str = ""


class MotionFindings(BaseModel):
    """``proposals`` maps field keys of the instruments to what the recording suggests: to be confirmed by the
    clinician.
    """

    version: str = VERSION
    rises: list[Rise]
    measures: list[Measure]
    proposals: dict[str, float | int]
    notes: list[str]


def measure(key: str, label: str, value: float, unit: str, note: str = "", source: str = "",
            level: str = "") -> Measure:
    known = SOURCES.get(source)
    return Measure(key=key, label=label, value=round(float(value), 4), unit=unit, note=note, level=level,
                   source=known.text if known else "", status=known.status if known else "")


def _smooth(values: np.ndarray, rate: float) -> np.ndarray:
    """Zero-lag Butterworth along time; what is sampled too slowly for it stays as it is."""
    if rate <= 2.5 * CUT_OFF_HZ:
        return values
    b, a = butter(2, CUT_OFF_HZ / (rate / 2))
    return filtfilt(b, a, values, axis=0)


def _spans(height: np.ndarray, velocity: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) frame of each rise: from the lowest to the highest quarter of the recording's range."""
    bottom, top = np.percentile(height, [2, 98])
    if top - bottom < LEAST_RISE_M:
        return []
    share = (height - bottom) / (top - bottom)
    spans, low = [], None
    for i, value in enumerate(share):
        if value <= LOW:
            low = i
        elif value >= HIGH and low is not None:
            fastest = low + int(velocity[low: i + 1].argmax())
            slow = velocity < SPEED_FRACTION * velocity[fastest]
            before, after = np.flatnonzero(slow[:fastest]), np.flatnonzero(slow[fastest:])
            if len(before):                 # cut off at its start: left out; at its end, nearly up: ends there
                spans.append((int(before[-1]), fastest + int(after[0]) if len(after) else len(height) - 1))
            low = None
    return spans


def analyse_recording(recording: Recording) -> MotionFindings:
    """Repetitions and measures of a recording; none found is said, not raised."""
    times = np.asarray(recording.times, float)
    step = float(np.diff(times).mean())
    com = _smooth(np.asarray(recording.com, float), 1 / step)
    velocity = np.gradient(com, step, axis=0, edge_order=2)
    height = com[:, 1]
    tracked = height if recording.pelvis_height is None else _smooth(np.asarray(recording.pelvis_height, float),
                                                                     1 / step)
    spans = _spans(tracked, np.gradient(tracked, step, edge_order=2))
    rises = [_rise(times, height, velocity, span, step) for span in spans]
    proposals, notes = _tests(recording, times, tracked, spans)
    measures = _speed_measures(rises) + _posture_measures(recording, spans)
    return MotionFindings(rises=rises, measures=measures, proposals=proposals, notes=[*notes, NO_PROBABILITY])


def _rise(times, height, velocity, span: tuple[int, int], step: float) -> Rise:
    first, last = span
    part = slice(first, last + 1)
    up = velocity[part, 1]
    duration = times[last] - times[first]
    gain = height[last] - height[first]
    kinetic = 0.5 * (up[-1] ** 2 - up[0] ** 2)
    power = (GRAVITY + np.gradient(velocity[:, 1], step)[part]) * up
    speed = np.linalg.norm(velocity[part], axis=1)
    return Rise(**{name: round(float(value), 5) for name, value in {
        "start_s": times[first], "end_s": times[last], "height_gain_m": gain, "peak_velocity_m_s": up.max(),
        "mean_velocity_m_s": gain / duration, "mean_power_w_per_kg": (GRAVITY * gain + kinetic) / duration,
        "peak_power_w_per_kg": power.max(), "sparc": spectral_arc_length(speed, 1 / step),
        "log_dimensionless_jerk": log_dimensionless_jerk(speed, 1 / step)}.items()})


def _tests(recording: Recording, times, height, spans) -> tuple[dict[str, float | int], list[str]]:
    """Chair-stand count and five-times time, to be confirmed."""
    if not spans:
        return {}, [f"No getting up by {LEAST_RISE_M * 100:.0f} cm or more was found in the recording."]
    notes = ["Count and times come from the recording: to be confirmed by the clinician, who saw the arms and the "
             "chair."]
    begin = recording.go_s
    if begin is None:
        begin = float(times[spans[0][0]])
        notes.append("The start signal is not in the recording: time runs from the first rise, so the true time is "
                     "longer by the reaction.")
    spans = [span for span in spans if times[span[1]] > begin]
    proposals: dict[str, float | int] = {}
    if len(spans) >= STANDS:
        proposals["fcs_s"] = round(float(times[spans[STANDS - 1][1]] - begin), 2)
        notes.append("Five times: until the fifth full stand.")
    end = begin + TEST_S
    if times[-1] >= end:
        proposals["cst_count"] = sum(_counts(times, height, span, end) for span in spans)
    else:
        notes.append(f"The recording ends before {TEST_S:g} s: no count is proposed.")
    usable, errors = check_answers(proposals)
    notes += [f"{FIELDS[key].label} is not proposed: {proposals[key]:g} is out of range." for key in errors]
    return usable, notes


def _counts(times, height, span: tuple[int, int], end: float) -> bool:
    """Does a rise count at ``end``? Finished, or more than half way up."""
    first, last = span
    if times[last] <= end:
        return True
    if times[first] >= end:
        return False
    return bool(np.interp(end, times, height) > (height[first] + height[last]) / 2)


def _speed_measures(rises: list[Rise]) -> list[Measure]:
    if not rises:
        return []
    def mean(name: str) -> float:
        return float(np.mean([getattr(rise, name) for rise in rises]))
    fallers = "Lower in fallers (prevalence ratios, cross-sectional): to compare within one person over time."
    same = "Nearer to 0 is smoother; compare only the same exercise of one person."
    return [
        measure("repetitions", "Times of getting up", len(rises), ""),
        measure("rise_s", "Duration of a rise, mean", float(np.mean([r.end_s - r.start_s for r in rises])), "s"),
        measure("peak_velocity", "Greatest upward speed, mean", mean("peak_velocity_m_s"), "m/s", fallers, "tateoka"),
        measure("mean_velocity", "Mean upward speed", mean("mean_velocity_m_s"), "m/s", fallers, "tateoka"),
        measure("mean_power", "Mean power of rising per body mass", mean("mean_power_w_per_kg"), "W/kg",
                f"{fallers} Whole-body mass lifted: not the equation of the chair stand tests.", "tateoka"),
        measure("peak_power", "Greatest power of rising per body mass", mean("peak_power_w_per_kg"), "W/kg"),
        measure("sparc", "Smoothness (SPARC)", mean("sparc"), "", same, "balasubramanian"),
        measure("ldlj", "Smoothness (log dimensionless jerk)", mean("log_dimensionless_jerk"), "", same,
                "balasubramanian"),
    ]


def asymmetry_index(right: float, left: float) -> float:
    """100 |right - left| / max, percent; 0 where both are 0."""
    largest = max(abs(right), abs(left))
    return 100 * abs(right - left) / largest if largest else 0.0


def _asymmetry(key: str, label: str, index: float) -> Measure:
    level = "red" if index > ASYMMETRY_RED else "amber" if index > ASYMMETRY_AMBER else ""
    return measure(key, label, index, "%", f"Bands of {ASYMMETRY_AMBER:g} and {ASYMMETRY_RED:g} % are ours.", "ours",
                   level)


def _posture_measures(recording: Recording, spans: list[tuple[int, int]]) -> list[Measure]:
    measures = []
    if recording.knee_flexion_deg is not None and spans:
        ranges = np.ptp(np.asarray(recording.knee_flexion_deg, float), axis=0)
        measures.append(_asymmetry("knee_asymmetry", "Asymmetry of the knees' range", asymmetry_index(*ranges)))
    if recording.vertical_force_n is not None and spans:
        force = np.mean([np.asarray(recording.vertical_force_n, float)[a: b + 1].mean(axis=0) for a, b in spans],
                        axis=0)
        measures.append(_asymmetry("force_asymmetry", "Asymmetry of the vertical force while rising",
                                   asymmetry_index(*force)))
    if recording.trunk_lean_deg is not None:
        measures.append(measure("trunk_lean", "Greatest forward lean of the trunk", np.max(recording.trunk_lean_deg),
                                "deg",
                                "Healthy elders 37.5, knee osteoarthritis 46.4 degrees in sit-to-stand.", "turcot"))
    if recording.margin_cm is not None:
        measures.append(margin_measure(np.asarray(recording.margin_cm, float)))
    return measures


def margin_measure(margin_cm: np.ndarray) -> Measure:
    """Least margin of stability, red below 0 (the principled limit), amber below 2 cm (ours)."""
    least = float(margin_cm.min())
    return measure("margin_of_stability", "Least margin of stability", least, "cm",
                   "Above 0: the extrapolated centre of mass stays over the feet. The pendulum it rests on weakens "
                   "in deep flexion; a larger margin is not proof of a lower risk. On a chair it has no meaning "
                   "before seat-off.",
                   "hof", "red" if least < 0 else "amber" if least < ALARM_MARGIN_CM else "")
