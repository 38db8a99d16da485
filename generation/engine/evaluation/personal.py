"""Starting from somebody's own squat: a held-out person's recording and a limit that it breaks go in. How near does
what comes out stay, and does it keep the limit?"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from generation.engine.body import COORDINATES
from generation.engine.evaluation.baselines import Training
from generation.engine.evaluation.checker import hard_limits
from generation.engine.evaluation.delivered import deliver, read_delivered
from generation.engine.evaluation.motions import FRAME_RATE, columns, cut, in_phase, smoothed
from generation.engine.evaluation.people import Person, depth_and_tempo
from generation.engine.evaluation.placing import closed, place, times_of
from generation.engine.evaluation.realism import ANGLES
from generation.engine.evaluation.store import Store
from generation.engine.formats import Motion, write_mot
from generation.engine.metrics import measure
from generation.engine.motion_data.dataset import Repetition
from generation.engine.motion_model import MotionModel
from generation.engine.motion_model.preparation import channels_of
from generation.engine.profile import Profile

# variable -> how far inside of what the person does the limit lies, degrees (E)
LIMITS = {"knee_flexion": 15.0, "trunk_forward_lean": 8.0, "hip_flexion": 12.0}
CANDIDATES = 4
SIZES = np.linspace(1.0, 0.3, 15)       # of a movement that is made smaller until it keeps the limits


def cases(person: Person) -> list[tuple[str, Repetition, Profile]]:
    """(limited variable, own squat, profile) for one person: the first squat with each limit."""
    squat = person.squats[0]
    own = measure(person.fitted, torch.as_tensor(squat.values), squat.frame_rate)
    found = []
    for variable, inside in LIMITS.items():
        highest = round(float(own.measured.series[variable].max()) - inside, 1)
        constraint = {"variable": variable, "max": highest, "unit": "deg", "source": "evaluation"}
        found.append((variable, squat, person.parsed(constraints=[constraint])))
    return found


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """RMS difference in degrees over the phase and all angles of legs, pelvis and trunk, (time, coordinate) each."""
    a, b = (columns(in_phase(cut(smoothed(values))), ANGLES) for values in (one, other))
    return float(np.sqrt(((a - b) ** 2).mean()))


def keeps(person: Person, values: np.ndarray, variable: str, profile: Profile) -> bool:
    """Whether a placed motion keeps the limit on ``variable``."""
    measured = measure(person.made, torch.as_tensor(values), FRAME_RATE)
    limits = [limit for limit in hard_limits(profile) if limit.variable == variable]
    return all(check.satisfied for check in measured.check(limits))


def smaller_until_kept(person: Person, pose: np.ndarray, channels: np.ndarray, at: np.ndarray, variable: str,
                       profile: Profile) -> np.ndarray | None:
    """The movement, planted, made smaller until it keeps the limit; None where no size does."""
    for size in SIZES:
        values = place(person.made, pose, channels * size, at, planted=True)
        if keeps(person, values, variable, profile):
            return values
    return None


def personal_motions(people: list[Person], training: Training, store: Store, model: MotionModel, device: str | None,
                     tell: Callable[[str], None]) -> list[dict]:
    """One record for each person and limit: distances in degrees from the own squat of the delivered motion that is
    nearest to it, of the nearest training squat and of the own squat made smaller; None where the limit was not kept.
    """
    found = []
    for person in people:
        for variable, squat, profile in cases(person):
            tell(f"own squat of {person.name}, {variable}")
            name = f"personal/{person.name}-{variable}"
            own_file = _own_file(store.folder / "own" / f"{person.name}.mot", squat)
            asked = profile.model_copy(update={"reference_motion": str(own_file)})
            delivery = deliver(store, name, asked, CANDIDATES, 0, model, device)
            near = [distance(read_delivered(path), squat.values) for path in delivery.accepted]
            own = channels_of([squat])
            at = times_of(*depth_and_tempo(squat.values, squat.frame_rate)[1:])
            row = int((training.channels - own).square().sum((1, 2)).argmin())
            others = {
                "nearest training squat": (training.poses[row], training.channels[[row]]),
                "own squat made smaller": (squat.subject.standing, own),
            }
            record = {"person": person.name, "limit": variable, "accepted": len(near), "of": CANDIDATES,
                      "refused": delivery.refused, "ours": min(near, default=None),
                      "own squat as it is, planted": distance(
                          place(person.made, squat.subject.standing, closed(own)[0].double().numpy(), at, True),
                          squat.values)}
            for other, (pose, channels) in others.items():
                values = smaller_until_kept(person, pose, closed(channels)[0].double().numpy(), at, variable, profile)
                record[other] = None if values is None else distance(values, squat.values)
            found.append(record)
    return found


def _own_file(path: Path, squat: Repetition) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        write_mot(path, Motion(COORDINATES, squat.values, squat.frame_rate), path.stem)
    return path
