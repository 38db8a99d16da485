"""One person's mass distribution and habits of standing, from the little that a clinic can measure.

Three steps, each usable without the next:
- the scale: the total mass;
- kinematics only: published segment masses instead of the model's, and a few seconds of quiet standing, in which the
  centre of pressure is taken to lie a stated way in front of the ankles: this moves the torso's mass centre fore-aft;
- force plates, once: any motion with measured forces moves the torso's mass centre forward and up, and tells how the
  feet press.
"Torso mass centre" stands for all that the rigid torso gets wrong: a back that rounds, a head that stays level.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from generation.engine.body.model import BodyModel, load_body
from generation.engine.physics.chain import constants
from generation.engine.physics.dynamics import _body_forces as body_forces
from generation.engine.physics.ground_habits import fit_habits
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.ground_split import Habits
from generation.engine.physics.segment_masses import published_masses

# How far before the ankle joints the centre of pressure lies in quiet standing, m: R, textbooks say 4 to 6 cm.
STANDING_BEFORE_ANKLE_M = 0.05
TORSO_SPREAD_M = (0.03, 0.08)  # E: what the torso's mass centre is believed to be wrong by, forward and up
PRESSURE_SPREAD_M = 0.01  # E: what is left of a centre of pressure when the masses are right
STEP_M = 0.01  # the moment of a turning torso is not quite linear in its mass centre
INDEPENDENT_S = 0.2  # E: frames closer than this repeat each other


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
    uncertainty: Mapping[str, object] = field(default_factory=dict)

    def apply(self, body: BodyModel, cache=None) -> BodyModel:
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
              standing: Recording | None = None, plates: Sequence[Recording] = ()) -> Calibration:
    """Learn what the given measurements tell.

    mass_kg: by a scale. sex: take published segment masses for it (female, male, other) instead of the model's.
    standing: quiet standing; only its frames' mean is used. plates: recordings with measured forces. Raises ValueError
    for a mass that is not positive, plates without forces, or a model without a torso.
    """
    from generation.engine.body import TorchBody

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
    torso = names.index("torso")
    shift = np.zeros(2)
    if standing is not None and not plates:
        shift[0] = _standing_shift(torch_body, mass, centre, torso, standing)
        steps.append(f"Torso mass centre {100 * shift[0]:+.1f} cm forward, so that the centre of pressure of quiet "
                     f"standing lies {100 * STANDING_BEFORE_ANKLE_M:.0f} cm before the ankles.")
    if plates:
        if any(recording.plates is None for recording in plates):
            raise ValueError("plates must be recordings with measured forces")
        shift = _plates_shift(torch_body, mass, centre, torso, plates)
        steps.append(f"Torso mass centre {100 * shift[0]:+.1f} cm forward and {100 * shift[1]:+.1f} cm up, by force "
                     "plates.")
    centre[torso, :2] += shift
    found = Calibration(
        MappingProxyType({name: float(mass[i]) for i, name in enumerate(names) if mass[i] != packed["mass"][i]}),
        MappingProxyType({name: tuple(map(float, centre[i])) for i, name in enumerate(names)
                          if np.any(centre[i] != packed["mass_centre"][i])}), steps=tuple(steps))
    if plates:
        moved = TorchBody(found.apply(body), dtype=torch.float64)
        habits = fit_habits(moved, [(r.q, r.u, r.udot, r.plates, _chosen(r)) for r in plates])
        found = replace(found, habits=habits, steps=(*steps, "Habits of the feet by force plates."))
    return found


def _chosen(recording: Recording) -> np.ndarray:
    count = len(recording.q)
    return np.ones(count, bool) if recording.frames is None else np.asarray(recording.frames, bool)


def _wrenches(body, mass, centre, torso: int, recording: Recording):
    """The total's force and moment about the ground origin (time, 3), and their changes (2, time, 3) per metre by which
    the torso's mass centre lies further forward, and up."""
    c = constants(body)
    flat, rate, change = (x.double().T.contiguous() for x in (recording.q, recording.u, recording.udot))
    position, rotation, _ = body.tree(flat)

    def total(at):
        grow = torch.as_tensor(mass / body.packed["mass"]).to(c.mass)
        now = replace(c, mass=torch.as_tensor(mass)[:, None].to(c.mass), inertia=c.inertia * grow[:, None],
                      mass_centre=torch.as_tensor(at.T[..., None].copy()).to(c.mass))
        force, moment, _ = body_forces(now, flat, rate, change, position, rotation)
        return force.sum(1).T.numpy(), moment.sum(1).T.numpy()

    force, moment = total(centre)
    changes = []
    for axis in (0, 1):
        moved = centre.copy()
        moved[torso, axis] += STEP_M
        changes.append([(after - before) / STEP_M
                        for after, before in zip(total(moved), (force, moment), strict=True)])
    return force, moment, np.array([one[0] for one in changes]), np.array([one[1] for one in changes])


def _standing_shift(body, mass, centre, torso: int, recording: Recording) -> float:
    use = _chosen(recording)
    with torch.no_grad():
        centres = body.joint_centres(body(recording.q.double()))
    ankle = ((centres["ankle_r"] + centres["ankle_l"]) / 2).numpy()[use, 0].mean()
    force, moment, push, turn = _wrenches(body, mass, centre, torso, recording)
    place = ankle + STANDING_BEFORE_ANKLE_M
    wrong = (moment[use, 2] - place * force[use, 1]).mean()
    return float(-wrong / (turn[0, use, 2] - place * push[0, use, 1]).mean())


def _plates_shift(body, mass, centre, torso: int, recordings) -> np.ndarray:
    """Least squares of the fore-aft centre of pressure, held by what is believed of the torso."""
    normal, pull = np.diag(1 / np.square(TORSO_SPREAD_M)), np.zeros(2)
    for recording in recordings:
        use = _chosen(recording)
        force, moment, push, turn = _wrenches(body, mass, centre, torso, recording)
        plate_force, plate_moment = (part.double().numpy() for part in recording.plates.total())
        place = plate_moment[:, 2] / plate_force[:, 1]
        wrong = ((moment[:, 2] - place * force[:, 1]) / force[:, 1])[use]
        rows = ((turn[:, :, 2] - place * push[:, :, 1]) / force[:, 1])[:, use].T
        trust = 1 / (PRESSURE_SPREAD_M**2 * max(INDEPENDENT_S * recording.frame_rate, 1.0))
        normal += trust * rows.T @ rows
        pull -= trust * rows.T @ wrong
    return np.linalg.solve(normal, pull)
