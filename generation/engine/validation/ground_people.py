"""Where the torso's mass centre lies in the people of the shipped squats, by their own movement."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import BodyScale, load_body, write_osim
from generation.engine.body.segment_masses import published_masses
from generation.engine.motion_data import load_repetitions
from generation.engine.physics.calibration import UNBIASED, Recording, calibrate
from generation.engine.physics.derivatives import differentiate

MARKER_SOURCE = "ui-prmd"  # motion capture; video makes the centre of pressure jump by decimetres
EDGE = 5  # frames left out at both ends of a repetition
ANY_MASS_KG = 70.0  # the centre of pressure does not depend on it


def torso_of_people(folder: Path, cache: Path | str | None = None) -> dict[str, tuple[float, float]]:
    """Person -> how far forward and up of its published place the torso's mass centre lies, m. folder: for scratch.

    Nobody's sex is known: the masses are the mean of both.
    """
    people = defaultdict(list)
    for repetition in load_repetitions():
        if repetition.subject.source == MARKER_SOURCE:
            people[repetition.subject.name].append(repetition)
    found = {}
    for name, repetitions in people.items():
        subject = repetitions[0].subject
        scale = BodyScale(subject.factors, ANY_MASS_KG, subject.height_m, MARKER_SOURCE)
        body = load_body(write_osim(scale, Path(folder) / f"{name}.osim"), cache)
        learnt = calibrate(body, sex="other", moving=[_recording(one) for one in repetitions], torso=UNBIASED)
        published = published_masses(body.packed, "other")[1][body.bodies.index("torso")]
        place = learnt.mass_centres_m["torso"]
        found[name] = (place[0] - float(published[0]), place[1] - float(published[1]))
    return found


def _recording(repetition) -> Recording:
    q = torch.as_tensor(repetition.values.astype(float))
    use = np.ones(len(q), bool)
    use[:EDGE] = use[-EDGE:] = False
    return Recording(*differentiate(q, repetition.frame_rate), repetition.frame_rate, frames=use)
