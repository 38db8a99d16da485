"""One person's mass distribution and habits of standing, from what a clinic can measure.

Each step is usable without the next:
- the scale: the total mass;
- published segment masses instead of the model's;
- quiet standing, some seconds: the centre of pressure is taken to lie a stated way before the ankles, which places the
  torso's mass centre fore-aft;
- any recorded movement on two feet: wrong masses make the computed centre of pressure jump whenever the body speeds up
  or slows down. The height of the torso's mass centre is the one with which it wanders most calmly;
- force plates, once: any motion with measured forces gives both, and tells how the feet press.
"Torso mass centre" stands for all that a rigid torso gets wrong: a back that rounds, a head that stays level.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import BodyModel, TorchBody, load_body
from generation.engine.body.segment_masses import TORSO_SHIFT_M, published_masses
from generation.engine.physics.chain import constants
from generation.engine.physics.dynamics import body_forces
from generation.engine.physics.ground_habits import fit_habits
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.ground_split import Habits
from generation.engine.physics.ground_uncertainty import ground_uncertainty, mass_level

# How far before the ankle joints the centre of pressure lies in quiet standing, m: R, textbooks say 4 to 6 cm.
STANDING_BEFORE_ANKLE_M = 0.05
PRESSURE_SPREAD_M = 0.01  # E: what is left of a centre of pressure when the masses are right
STANDING_SPREAD_M = 0.005  # E: how well that is known of one person
PRESSURE_SPEED_M_S = 0.2  # E: how fast a centre of pressure really wanders in squats (plates: 0.15 to 0.29 m/s rms)
STEPS = 3  # Gauss-Newton; the moment of a turning torso is not quite linear in its mass centre
STEP_M = 0.01  # of the differences
INDEPENDENT_S = 0.2  # E: frames closer than this repeat each other


@dataclass(frozen=True)
class Belief:
    """Where the torso's mass centre is believed to lie before anything is measured: forward and up of where the masses
    put it, m, and how far off that may be (standard deviation)."""

    shift_m: tuple[float, float]
    spread_m: tuple[float, float]


UNBIASED = Belief((0.0, 0.0), (0.02, 0.10))  # E
TYPICAL = Belief(TORSO_SHIFT_M, (0.02, 0.03))  # as a personal body has it; the spread of people, E


@dataclass(frozen=True)
class Recording:
    """A motion of the person as `differentiate` gives it, (time, coordinate), with forces where plates were there."""

    q: Tensor
    u: Tensor
    udot: Tensor
    frame_rate: float
    plates: GroundReaction | None = None
    frames: np.ndarray | None = None  # (time,) bool: which frames to use; None: all. Leave out what a seat carries


@dataclass(frozen=True)
class Calibration:
    """What was learnt of a person. Without any calibration: `Calibration()`."""

    masses_kg: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))  # bodies that change
    mass_centres_m: Mapping[str, tuple[float, float, float]] = field(default_factory=lambda: MappingProxyType({}))
    habits: Habits = field(default_factory=Habits)
    steps: tuple[str, ...] = ()  # sentences: what was done, in order
    level: str = "nothing"  # how much is known: one of `ground_uncertainty.LEVELS`

    @property
    def uncertainty(self) -> Mapping[str, object]:
        """How wrong an estimate with this calibration is, see `ground_uncertainty`."""
        return ground_uncertainty(self.level)

    def apply(self, body: BodyModel, cache: Path | str | None = None) -> BodyModel:
        """`body` with this mass distribution, as a new `.osim`: both routes read it. Inertia follows the mass."""
        if not self.masses_kg and not self.mass_centres_m:
            return body
        root = ElementTree.fromstring(body.osim)  # noqa: S314 - `load_body` has read these bytes under guard
        found = {element.get("name"): element for element in root.iter("Body")}
        for name in {*self.masses_kg, *self.mass_centres_m}:
            if name not in found:
                raise ValueError(f"the calibration names {name!r}, which is no body of this model")
        for name, mass in self.masses_kg.items():
            element = found[name].find("mass")
            grow = mass / float(element.text)
            element.text = repr(float(mass))
            inertia = found[name].find("inertia")
            if inertia is not None:
                inertia.text = " ".join(repr(float(value) * grow) for value in inertia.text.split())
        for name, centre in self.mass_centres_m.items():
            found[name].find("mass_center").text = " ".join(repr(float(value)) for value in centre)
        return load_body(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), cache,
                         height_m=body.height_m, notes=(*body.notes, *self.steps))


def calibrate(body: BodyModel, *, mass_kg: float | None = None, sex: str | None = None,
              standing: Recording | None = None, moving: Sequence[Recording] = (),
              plates: Sequence[Recording] = (), torso: Belief | None = None,
              cache: Path | str | None = None) -> Calibration:
    """Learn what the given measurements tell.

    mass_kg: by a scale. sex: take published segment masses for it (female, male, other) instead of the model's, and the
    torso's mass centre where it typically is. torso: another belief; None: TYPICAL with a sex, else UNBIASED.
    standing: quiet standing; only its frames' mean is used. moving: movements on two feet, nothing else touched (leave
    frames out by `Recording.frames`); the longer the better. plates: recordings with measured forces; where they are
    given, standing and moving are not needed and not used. cache: as of `load_body`. Raises ValueError for a mass that
    is not positive or plates without forces.
    """
    packed, names = body.packed, list(body.bodies)
    mass, centre = packed["mass"].astype(float), packed["mass_centre"].astype(float).copy()
    steps = []
    if sex is not None:
        mass, centre = published_masses(packed, sex)
        steps.append(f"Segment masses by de Leva (1996), {sex}.")
    if mass_kg is not None:
        if not mass_kg > 0:
            raise ValueError(f"mass_kg must be positive, got {mass_kg!r}")
        mass = mass * (mass_kg / mass.sum())
        steps.append(f"Total mass {mass_kg:.1f} kg by a scale.")
    torch_body = TorchBody(body, dtype=torch.float64)
    if plates and any(recording.plates is None for recording in plates):
        raise ValueError("plates must be recordings with measured forces")
    equations = [_by_plates(recording) for recording in plates] if plates else [
        *([_by_standing(torch_body, standing)] if standing is not None else []), *map(_by_calm, moving)]
    belief = torso or (TYPICAL if sex is not None else UNBIASED)
    index = names.index("torso")
    shift = _torso_shift(torch_body, mass, centre, index, equations, belief)
    if np.any(shift):
        learnt = ["force plates"] * bool(plates) or (["quiet standing"] * (standing is not None)
                                                     + ["a calm centre of pressure"] * bool(moving))
        steps.append(f"Torso mass centre {100 * shift[0]:+.1f} cm forward and {100 * shift[1]:+.1f} cm up, by "
                     f"{' and '.join(learnt) or 'what is typical'}.")
    centre[index, :2] += shift
    found = Calibration(
        MappingProxyType({name: float(mass[i]) for i, name in enumerate(names) if mass[i] != packed["mass"][i]}),
        MappingProxyType({name: tuple(map(float, centre[i])) for i, name in enumerate(names)
                          if np.any(centre[i] != packed["mass_centre"][i])}),
        steps=tuple(steps),
        level="force plates" if plates else "published masses" if sex is not None else mass_level(packed))
    if plates:
        moved = TorchBody(found.apply(body, cache), dtype=torch.float64)
        habits = fit_habits(moved, [(r.q, r.u, r.udot, r.plates, _chosen(r)) for r in plates])
        found = replace(found, habits=habits, steps=(*steps, "Habits of the feet by force plates."))
    return found


def _chosen(recording: Recording) -> np.ndarray:
    count = len(recording.q)
    return np.ones(count, bool) if recording.frames is None else np.asarray(recording.frames, bool)


def _torso_shift(body, mass, centre, torso: int, equations, belief: Belief) -> np.ndarray:
    """(forward, up) m: least squares over the equations, each (recording, its fore-aft centres of pressure (time,) m ->
    residuals in standard deviations, linear), held by what is believed of the torso."""
    shift, trust = np.array(belief.shift_m), 1 / np.square(belief.spread_m)
    for _ in range(STEPS if equations else 0):
        normal, pull = np.diag(trust), trust * (np.array(belief.shift_m) - shift)
        for recording, residuals in equations:
            moved = centre.copy()
            moved[torso, :2] += shift
            places = [_pressure(body, mass, moved, recording)]
            for axis in (0, 1):
                further = moved.copy()
                further[torso, axis] += STEP_M
                places.append(_pressure(body, mass, further, recording))
            wrong, *changed = (residuals(place) for place in places)
            rows = np.stack([(one - wrong) / STEP_M for one in changed], 1)
            normal += rows.T @ rows
            pull -= rows.T @ wrong
        shift = shift + np.linalg.solve(normal, pull)
    return shift


def _pressure(body, mass, centre, recording: Recording) -> np.ndarray:
    """(time,) m, the fore-aft centre of pressure of the whole body with the given masses and mass centres."""
    c = constants(body)
    flat, rate, change = (x.double().T.contiguous() for x in (recording.q, recording.u, recording.udot))
    position, rotation, _ = body.tree(flat)
    grow = torch.as_tensor(mass / body.packed["mass"]).to(c.mass)
    now = replace(c, mass=torch.as_tensor(mass)[:, None].to(c.mass), inertia=c.inertia * grow[:, None],
                  mass_centre=torch.as_tensor(centre.T[..., None].copy()).to(c.mass))
    with torch.no_grad():
        force, moment, _ = body_forces(now, flat, rate, change, position, rotation)
    return (moment.sum(1)[2] / force.sum(1)[1]).numpy()


def _repeats(recording: Recording) -> float:
    """How many neighbouring frames say the same once."""
    return max(INDEPENDENT_S * recording.frame_rate, 1.0)


def _by_standing(body, recording: Recording):
    use = _chosen(recording)
    with torch.no_grad():
        centres = body.joint_centres(body(recording.q.double()))
    place = ((centres["ankle_r"] + centres["ankle_l"]) / 2).numpy()[use, 0].mean() + STANDING_BEFORE_ANKLE_M
    return recording, lambda found: np.array([(found[use].mean() - place) / STANDING_SPREAD_M])


def _by_calm(recording: Recording):
    use = _chosen(recording)
    both = use[1:] & use[:-1]
    scale = recording.frame_rate / PRESSURE_SPEED_M_S / np.sqrt(_repeats(recording))
    return recording, lambda found: np.diff(found)[both] * scale


def _by_plates(recording: Recording):
    use = _chosen(recording)
    force, moment = (part.double().numpy() for part in recording.plates.total())
    place = moment[use, 2] / force[use, 1]
    return recording, lambda found: (found[use] - place) / PRESSURE_SPREAD_M / np.sqrt(_repeats(recording))
