"""One person's solved recordings of the other movements to checked repetitions."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from generation.engine.motion_data import movements
from generation.engine.motion_data.contact import bend_toes, contacts
from generation.engine.motion_data.dataset import Repetition, Subject
from generation.engine.motion_data.movements import MOVEMENTS
from generation.engine.motion_data.placing import centre, face_forward, leg_length, torch_body
from generation.engine.motion_data.quality import Found, check, nothing_found
from generation.engine.motion_data.skeleton import scale_factors
from generation.engine.motion_data.solving import Solved
from generation.engine.motion_data.sources import FRAME_RATE, resample


def assemble_movements(solved: list[Solved], squatter: Subject) -> list[Found]:
    """All repetitions of one person, movement by movement. squatter: the same person as the squats know them; standing
    pose and size come from there.
    """
    body = torch_body(scale_factors(solved[0].person.parameters))
    found = [
        f
        for name in dict.fromkeys(s.trial.movement for s in solved)
        for f in _assemble(MOVEMENTS[name], [s for s in solved if s.trial.movement == name], squatter, body)
    ]
    rms = [f.quality.marker_rms_mm for f in found if f.repetition]
    if rms:
        subject = replace(squatter, marker_rms_mm=float(np.median(rms)))
        found = [replace(f, repetition=f.repetition and replace(f.repetition, subject=subject)) for f in found]
    return found


def _assemble(movement, solved: list[Solved], subject: Subject, body) -> list[Found]:
    length = leg_length(body)
    motions = [resample(s.values, FRAME_RATE) for s in solved]  # as for the squats, the low-pass once more
    courses = [movements.follow(movement, motion, body) for motion in motions]
    at_rest = movements.rest(courses)
    found = []
    for one, motion, course in zip(solved, motions, courses, strict=True):
        segments = movements.cut(movement, course, motion, length, at_rest)
        if not segments:
            found.append(nothing_found(one.trial, movement.name))
        for number, segment in enumerate(segments, 1):
            part = slice(segment.start, segment.end + 1)
            flat = tuple(movements.flat_feet_of(movement, course.side))
            values = bend_toes(centre(face_forward(motion[part]), body, flat), body)
            quality = check(values, one.error[part], body, segment.incomplete, movement.name, course.side)
            repetition = None
            if not quality.reasons:
                repetition = Repetition(
                    f"{one.trial.subject}_{Path(one.trial.name).name.split('.')[0]}_{number}",
                    subject,
                    movement.name,
                    one.trial.correct,
                    one.trial.name,
                    segment.bottom - segment.start,
                    values,
                    side=course.side,
                    phases=movements.phases(movement, course, segment.start, segment.bottom, segment.end),
                    contacts=contacts(values, body),
                )
            found.append(
                Found(
                    one.trial.name,
                    one.trial.subject,
                    one.trial.source,
                    quality,
                    repetition,
                    movement.name,
                    course.side,
                )
            )
    return found
