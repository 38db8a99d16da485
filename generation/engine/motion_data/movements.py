"""The movements of UI-PRMD: which file is which, which foot leads, where a repetition begins and ends, its phases.

One leg leads a hurdle step (the one that steps), an inline lunge (the one in front) and a side lunge (the one that
bends). A movement's course is told by two curves, as for the squat in `segmentation.py`: one that is lowest where the
movement is furthest from its beginning, and the effort, which is small where the person stands and waits.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from generation.engine.body import COORDINATES, TorchBody
from generation.engine.motion_data.placing import PELVIS, TY, soles
from generation.engine.motion_data.segmentation import Segment, degrees_of_flexion, find_repetitions

SIDES = ("r", "l")  # the order of feet in `soles`
KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in SIDES]
LIFT_STEP = 0.010  # metres a sole of the stepping foot is up when it counts as off the floor; ours (E)
SEAT_SHARE = 0.06  # of the way down: a pelvis within this of its lowest place sits; ours (E)
SHIFT_FRAMES = 30  # before and after a step: the weight is being shifted; ours (E)
STANDING_SHARE = 0.05  # this share of a person's frames shows less effort than the place where the movement begins


@dataclass(frozen=True)
class Movement:
    """`flat`: the feet whose soles stay on the floor ("both", "other" than the leading one, "leading"); knee_deg: the
    least flexion of the leading (else the mean) knee; way: the least way of the first curve, in leg lengths.
    """

    code: str  # of its files in UI-PRMD
    name: str
    led: bool
    flat: str
    knee_deg: float
    way: float


MOVEMENTS = {
    movement.name: movement
    for movement in (
        Movement("m01", "deep squat", False, "both", 40.0, 0.10),
        Movement("m02", "hurdle step", True, "other", 40.0, 0.10),
        Movement("m03", "inline lunge", True, "leading", 25.0, 0.05),
        Movement("m04", "side lunge", True, "both", 25.0, 0.05),
        Movement("m05", "sit-to-stand", False, "both", 50.0, 0.10),
    )
}  # the least amounts are ours (E)


@dataclass(frozen=True)
class Course:
    """How a recording goes: leading side ("r", "l" or ""), and the curves (frame,); `unit` is that of the effort."""

    side: str
    height: np.ndarray
    effort: np.ndarray
    unit: str

    def said(self, value: float) -> str:
        """An amount of effort in words."""
        return degrees_of_flexion(value) if self.unit == "rad" else f"{1000 * value:.0f} mm of lift"


def follow(movement: Movement, values: np.ndarray, body: TorchBody) -> Course:
    """The course of one recording: values (frame, coordinate)."""
    points = soles(body, values)[:, :, :4]
    pelvis, knees = values[:, PELVIS[TY]], values[:, KNEES]
    if movement.code == "m02":
        lift = points[..., 1].mean(axis=2)
        lift = lift - np.quantile(lift, 0.1, axis=0)
        leading = int(lift.max(axis=0).argmax())
        return Course(SIDES[leading], -lift[:, leading], lift[:, leading], "m")
    if movement.code == "m03":
        forward = Rotation.from_euler("ZXY", values[:, PELVIS[:3]]).apply([1.0, 0.0, 0.0]).mean(axis=0)
        ahead = np.median(points.mean(axis=2) @ (forward * [1, 0, 1]), axis=0)
        return Course(SIDES[int(ahead.argmax())], pelvis, knees.mean(axis=1), "rad")
    if movement.code == "m04":
        leading = int(knees[pelvis.argmin()].argmax())
        return Course(SIDES[leading], pelvis, knees[:, leading], "rad")
    return Course("", pelvis, knees.mean(axis=1), "rad")


def rest(courses: list[Course]) -> float:
    """The effort at which this person stands before and after one movement, from all recordings of it."""
    return float(np.quantile(np.concatenate([c.effort for c in courses]), STANDING_SHARE))


def cut(movement: Movement, course: Course, values: np.ndarray, length: float, at_rest: float) -> list[Segment]:
    """Repetitions of one recording, in order. A hurdle step has the shifts of weight around the step at its ends."""
    segments = find_repetitions(course.height, course.effort, length, at_rest, movement.way, course.said)
    if movement.code != "m02":
        return segments
    sway = np.linalg.norm(np.gradient(values[:, PELVIS[3:]], axis=0)[:, [0, 2]], axis=1)
    widened = []
    for segment in segments:
        first = max(segment.start - SHIFT_FRAMES, 0)
        last = min(segment.end + SHIFT_FRAMES, len(values) - 1)
        start = first + int(np.argmin(sway[first : segment.start + 1]))
        end = segment.end + int(np.argmin(sway[segment.end : last + 1]))
        widened.append(Segment(start, segment.bottom, end, segment.incomplete))
    return [
        s for i, s in enumerate(widened) if all(s.start >= other.end or s.end <= other.start for other in widened[:i])
    ]


def phases(movement: Movement, course: Course, start: int, bottom: int, end: int) -> tuple[tuple[str, int, int], ...]:
    """Phases (name, first frame, last frame) of a repetition, counted from its first frame; each begins where the one
    before ends.

    course: of the recording that holds frames start..bottom..end.
    """
    if movement.code == "m02":
        lift = course.effort[start : end + 1] > LIFT_STEP
        up = np.flatnonzero(lift)
        off, landed = int(up[0]), int(up[-1])
        marks = ((0, "shift"), (off, "lift"), (bottom - start, "lower"), (landed, "settle"))
    elif movement.code == "m05":
        height = course.height[start : end + 1]
        low = height < height.min() + SEAT_SHARE * (height.max() - height.min())
        down = np.flatnonzero(low)
        marks = ((0, "sit down"), (int(down[0]), "sit"), (int(down[-1]), "stand up"))
    else:
        marks = ((0, "descent"), (bottom - start, "ascent"))
    ends = [first for first, _ in marks[1:]] + [end - start]
    return tuple((name, first, last) for (first, name), last in zip(marks, ends, strict=True))


def flat_feet_of(movement: Movement, side: str) -> list[int]:
    """Indices (0 right, 1 left) of the feet that stay flat on the floor in this movement led by `side`."""
    if movement.flat == "both":
        return [0, 1]
    leading = SIDES.index(side)
    return [leading if movement.flat == "leading" else 1 - leading]
