"""Joint angles of a motion, with what its limits allow, how recorded people move, and the patient's own recording."""
from __future__ import annotations

from generation.alignment import at, cycle, own_times
from generation.human_range import WORDS, human_band, people_and_repetitions
from generation.models import CandidateMotion, OwnMotion
from generation.playback import Curves, curves
from generation.plots import Line, Panel, Plot, allowed

# From the foot of the squat's depth upwards: (variable of the limits, title, coordinate, two sides or not, sign).
PANELS = (
    ("knee_flexion", "Knee bend", "knee_angle", True, 1),
    ("hip_flexion", "Hip bend", "hip_flexion", True, 1),
    ("ankle_dorsiflexion", "Ankle, shin forward", "ankle_angle", True, 1),
    ("hip_adduction", "Hip adduction", "hip_adduction", True, 1),
    ("lumbar_flexion", "Low-back flexion", "lumbar_extension", False, -1),
)


def joint_angles(candidate: CandidateMotion, own: OwnMotion | None = None) -> Plot:
    """`own` is drawn behind, its phases brought to the candidate's."""
    motion = curves(candidate)
    behind = curves(own) if own is not None else None
    people, repetitions = people_and_repetitions()
    return Plot(
        key="angles", title="Joint angles", unit="°", times=motion.times, cycle=cycle(motion), phases=motion.phases,
        panels=[panel for row in PANELS if (panel := _panel(row, motion, behind, candidate.checks))],
        human_words=f"{WORDS} ({people} people, {repetitions} repetitions)",
    )


def sides_of(coordinate: str, sided: bool) -> list[tuple[str, str]]:
    """(label, coordinate of the model)."""
    return [("Right", f"{coordinate}_r"), ("Left", f"{coordinate}_l")] if sided else [("Middle", coordinate)]


def _panel(row: tuple, motion: Curves, behind: Curves | None, checks: list[dict]) -> Panel | None:
    variable, title, coordinate, sided, sign = row
    names = sides_of(coordinate, sided)
    if any(name not in motion.names for _, name in names):
        return None
    lines = []
    if behind is not None:
        times = own_times(motion, behind)
        lines += [Line(label, sign * at(behind, name, times), "own") for label, name in names if name in behind.names]
    lines += [Line(label, sign * motion.of(name)) for label, name in names]
    band = human_band(motion, coordinate)
    human = None
    if band is not None:
        ends = sign * (band.mean - sign * band.sd), sign * (band.mean + sign * band.sd)
        human = (band.times, *ends)
    return Panel(title, lines, allowed(checks, variable, motion.phases), human)
