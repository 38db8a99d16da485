"""Random profiles that somebody can surely fulfil: each has a witness.

A person (sex, age, height, build) is one of PEOPLE drawn ones. A real squat of a training person, placed on this body
with flat feet at a drawn depth and tempo, is measured by the fast route. Limits of every kind are drawn around what
that squat does, each with slack, and a condition's preset is added where the squat keeps it. A profile counts as
feasible when its witness keeps every one of its hard limits by the same checks that a delivered motion has to pass.
Neither the motion model nor guidance has a part in that, only the placing of feet and arms, which every motion shares.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from generation.engine.body import TorchBody, body_scale, personal_body
from generation.engine.evaluation.baselines import Training
from generation.engine.evaluation.checker import hard_limits
from generation.engine.evaluation.motions import FRAME_RATE
from generation.engine.evaluation.placing import closed, place, resized
from generation.engine.limits import MODEL_LIMITS, Limit, LimitConflict, intersect
from generation.engine.metrics import LoadMeter, measure
from generation.engine.motion_model.channels import BOTTOM, FRAMES
from generation.engine.presets import CONDITIONS, preset_limits
from generation.engine.profile import Profile, ProfileError, parse_profile
from generation.engine.variables import BOTH, SIDES, VARIABLES

AGES, BUILD = (18, 85), (18.5, 34.0)             # years; kg/m2 of height
HEIGHTS = {"female": (1.63, 0.064), "male": (1.756, 0.069)}      # ANSUR II, m: mean and deviation (R)
HEIGHT_RANGE = (1.46, 1.96)
KNEE_DEG, DESCENT_S, ASCENT_S, PAUSE_S = (35.0, 120.0), (1.0, 3.0), (0.9, 2.5), (0.0, 1.0)
HOLD_S = 0.4                                     # upright before and after, as delivered
CONDITION_SHARE, TEMPO_SHARE = 0.4, 0.5          # of profiles with a condition's preset; with a prescribed tempo
MOST_LIMITS = 4
MOST_TRIES = 200
PEOPLE = 40                                      # different bodies: making one ready costs many seconds (E)
TOGETHER, FOR_EACH = 2, 50                       # bodies take turns two by two, for so many profiles
# Slack between the witness and a limit, in the variable's unit: drawn between one and four times this (E).
SLACK = {"deg": 4.0, "cm": 1.0, "%": 4.0, "m/s": 0.06, "deg/s": 15.0, "m/s2": 0.5, "Nm/kg": 0.12, "body weights": 0.5}
ONE_SIDED = 0.25                                 # share of limits on sided variables that concern one side only
ONE_PHASE = 0.25                                 # share of limits that concern one phase, where a variable has phases
# What is limited upwards (a person is protected), downwards (something is asked for), or either way.
UPWARDS = (
    "knee_flexion", "hip_flexion", "ankle_dorsiflexion", "lumbar_flexion", "trunk_forward_lean", "trunk_lateral_lean",
    "hip_adduction", "hip_internal_rotation", "knee_flexion_peak", "thigh_inclination_peak", "trunk_forward_lean_peak",
    "lumbar_flexion_change", "pelvis_drop", "pelvis_drop_percent", "knee_flexion_asymmetry", "hip_flexion_asymmetry",
    "ankle_dorsiflexion_asymmetry", "knee_medial_displacement", "com_speed_peak", "knee_flexion_speed_peak",
    "quadriceps_activation_peak", "vastus_medialis_activation_peak", "gluteus_maximus_activation_peak",
    "knee_extension_moment_peak", "hip_extension_moment_peak", "ankle_plantarflexion_moment_peak",
    "tibiofemoral_force_peak", "patellofemoral_force_peak", "hip_force_peak", "knee_extension_demand_peak",
    "foot_load_share", "com_acceleration_peak")
DOWNWARDS = ("knee_flexion_peak", "thigh_inclination_peak", "pelvis_drop", "margin_of_stability",
             "static_balance_margin", "vastus_medialis_activation_peak", "knee_extension_moment_peak")


@dataclass(frozen=True)
class RandomProfile:
    """A feasible profile; ``kinds`` are the variables drawn and the condition, for the table of what fails."""

    profile: dict
    kinds: tuple[str, ...]

    def parsed(self) -> Profile:
        return parse_profile(self.profile)


def random_profile(number: int, training: Training) -> RandomProfile:
    """The profile of that number. Raises RuntimeError where no draw was feasible (not seen)."""
    rng = np.random.default_rng([7, number])
    body = number % TOGETHER + TOGETHER * (number // FOR_EACH)
    person = _person(np.random.default_rng([11, body % PEOPLE]))
    witness = _Witness(person, training)
    for _ in range(MOST_TRIES):
        witness.move(rng)
        if witness.motion is None:
            continue
        drawn = _drawn(rng, person, witness)
        try:
            profile = parse_profile(drawn.profile)
            limits = hard_limits(profile)
            intersect(limits)
        except (ProfileError, LimitConflict):
            continue
        if all(check.satisfied for check in witness.measured.check(limits)):
            return drawn
    raise RuntimeError(f"no feasible profile in {MOST_TRIES} draws for number {number}")


def _person(rng: np.random.Generator) -> dict:
    sex = str(rng.choice(["female", "male"]))
    mean, deviation = HEIGHTS[sex]
    height = float(np.clip(rng.normal(mean, deviation), *HEIGHT_RANGE))
    return {"sex": sex, "age_years": float(rng.integers(*AGES)), "height_m": round(height, 3),
            "mass_kg": round(float(rng.uniform(*BUILD)) * height**2, 1)}


class _Witness:
    """A real squat on this person's body."""

    def __init__(self, person: dict, training: Training) -> None:
        profile = parse_profile(person)
        self.training = training
        self.body = TorchBody(body_scale(profile), dtype=torch.float64)
        self.meter = LoadMeter(personal_body(profile))
        self.motion, self.measured, self.tempo = None, None, None

    def move(self, rng: np.random.Generator) -> None:
        """Another squat, depth and tempo; ``motion`` stays None where it breaks what is built in."""
        self.motion = None
        row = int(rng.integers(len(self.training.channels)))
        pose = self.training.poses[row]
        down, up, pause = (round(float(rng.uniform(*span)), 2) for span in (DESCENT_S, ASCENT_S, PAUSE_S))
        pause = pause if rng.random() < 0.3 else 0.0
        channels = closed(self.training.channels[row][None])[0].double().numpy()
        stands_and_sinks = np.array([0.0, BOTTOM])
        found = place(self.body, pose, channels, stands_and_sinks, planted=True)
        channels = channels * resized(1.0, pose, found, float(rng.uniform(*KNEE_DEG)))
        motion = place(self.body, pose, channels, eased(down, pause, up), planted=True)
        measured = measure(self.body, torch.as_tensor(motion), FRAME_RATE)
        if not all(check.satisfied for check in measured.check(MODEL_LIMITS)):
            return
        self.motion, self.measured, self.tempo = motion, measured, measured.phases
        loads = self.meter.measure([motion], FRAME_RATE, [measured.phases])[0]
        measured.add_loads(loads, torch.as_tensor(motion))


def eased(descent_s: float, pause_s: float, ascent_s: float) -> np.ndarray:
    """Places in a movement of FRAMES samples at 60 Hz: standing, even descent, hold, even ascent, standing."""
    edges = np.cumsum([0, HOLD_S, descent_s, max(pause_s, 1e-6), ascent_s, HOLD_S])
    times = np.arange(int(np.ceil(edges[-1] * FRAME_RATE)) + 1) / FRAME_RATE
    return np.interp(times, edges, [0, 0, BOTTOM, BOTTOM, FRAMES - 1, FRAMES - 1])


def _drawn(rng: np.random.Generator, person: dict, witness: _Witness) -> RandomProfile:
    profile, kinds = dict(person), []
    if rng.random() < CONDITION_SHARE:
        condition = _condition(rng, witness)
        if condition:
            profile["conditions"] = [condition]
            kinds.append(f"condition {condition['name']}")
    if rng.random() < TEMPO_SHARE:
        profile["tempo"] = {name: round(max(least, getattr(witness.tempo, name)), 2) for name, least in
                            (("descent_s", 0.5), ("pause_s", 0.0), ("ascent_s", 0.5))}
        kinds.append("tempo")
    count = int(rng.integers(1, MOST_LIMITS + 1))
    names = rng.choice([*(f"{name} max" for name in UPWARDS), *(f"{name} min" for name in DOWNWARDS)], count,
                       replace=False)
    profile["constraints"] = []
    for name in names:
        constraint = _constraint(rng, *name.split(" "), witness)
        if constraint:
            profile["constraints"].append(constraint)
            kinds.append(str(name) + (f" in the {constraint['phase']}" if constraint["phase"] else ""))
    return RandomProfile(profile, tuple(kinds))


def _condition(rng: np.random.Generator, witness: _Witness) -> dict | None:
    """A condition whose preset the witness keeps, or None."""
    for name in rng.permutation(sorted(CONDITIONS)):
        known = CONDITIONS[str(name)]
        phase = str(rng.choice(known.phases)) if known.phases else None
        side = str(rng.choice(SIDES)) if known.sided else None
        preset = preset_limits(known.name, phase, side)
        if preset.refused or not preset.limits:
            continue
        if all(check.satisfied for check in witness.measured.check(preset.limits)):
            return {"name": known.name} | ({"phase": phase} if phase else {}) | ({"side": side} if side else {})
    return None


def _constraint(rng: np.random.Generator, variable: str, bound: str, witness: _Witness) -> dict | None:
    known = VARIABLES[variable]
    side = (str(rng.choice(SIDES)) if rng.random() < ONE_SIDED else BOTH) if known.sided else None
    phase = str(rng.choice(known.phases)) if known.phases and rng.random() < ONE_PHASE else ""
    done = witness.measured.check([Limit(variable, side, min=known.lowest, phase=phase)])[0]
    if not np.isfinite([done.lowest, done.highest]).all():
        return None
    slack = SLACK[known.unit] * rng.uniform(1, 4)
    value = done.highest + slack if bound == "max" else done.lowest - slack
    if not known.lowest < value < known.highest:          # would limit nothing, or may not be asked
        return None
    constraint = {"variable": variable, bound: round(value, 2), "unit": known.unit, "source": "drawn", "phase": phase}
    return constraint | ({"side": side} if side else {})
