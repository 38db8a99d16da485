"""The limits of a delivered motion, measured once more by OpenSim on the delivered model file.

The same limits, variables and tolerances as in `metrics`; only the body is another one: OpenSim places it, from the
bytes of the `.osim`, and its coordinates' ranges are those that stand in the file. Limits on loads are read from an
analysis by OpenSim.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from generation.engine.analysis.analyse import motion_in
from generation.engine.analysis.result import Analysis
from generation.engine.body import BODIES, COORDINATES, JOINT_CENTRES, BodyModel
from generation.engine.body.osim_file import open_osim
from generation.engine.formats import Motion
from generation.engine.limits import Limit
from generation.engine.metrics import Check, LoadMeter, Loads, Measurement, Phases, Trust, check_limits, measure
from generation.engine.variables import ACTIVATIONS, CONTACT_FORCES, DEMANDS, JOINT_MOMENTS, LOAD_VARIABLES


@dataclass(frozen=True)
class Placed:
    """Where OpenSim puts the body; float64, leading axis time. What a model lacks is NaN."""

    translations: Tensor        # (time, body, 3) m, of BODIES
    rotations: Tensor           # (time, body, 3, 3), body to ground
    com: Tensor                 # (time, 3) m
    centres: dict[str, Tensor]  # joint centre -> (time, 3) m
    contacts: Tensor            # (time, 2 [right, left], n, 3) m, the soles' contact points


class OpenSimBody:
    """A body as `metrics` asks for it, placed by OpenSim. lower, upper: (coordinate,) of COORDINATES, the ranges in the
    file; a coordinate that the model lacks is unbounded."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._model = open_osim(body.osim)
        found = self._model.updCoordinateSet()
        ranges = {name: (found.get(name).getRangeMin(), found.get(name).getRangeMax()) for name in body.coordinates}
        unbounded = (-np.inf, np.inf)
        self.lower, self.upper = (
            torch.tensor([ranges.get(name, unbounded)[end] for name in COORDINATES], dtype=torch.float64)
            for end in (0, 1)
        )
        for name in body.coordinates:
            found.get(name).setDefaultLocked(False)
            found.get(name).setDefaultClamped(False)
        self._state = self._model.initSystem()
        self._last: tuple[Tensor, Placed] | None = None

    def __call__(self, q: Tensor) -> Placed:
        """q (time, coordinate) of COORDINATES, radians and metres. The last answer is kept: it is asked for twice."""
        if self._last is None or self._last[0] is not q:
            self._last = (q, self._placed(q))
        return self._last[1]

    def joint_centres(self, placed: Placed) -> dict[str, Tensor]:
        return placed.centres

    def foot_contacts(self, placed: Placed) -> Tensor:
        return placed.contacts

    def _placed(self, q: Tensor) -> Placed:
        values, _ = motion_in(self._body, Motion(COORDINATES, q.numpy(), 1.0))
        model, state, packed = self._model, self._state, self._body.packed
        coordinates = [model.getCoordinateSet().get(name) for name in self._body.coordinates]
        bodies = {name: model.getBodySet().get(name) for name in self._body.bodies}
        joints = {}
        for i in range(model.getJointSet().getSize()):
            joint = model.getJointSet().get(i)
            joints[joint.getChildFrame().findBaseFrame().getName()] = joint.getParentFrame()
        frames = len(values)
        place = {name: np.full((frames, 3), np.nan) for name in {*BODIES, *bodies}}
        turn = {name: np.full((frames, 3, 3), np.nan) for name in {*BODIES, *bodies}}
        centres = {name: np.empty((frames, 3)) for name, body in JOINT_CENTRES.items() if body in joints}
        com = np.empty((frames, 3))
        for frame, row in enumerate(values):
            for coordinate, value in zip(coordinates, row, strict=True):
                coordinate.setValue(state, float(value), False)
            model.realizePosition(state)
            for name, body in bodies.items():
                where = body.getTransformInGround(state)
                place[name][frame] = where.p().to_numpy()
                turn[name][frame] = _matrix(where.R())
            for name in centres:
                centres[name][frame] = joints[JOINT_CENTRES[name]].getPositionInGround(state).to_numpy()
            com[frame] = model.calcMassCenterPosition(state).to_numpy()
        soles = [turn[name] @ offset + place[name] for name, offset in zip(
            (self._body.bodies[i] for i in packed["contact_body"]), packed["contact_offset"], strict=True)]
        contacts = np.stack(soles, axis=1).reshape(frames, 2, -1, 3)
        return Placed(
            translations=torch.as_tensor(np.stack([place[name] for name in BODIES], axis=1)),
            rotations=torch.as_tensor(np.stack([turn[name] for name in BODIES], axis=1)),
            com=torch.as_tensor(com), centres={name: torch.as_tensor(at) for name, at in centres.items()},
            contacts=torch.as_tensor(contacts),
        )


def measure_by_opensim(motion: Motion, body: BodyModel) -> Measurement:
    """Joint angles, depth, balance, soles and tempo of `motion` as OpenSim places `body`, at every frame.

    motion: the delivered file, its coordinates those of COORDINATES. Raises FormatError where motion and model do not
    go together.
    """
    return measure(OpenSimBody(body), _values(motion), motion.frame_rate)


def recheck(motion: Motion, body: BodyModel, limits: Sequence[Limit], measured: Measurement,
            analysis: Analysis | None) -> list[Check]:
    """One check for each limit, in the order given. measured: of `measure_by_opensim`; analysis: of the same motion by
    OpenSim, without which a limit on a load counts as not kept.

    A knee adduction moment is inverse dynamics alone and comes from the fast route, as does the known error of a load.
    """
    checks = {i: measured.check([limit])[0] for i, limit in enumerate(limits) if limit.variable not in LOAD_VARIABLES}
    on_loads = [i for i in range(len(limits)) if i not in checks]
    if on_loads:
        loads, times = None, measured.times
        if analysis is not None:
            fast = LoadMeter(body, torch.float64).measure([_values(motion).numpy()], motion.frame_rate,
                                                          [measured.phases])[0]
            loads = loads_of(analysis, body, fast, motion.frame_rate, measured.phases)
            times = torch.as_tensor(analysis.time)
        found = check_limits([limits[i] for i in on_loads], measured.measured, measured.phases, times, loads)
        checks |= dict(zip(on_loads, found, strict=True))
    return [checks[i] for i in range(len(limits))]


def loads_of(analysis: Analysis, body: BodyModel, fast: Loads, frame_rate: float, phases: Phases | None) -> Loads:
    """The load variables of an analysis, in its frames; what an analysis does not hold is taken from `fast`, which has
    all frames of the motion at `frame_rate`."""
    series = {}
    for name, (_, muscles) in ACTIVATIONS.items():
        both = [group_activation(analysis, body, muscles, side) for side in "rl"]
        if all(values is not None for values in both):
            series[f"{name}_activation_peak"] = 100 * np.array(both)
    for name, (_, coordinate, sign) in JOINT_MOMENTS.items():
        moments = [sign * needed_moment(analysis, f"{coordinate}_{side}") for side in "rl"]
        series[f"{name}_moment_peak"] = np.array(moments) / analysis.mass_kg
        if name in DEMANDS:
            shares = [analysis.demand[f"{coordinate}_{side}"] for side in "rl"]
            series[f"{name}_demand_peak"] = 100 * np.sign(moments) * shares
    for name, (_, contact) in CONTACT_FORCES.items():
        if f"{contact}_r" in analysis.contacts:
            series[f"{name}_force_peak"] = np.array(
                [analysis.contact_in_body_weights(f"{contact}_{side}") for side in "rl"])
    series["com_acceleration_peak"] = np.linalg.norm(analysis.com_acceleration, axis=1)
    single = {name: values.max(axis=-1) for name, values in series.items()}
    vertical = np.asarray(analysis.ground.force)[..., 1]
    share = 100 * (vertical / vertical.sum(axis=1, keepdims=True)).T
    single["foot_load_share_mean"] = share[:, _moving(analysis.time, phases)].mean(axis=1)
    behind = {name: _at(analysis.time * frame_rate, values) for name, values in fast.behind.items()}
    behind |= {name: torch.as_tensor(np.asarray(values, float)) for name, values in series.items()}
    behind["foot_load_share_mean"] = torch.as_tensor(share)
    largest = {name: float(values.max()) for name, values in analysis.reserve_share.items()}
    worst = max(largest, key=largest.get)
    tensors = {name: torch.as_tensor(values, dtype=torch.float64) for name, values in single.items()}
    return replace(
        fast, series={"foot_load_share": torch.as_tensor(share)}, single=fast.single | tensors, behind=behind,
        trust=Trust(len(analysis.time), int(analysis.trusted.sum()), largest[worst], worst),
    )


def group_activation(analysis: Analysis, body: BodyModel, muscles: Sequence[str], side: str) -> np.ndarray | None:
    """(time,) activation of a group on one side ("r" or "l"): mean weighted by the muscles' maximum isometric forces,
    as in the limits of activation; None where the model has none of the muscles."""
    wanted = {f"{muscle}_{side}" for muscle in muscles}
    columns = [i for i, name in enumerate(analysis.muscles) if name in wanted]
    if not columns:
        return None
    names = [str(name) for name in body.muscles["muscle_names"]]
    force = dict(zip(names, body.muscles["maximum_isometric_force"], strict=True))
    weights = [force[analysis.muscles[i]] for i in columns]
    return np.average(analysis.activations[:, columns], axis=1, weights=weights)


def needed_moment(analysis: Analysis, coordinate: str) -> np.ndarray:
    """(time,) Nm that muscles and reserve have to make about a coordinate: the knee's with the patella's."""
    patella = f"{coordinate}_beta"
    extra = analysis.column("moments", patella) if patella in analysis.coordinates else 0.0
    return analysis.column("moments", coordinate) + extra


def _values(motion: Motion) -> Tensor:
    columns = [motion.coordinates.index(name) for name in COORDINATES]
    return torch.as_tensor(np.ascontiguousarray(motion.values[:, columns]), dtype=torch.float64)


def _at(frames: np.ndarray, values: Tensor) -> Tensor:
    """Values (..., time) at ``frames``, which may lie between two."""
    every, found = np.arange(values.shape[-1]), values.numpy()
    flat = [np.interp(frames, every, row) for row in found.reshape(-1, found.shape[-1])]
    return torch.as_tensor(np.array(flat).reshape(*found.shape[:-1], len(frames)))


def _moving(times: np.ndarray, phases: Phases | None) -> np.ndarray:
    """(time,) bool: from the start of the descent to the end of the ascent; all where there are none, or no frame."""
    if phases is None:
        return np.ones(len(times), bool)
    inside = (times >= phases.descent_start) & (times <= phases.repetitions[-1].ascent_end)
    return inside if inside.any() else np.ones(len(times), bool)


def _matrix(rotation) -> np.ndarray:
    return np.array([[rotation.get(i, j) for j in range(3)] for i in range(3)])
