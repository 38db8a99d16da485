"""A squat in plain words, for the patient: taken from the motion itself, then edited by the clinician."""
from __future__ import annotations

from generation.models import CandidateMotion
from generation.playback import Curves, curves

STATEMENT = (
    "Research and education software. Not a medical device: no authority has cleared or approved it. It does not "
    "diagnose or treat anyone. The motion was computed on a generic model of the human body; a licensed clinician must "
    "review and approve it before a patient uses it."
)
SAFETY = (
    "Stop if you feel sharp pain, pain above {most} out of 10, dizziness, chest pain or shortness of breath, or if the "
    "joint gives way. Then tell your clinician. In an emergency call your local emergency number."
)
CHECKED = (
    "Movement limits (joint angles, depth, balance, soles, tempo) were checked on the delivered motion, frame by "
    "frame, and once more by OpenSim on the patient's model."
)
NOT_CHECKED = (
    "Joint loads and muscle activity are computed, not measured: the ground reaction is estimated without force "
    "plates, and pain or fear that stiffens a joint is not in it. What is no limit in the list was not judged."
)


def instructions(candidate: CandidateMotion) -> str:
    """Prefilled instructions, one sentence a line."""
    motion = curves(candidate)
    lines = ["Stand upright with your feet flat on the floor, about as wide as in the picture.", _down(motion)]
    pause = motion.phase_seconds("bottom")
    if pause >= 0.3:
        lines.append(f"Stay there for about {_seconds(pause)}.")
    ascent = motion.phase_seconds("ascent")
    lines.append(f"Come up again {f'in about {_seconds(ascent)}' if ascent else 'smoothly'} and straighten up.")
    lines.append("Keep both heels on the floor and your knees in line with your toes.")
    return "\n".join(lines)


def dose_sentence(prescription) -> str:
    """The dose as one sentence, for where there is no table."""
    p = prescription
    rest = f", {p.rest_s} s rest between sets" if p.sets > 1 and p.rest_s else ""
    return (f"{_many(p.sets, 'set')} of {_many(p.repetitions, 'repetition')}{rest}, "
            f"{_many(p.sessions_per_week, 'time')} a week for {_many(p.weeks, 'week')}.")


_MOMENTS = {"stand_start": "Standing before the squat", "mid_descent": "Half way down",
            "bottom": "The bottom of the squat", "mid_ascent": "Half way up", "stand_end": "Standing again"}


def picture_words(motion: Curves, moment: str, seconds: float) -> str:
    """What a key picture shows, for whoever cannot see it: knees, hips and trunk at that moment, and from where."""
    frame = min(round(seconds * motion.frame_rate), len(motion.values) - 1)

    def both(name: str) -> str:
        right, left = (round(float(motion.of(f"{name}_{side}")[frame])) for side in "rl")
        return f"about {right} degrees" if abs(right - left) < 3 else f"right {right}, left {left} degrees"

    return (f"{_MOMENTS[moment]}, {seconds:.1f} seconds from the start: a skeleton seen from the front and from the "
            f"right side. Knees bent {both('knee_angle')}, hips bent {both('hip_flexion')}.")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _down(motion: Curves) -> str:
    bend = float(max(motion.of("knee_angle_r").max(), motion.of("knee_angle_l").max()))
    descent = motion.phase_seconds("descent")
    speed = f" in about {_seconds(descent)}" if descent else ""
    depth = _depth(motion.thigh_inclination_peak_deg())
    return f"Bend hips and knees and go down{speed}, {depth} (knees bent about {round(bend / 5) * 5} degrees)."


def _depth(thigh_deg: float) -> str:
    """Words for the depth by the thigh's angle from the vertical; the borders are ours (E). A knee bent by 90 degrees
    is no measure of it: the shin leans too, and the thigh is then far from level."""
    for border, words in ((20, "only a little"), (40, "about a third of the way to level thighs"),
                          (60, "about half way to level thighs"), (80, "most of the way to level thighs"),
                          (95, "until your thighs are level")):
        if thigh_deg < border:
            return words
    return "low, as in the picture"


def _seconds(value: float) -> str:
    rounded = round(value * 2) / 2
    return f"{rounded:g} second{'' if rounded == 1 else 's'}"
