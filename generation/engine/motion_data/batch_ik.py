"""Inverse kinematics of many recordings of one person at once, on the project's own copy of OpenSim's kinematics.

The question is the one that `ik.py` puts to OpenSim: the same fitted model, markers, weights and joint ranges. Here
every recording of a person goes forward together, frame after frame, each frame starting at the pose before it, as in
OpenSim's tool; exact Jacobians make that many times faster. And weights may change over time, which the tool cannot:
the point that levels a sole sideways counts only while the ball of that foot is on the floor. A foot in the air is
kept from spinning by a weak pull of its subtalar joint towards 0.
"""

import numpy as np
import torch
from torch import Tensor

from generation.engine.body import BODIES, COORDINATES, Kinematics, TorchBody
from generation.engine.motion_data.fit import LOCKED, Person
from generation.engine.motion_data.ik import FLAT_NOISE, REFERENCE_NOISE, flat_feet
from generation.engine.motion_data.markers import MARKER_SETS, reported
from generation.engine.motion_data.placing import torch_body
from generation.engine.motion_data.skeleton import scale_factors

FREE = tuple(i for i, name in enumerate(COORDINATES) if name not in LOCKED and not name.endswith("_beta"))
FIRST_STEPS, NEXT_STEPS, LAST_STEPS = 40, 4, 3  # Gauss-Newton steps: frame 0, each frame from the one before, all again
ARM = ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")
ARM_STARTS = tuple(
    (flex, add, turn, elbow, 60)
    for flex, add in ((0, -15), (60, 0), (90, -20), (150, 0), (20, -70), (90, -80))
    for turn in (-40, 40)
    for elbow in (20, 90)
)  # degrees, in the order of ARM: hanging, forward, overhead, sideways, straight and bent; ours (E)
DAMPING = 1e-4  # of the normal matrix, in squared metres per squared radian at weight 1
FARTHEST = 0.3  # radians or metres of one step: further away the Jacobian says little
SUBTALAR_PULL = 0.002  # weight against a level sole's 0.04: a twentieth while standing; ours (E)
LEVEL_RISE = (0.015, 0.040)  # metres of the toe marker over its quiet height: below, level; above, free; ours (E)
QUIET_QUANTILE = 0.10  # of a toe marker's heights in one recording: where it is when the ball is on the floor


class _Targets:
    """Where the points of one person should be: places on bodies and weighted positions, batch of recordings."""

    def __init__(self, person: Person, recordings, labels):
        places = MARKER_SETS[person.marker_set]
        self.used = [label for label in places if label in labels and label in person.offsets]
        level = [flat_feet(person, labels, positions) for positions in recordings]
        names = [*self.used, *level[0]]
        bodies = [places[label].body for label in self.used] + [level[0][name][0] for name in level[0]]
        offsets = [person.offsets[label] for label in self.used] + [level[0][name][1] for name in level[0]]
        self.body = torch.tensor([BODIES.index(body) for body in bodies])
        self.offset = torch.tensor(np.array(offsets), dtype=torch.float64)
        noise = [places[label].noise for label in self.used] + [FLAT_NOISE] * len(level[0])
        base = (REFERENCE_NOISE / torch.tensor(noise, dtype=torch.float64)) ** 2

        frames = max(map(len, recordings))
        position = np.full((len(recordings), frames, len(names), 3), np.nan)
        standing = np.ones((len(recordings), frames, len(names)))
        for i, positions in enumerate(recordings):
            rows = slice(0, len(positions))
            position[i, rows, : len(self.used)] = positions[:, [labels.index(label) for label in self.used]]
            for k, (name, (_, _, ground)) in enumerate(level[i].items(), len(self.used)):
                position[i, rows, k] = ground
                standing[i, rows, k] = _on_the_floor(positions[:, labels.index(toe_marker(person, name[-1]))])
            position[i, len(positions):] = position[i, len(positions) - 1]
        known = np.isfinite(position).all(axis=-1)
        self.weight = torch.from_numpy(known * standing) * base  # (recording, frame, point)
        self.position = torch.from_numpy(np.nan_to_num(position))
        shown = [i for i, label in enumerate(self.used) if label in reported(person.marker_set)]
        self.shown = torch.tensor(shown)
        self.known = torch.from_numpy(known[..., shown])


def toe_marker(person: Person, side: str) -> str:
    """The marker over the ball of that foot."""
    return next(
        label
        for label, place in MARKER_SETS[person.marker_set].items()
        if place.body == f"calcn_{side}" and place.location[0] > 0.15
    )


def _on_the_floor(toe: np.ndarray) -> np.ndarray:
    """(frame,) 1 where the toe marker (frame, 3) is as low as on the floor, 0 where well above it, a ramp between."""
    rise = toe[:, 1] - np.nanquantile(toe[:, 1], QUIET_QUANTILE)
    low, high = LEVEL_RISE
    return np.nan_to_num(np.clip((high - rise) / (high - low), 0.0, 1.0))


def solve_together(person: Person, labels, recordings: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Joint angles of several recordings of one person.

    recordings: arrays (frame, marker, 3) metres at 60 Hz, a lost marker is NaN. Returns for each values (frame,
    coordinate) in radians and metres in the order of COORDINATES, and the marker error (frame,) in metres: RMS over the
    markers of legs, pelvis and trunk.
    """
    body = torch_body(scale_factors(person.parameters))
    targets = _Targets(person, recordings, labels)
    solver = _Solver(body, targets)
    q = torch.zeros(targets.position.shape[:2] + (len(COORDINATES),), dtype=torch.float64)
    pose = torch.tensor([person.pose.get(name, 0.0) for name in COORDINATES], dtype=torch.float64)
    pose[[COORDINATES.index(name) for name in LOCKED]] = 0.0
    now = _first_frame(solver, pose)
    for frame in range(q.shape[1]):
        for _ in range(NEXT_STEPS):
            now = solver.step(now, targets.position[:, frame], targets.weight[:, frame])
        q[:, frame] = now
    results = []
    for i, positions in enumerate(recordings):
        values, rows = q[i, : len(positions)], slice(0, len(positions))
        for _ in range(LAST_STEPS):
            values = solver.step(values, targets.position[i, rows], targets.weight[i, rows])
        off = (_points(body, values, targets) - targets.position[i, rows])[:, targets.shown]
        known = targets.known[i, rows].double()
        squared = (off.square().sum(-1) * known).sum(-1) / known.sum(-1)
        results.append((values.numpy(), squared.sqrt().numpy()))
    return results


def _first_frame(solver: "_Solver", pose: Tensor) -> Tensor:
    """Poses (recording, coordinate) of frame 0, from `pose` (coordinate,).

    An arm has several poses that look alike to the search, and a wrong one drags the trunk: the search begins with each
    of ARM_STARTS, and each arm keeps the one that meets its own markers best.
    """
    targets = solver.targets
    position, weight = targets.position[:, 0], targets.weight[:, 0]
    starts = pose.repeat(len(ARM_STARTS), 1)
    for i, degrees in enumerate(ARM_STARTS):
        for name, value in zip(ARM, degrees, strict=True):
            starts[i, [COORDINATES.index(f"{name}_{side}") for side in "rl"]] = float(np.deg2rad(value))
    many = len(position)
    pelvis = targets.body == BODIES.index("pelvis")
    shift = position[:, pelvis].mean(1) - _points(solver.body, starts[:1], targets)[:, pelvis].mean(1)
    now = starts.repeat_interleave(many, 0)  # (start * recording, coordinate)
    now[:, [COORDINATES.index(f"pelvis_t{axis}") for axis in "xyz"]] += shift.repeat(len(ARM_STARTS), 1)
    place, heavy = position.repeat(len(ARM_STARTS), 1, 1), weight.repeat(len(ARM_STARTS), 1)
    for _ in range(FIRST_STEPS):
        now = solver.step(now, place, heavy)
    off = (_points(solver.body, now, targets) - place).square().sum(-1) * heavy
    now = now.reshape(len(ARM_STARTS), many, -1)
    best = now[off.sum(-1).reshape(len(ARM_STARTS), many).argmin(0), torch.arange(many)]
    for side in "rl":
        bodies = [BODIES.index(f"{name}_{side}") for name in ("humerus", "ulna", "radius", "hand")]
        arm = torch.isin(targets.body, torch.tensor(bodies))
        chosen = off[:, arm].sum(-1).reshape(len(ARM_STARTS), many).argmin(0)
        columns = [COORDINATES.index(f"{name}_{side}") for name in ARM]
        best[:, columns] = now[chosen, torch.arange(many)][:, columns]
    for _ in range(FIRST_STEPS):
        best = solver.step(best, position, weight)
    return best


def _points(body: TorchBody, q: Tensor, targets: _Targets) -> Tensor:
    """(batch, point, 3) the targets' places on the bodies, in ground."""
    with torch.no_grad():
        return _on_bodies(body(q), targets)


def _on_bodies(placed: Kinematics, targets: _Targets) -> Tensor:
    rotation = placed.rotations.index_select(-3, targets.body)
    return placed.translations.index_select(-2, targets.body) + (rotation @ targets.offset[..., None])[..., 0]


class _Solver:
    """Damped Gauss-Newton inside the joint ranges: a coordinate at an end of its range that pushes outward is held."""

    def __init__(self, body: TorchBody, targets: _Targets):
        self.body, self.targets = body, targets
        self.names = tuple(COORDINATES[i] for i in FREE)
        self.free = torch.tensor(FREE)
        self.lower, self.upper = body.lower[self.free], body.upper[self.free]
        self.carries = _carries(body)[:, targets.body]  # (free coordinate, point)
        self.pull = torch.tensor([SUBTALAR_PULL * name.startswith("subtalar") for name in self.names]).double()

    @torch.no_grad()
    def step(self, q: Tensor, position: Tensor, weight: Tensor) -> Tensor:
        """One step for poses q (batch, coordinate) towards position (batch, point, 3) with weight (batch, point)."""
        placed = self.body(q)
        at = _on_bodies(placed, self.targets)
        angular, linear = self.body.twists(placed, self.names)  # (batch, free, 3)
        jacobian = torch.linalg.cross(
            angular[:, :, None].expand(-1, -1, at.shape[1], -1), at[:, None].expand(-1, len(FREE), -1, -1), dim=-1
        )
        jacobian = (jacobian + linear[:, :, None]) * self.carries[..., None]  # (batch, free, point, 3)
        root = weight.sqrt()[:, None, :, None]
        rows = (jacobian * root).flatten(2)  # (batch, free, row)
        residual = ((at - position) * root[:, 0]).flatten(1)
        x = q.index_select(-1, self.free)
        gradient = (rows @ residual[..., None])[..., 0] + self.pull * x
        matrix = rows @ rows.transpose(-1, -2) + torch.diag(self.pull + DAMPING)
        held = ((x <= self.lower) & (gradient > 0)) | ((x >= self.upper) & (gradient < 0))
        matrix = matrix.masked_fill(held[:, None] | held[..., None], 0.0) + torch.diag_embed(held.double())
        move = torch.linalg.solve(matrix, gradient.masked_fill(held, 0.0))
        move = move * (FARTHEST / move.abs().amax(-1, keepdim=True).clamp_min(FARTHEST))
        moved = (x - move).clamp(self.lower, self.upper)
        q = q.index_copy(-1, self.free, moved)
        for side in "rl":
            q[..., COORDINATES.index(f"knee_angle_{side}_beta")] = q[..., COORDINATES.index(f"knee_angle_{side}")]
        return q


def _carries(body: TorchBody) -> Tensor:
    """(free coordinate, body) 1 where a coordinate moves a body, found by moving each at a bent pose."""
    q = torch.full((len(COORDINATES),), 0.3, dtype=torch.float64)
    moved = q.repeat(len(FREE), 1)
    moved[torch.arange(len(FREE)), torch.tensor(FREE)] += 0.01
    with torch.no_grad():
        before, after = body(q), body(moved)
    change = (after.translations - before.translations).abs().amax(-1)
    turn = (after.rotations - before.rotations).abs().amax((-1, -2))
    return (torch.maximum(change, turn) > 1e-9).double()
