"""The people of the evaluation: their recorded squats, their bodies, and what is asked of the generator for them."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from generation.engine.body import COORDINATES, BodyModel, BodyScale, TorchBody, body_scale, personal_body
from generation.engine.metrics import LoadMeter, measure_phases
from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.dataset import Repetition
from generation.engine.motion_model.preparation import split_by_person
from generation.engine.profile import Profile, parse_profile

# Nobody was weighed and nobody's sex and age are told, except one man's mass: the rest is ours (E).
MASS_PER_HEIGHT2 = 24.0          # kg/m2, E
AGE_YEARS = 27.0                 # E: "healthy, mostly young"
TOLD = {"cmbbe2024": {"sex": "male", "mass_kg": 80.0}}
TALLEST_M = 2.0                  # of a fitted model whose source has no markers the size is a guess: not taller (E)
_KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
_HEIGHT = COORDINATES.index("pelvis_ty")


@dataclass(frozen=True, eq=False)
class Person:
    """One recorded person. ``squats`` are those performed as instructed; ``size`` is the body fitted to the markers,
    ``profile`` what a clinician would enter for this person (and what the generator is given)."""

    name: str
    squats: tuple[Repetition, ...]
    size: BodyScale
    profile: dict

    def parsed(self, **more) -> Profile:
        return parse_profile({**self.profile, **more})

    @cached_property
    def fitted(self) -> TorchBody:
        """The body on which the recorded squats live."""
        return TorchBody(self.size, dtype=torch.float64)

    @cached_property
    def made(self) -> TorchBody:
        """The body that the generator makes from the profile."""
        return TorchBody(body_scale(self.parsed()), dtype=torch.float64)

    @cached_property
    def fitted_meter(self) -> LoadMeter:
        return LoadMeter(personal_body(self.parsed(), scale=self.size))

    @cached_property
    def made_body(self) -> BodyModel:
        return personal_body(self.parsed())

    @cached_property
    def made_meter(self) -> LoadMeter:
        return LoadMeter(self.made_body)


@dataclass(frozen=True)
class Request:
    """What is asked for the body of a held-out person: the tempo of one squat of a training person, and of the simple
    baselines, which know no natural depth, that squat's depth."""

    person: str
    knee_deg: float              # greatest knee flexion, mean of both sides
    descent_s: float
    ascent_s: float
    seed: int
    source: str                  # the training squat

    def fields(self) -> dict:
        """Of the profile: the tempo. How deep people go unasked the generator has to know by itself."""
        return {"tempo": {"descent_s": self.descent_s, "pause_s": 0.0, "ascent_s": self.ascent_s}}


LEAST_REPETITION_S = 2.05        # what is built in asks for 2 s at least
DEEPEST_SHARE = 0.96             # of the body's knee range: no deeper is asked (E)


def groups() -> dict[str, list[Person]]:
    """"train", "validation" and "test" -> people, each with the squats performed as instructed."""
    split = split_by_person(load_repetitions())
    found = {}
    for name in ("train", "validation", "test"):
        own: dict[str, list[Repetition]] = {}
        for repetition in getattr(split, name):
            if repetition.correct:
                own.setdefault(repetition.subject.name, []).append(repetition)
        found[name] = [_person(squats) for _, squats in sorted(own.items())]
    return found


def requests(people: list[Person], training: list[Person], each: int, seed: int) -> list[Request]:
    """``each`` requests for every ten squats of a held-out person (at least one). Each is the depth and tempo of a
    training squat; all of these are used before one is used again."""
    rng = np.random.default_rng(seed)
    pool = [squat for person in training for squat in person.squats]
    order = iter([])
    found = []
    for person in people:
        top = DEEPEST_SHARE * float(np.degrees(person.made.upper[_KNEES].min()))
        for number in range(max(1, round(each * len(person.squats) / 10))):
            pick = next(order, None)
            if pick is None:
                order = iter(rng.permutation(len(pool)))
                pick = next(order)
            squat = pool[pick]
            knee, down, up = depth_and_tempo(squat.values, squat.frame_rate)
            slower = max(1.0, LEAST_REPETITION_S / (down + up))
            found.append(Request(person.name, round(min(knee, top), 1), round(down * slower, 3),
                                 round(up * slower, 3), seed * 1000 + number, squat.name))
    return found


def depth_and_tempo(values: np.ndarray, frame_rate: float) -> tuple[float, float, float]:
    """Greatest knee flexion (degrees, mean of both sides), descent and ascent in seconds; a pause is halved."""
    times = np.arange(len(values)) / frame_rate
    phases = measure_phases(values[:, _HEIGHT], times)
    return (float(np.degrees(values[:, _KNEES].mean(1).max())), phases.descent_s + phases.pause_s / 2,
            phases.ascent_s + phases.pause_s / 2)


def _person(squats: list[Repetition]) -> Person:
    subject = squats[0].subject
    told = {"sex": "other", "mass_kg": round(MASS_PER_HEIGHT2 * subject.height_m**2, 1)} | TOLD.get(subject.name, {})
    size = BodyScale(subject.factors, told["mass_kg"], subject.height_m, "fitted to markers")
    profile = {**told, "age_years": AGE_YEARS, "height_m": round(min(subject.height_m, TALLEST_M), 3),
               "segment_lengths_m": _lengths(TorchBody(size, dtype=torch.float64))}
    return Person(subject.name, tuple(squats), size, profile)


def _lengths(body: TorchBody) -> dict[str, float]:
    """Thigh and shank in metres, as a clinician would measure them: between joint centres."""
    with torch.no_grad():
        centres = body.joint_centres(body(body.neutral()))
    return {"thigh": round(float((centres["hip_r"] - centres["knee_r"]).norm()), 3),
            "shank": round(float((centres["knee_r"] - centres["ankle_r"]).norm()), 3)}
