"""Muscle lengths and moment arms of the fast route against OpenSim's on the same model, muscle by muscle.

Two things are compared, `MusclePaths` (the path geometry itself) and `MuscleGeometry` (the smooth functions that the
fast route uses), with three answers of OpenSim's: the path length, the moment of a unit tension (`computeMomentArm`),
and minus the derivative of the length, by differences. `physics/muscle_paths.py` tells why these disagree, and why
OpenSim's own length of a path over two cylinders is measured again here from its own wrapping points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from generation.engine.body import BodyModel
from generation.engine.body.osim_file import open_osim
from generation.engine.physics.muscle_geometry import JUMP_M, MuscleGeometry
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.validation.kinematics import coordinates_of
from generation.engine.validation.recordings import raw_recordings, shipped_bodies, shipped_motion
from generation.engine.validation.row import Row, judged

LENGTH_BAR_MM, ARM_BAR_MM = 0.5, 1.0
POSES = 100  # of each body
_STEP = 1e-5  # rad, of OpenSim's differences
# A path jumps where, on a step of this many degrees of one coordinate, an arm changes by more than a path's own
# curvature can do (mm), or the length by more than its arm says (mm). A pose is near one up to `_NEAR` steps away. E.
_JUMP_STEP, _NEAR, _ARM_JUMP, _LENGTH_JUMP = 1.5, 3, 4.0, 0.3


@dataclass(frozen=True)
class MuscleRow:
    """One muscle over the poses of one body. RMSE and worst in mm; of arms, those of the worst coordinate."""

    muscle: str
    paths_length: float       # MusclePaths against OpenSim's length, measured again
    paths_arm: float          # against OpenSim's -dL/dq of that
    paths_tension: float      # `tension_arms` against OpenSim's computeMomentArm
    reported_length: float    # MusclePaths against the length that OpenSim reports
    geometry_length: float    # MuscleGeometry, against OpenSim's length and -dL/dq
    geometry_arm: float
    geometry_arm_worst: float
    geometry_arm_smooth: float  # the same without the poses near or beyond a jump
    geometry_length_smooth: float
    geometry_tension: float   # MuscleGeometry's arms against computeMomentArm
    opensim_arms: float       # OpenSim against itself: computeMomentArm against -dL/dq
    near_jump: float          # share of the poses
    beyond_jump: float        # share of the poses on the side of a jump that the smooth functions do not follow
    jumps: tuple[str, ...]    # the cylinders at which the path jumps, in words

    @property
    def met(self) -> bool:
        """Do the smooth functions hold the bars over all poses?"""
        return self.geometry_length <= LENGTH_BAR_MM and self.geometry_arm <= ARM_BAR_MM

    @property
    def met_between_jumps(self) -> bool:
        return self.geometry_length_smooth <= LENGTH_BAR_MM and self.geometry_arm_smooth <= ARM_BAR_MM


def muscle_table(body: BodyModel, q: np.ndarray, geometry: MuscleGeometry | None = None) -> list[MuscleRow]:
    """Compare at the poses q (pose, coordinate) of `body`; a row for each muscle. geometry: None fits it here."""
    paths = MusclePaths(body)
    geometry = geometry or MuscleGeometry.fit(paths, dtype=torch.float64)
    crosses = paths.crosses
    reported, length, tension, arm = _opensim_muscles(body, q, crosses)
    at = torch.as_tensor(q, dtype=torch.float64)
    own_length, own_arm = (part.numpy() for part in paths.lengths_and_arms(at))
    own_tension = paths.tension_arms(at).numpy()
    with torch.no_grad():
        fit_length, fit_arm = (part.double().numpy() for part in geometry.lengths_and_arms(at))
    near, jumps = _jumps(paths, at)
    left_out = np.array([name in geometry.left_out for name in paths.names])
    beyond = (np.abs(fit_length - length) > JUMP_M) & left_out

    def arms_of(error, poses):  # (pose, muscle, coordinate) -> of each muscle the worst coordinate's
        return [_rms(error[poses[:, m], m][:, crosses[m]]).max(initial=0.0) for m in range(len(paths.names))]

    everywhere, away = np.ones_like(near), ~near & ~beyond
    arm_error = fit_arm - arm
    columns = {
        "paths_length": _rms(own_length - length), "paths_arm": arms_of(own_arm - arm, everywhere),
        "paths_tension": arms_of(own_tension - tension, everywhere), "reported_length": _rms(own_length - reported),
        "geometry_length": _rms(fit_length - length), "geometry_arm": arms_of(arm_error, everywhere),
        "geometry_arm_worst": [np.abs(arm_error[:, m, crosses[m]]).max(initial=0.0) for m in range(len(paths.names))],
        "geometry_arm_smooth": arms_of(arm_error, away),
        "geometry_length_smooth": [_rms((fit_length - length)[away[:, m], m]) for m in range(len(paths.names))],
        "geometry_tension": arms_of(fit_arm - tension, everywhere), "opensim_arms": arms_of(tension - arm, everywhere),
    }
    return [MuscleRow(muscle=name, jumps=jumps[m], near_jump=float(near[:, m].mean()),
                      beyond_jump=float(beyond[:, m].mean()),
                      **{key: 1000 * float(values[m]) for key, values in columns.items()})
            for m, name in enumerate(paths.names)]


def table_lines(rows: Sequence[MuscleRow]) -> list[str]:
    """Every muscle, one line each, for the page and the command."""
    lines = ["muscle         length   arm (worst)   arm away from jumps   poses near, beyond one   exact paths: length"
             "     arm   jumps at"]
    for row in rows:
        mark = " " if row.met else "-" if row.met_between_jumps else "!"
        fitted = (f"{row.geometry_length:6.2f} {row.geometry_arm:5.2f} ({row.geometry_arm_worst:5.1f}) "
                  f"{row.geometry_arm_smooth:18.2f} {100 * row.near_jump:16.0f} %{100 * row.beyond_jump:6.0f} %")
        exact = f"{row.paths_length:19.4f} {row.paths_arm:8.4f}"
        lines.append(f"{mark}{row.muscle:<14}{fitted} {exact}   {', '.join(row.jumps)}".rstrip())
    return lines


def contradictions(rows: Sequence[MuscleRow]) -> str:
    """Where OpenSim's answers disagree with one another, in one line."""
    lengths = [f"{row.muscle} {row.reported_length:.2f}" for row in rows if row.reported_length > LENGTH_BAR_MM / 5]
    arms = [f"{row.muscle} {row.opensim_arms:.2f}" for row in rows if row.opensim_arms > ARM_BAR_MM / 5]
    return ("OpenSim against itself, RMSE in mm: reported length against its own points: "
            f"{', '.join(lengths) or 'none'}; "
            f"computeMomentArm against -dL/dq: {', '.join(arms) or 'none'}")


def muscles(data: Path | None, tell: Callable[[str], None]) -> list[Row]:
    """The row of the validation table: three people's bodies, and supplied models where the raw folder has them."""
    found: list[tuple[str, list[MuscleRow]]] = []
    with TemporaryDirectory() as folder:
        for name, body in shipped_bodies(Path(folder)):
            tell(f"muscle paths, {name}")
            found.append((name, muscle_table(body, coordinates_of(body, shipped_motion(most=POSES))[0])))
        for recording in raw_recordings(data) if data is not None else ():
            tell(f"muscle paths, {recording.name}")
            q, _ = coordinates_of(recording.body, recording.motion)
            q = q[np.linspace(0, len(q) - 1, min(POSES, len(q))).round().astype(int)]
            found.append((recording.name, muscle_table(recording.body, q)))
    every = [row for _, rows in found for row in rows]
    detail = [line for name, rows in found for line in (f"{name}:", contradictions(rows), *table_lines(rows))]
    missed = sorted({row.muscle for row in every if not row.met})
    kinked = [muscle for muscle in missed if all(row.met_between_jumps for row in every if row.muscle == muscle)]
    measured = (
        f"exact paths: worst muscle {max(row.paths_length for row in every):.4f} mm length, "
        f"{max(row.paths_arm for row in every):.3f} mm arms; smooth functions: {sum(row.met for row in every)} of "
        f"{len(every)} (muscle and body) hold both bars, {sum(row.met_between_jumps for row in every)} away from jumps")
    if missed:
        measured += f"; missed in some body: {', '.join(missed)}"
    if kinked:
        measured += f" (only at jumps: {', '.join(kinked)})"
    asked = f"RMSE {LENGTH_BAR_MM} mm lengths, {ARM_BAR_MM:g} mm arms, every muscle"
    return [judged("muscles", "muscle lengths and moment arms", f"OpenSim, squats of {len(found)} bodies", asked,
                   measured, not missed, detail)]


# ---- OpenSim ---------------------------------------------------------------------------------------------------------


def _opensim_muscles(body: BodyModel, q: np.ndarray, crosses: np.ndarray):
    """Reported and re-measured lengths (pose, muscle), moments of a unit tension and -dL/dq (pose, muscle, coordinate);
    the last two only where `crosses` (muscle, coordinate)."""
    model = open_osim(body.osim)
    coordinates = [model.getCoordinateSet().get(name) for name in body.coordinates]
    for coordinate in coordinates:
        coordinate.setDefaultLocked(False)
        coordinate.setDefaultClamped(False)
    state = model.initSystem()
    every = [model.getMuscles().get(name).getGeometryPath() for name in body.muscles["muscle_names"].tolist()]
    packed = body.packed

    def placed(pose):
        for index, coordinate in enumerate(coordinates):
            value = packed["copy_slope"][index] * pose[packed["source"][index]] + packed["copy_intercept"][index]
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)

    reported, length = np.empty((2, len(q), len(every)))
    tension, arm = np.zeros((2, len(q), *crosses.shape))
    # a leg's muscles do not feel the other leg: both legs' coordinates are stepped at once
    steps: dict[str, list[int]] = {}
    for column in np.flatnonzero(crosses.any(0)):
        steps.setdefault(body.coordinates[column].removesuffix("_r").removesuffix("_l"), []).append(column)
    for row, pose in enumerate(q):
        placed(pose)
        reported[row] = [path.getLength(state) for path in every]
        length[row] = [_measured_again(path, state) for path in every]
        for muscle, column in zip(*np.nonzero(crosses), strict=True):
            tension[row, muscle, column] = every[muscle].computeMomentArm(state, coordinates[column])
        for columns in steps.values():
            ends = []
            for sign in (1, -1):
                moved = pose.copy()
                moved[columns] += sign * _STEP
                placed(moved)
                ends.append(np.array([_measured_again(path, state) for path in every]))
            arm[row][:, columns] = (-(ends[0] - ends[1]) / (2 * _STEP))[:, None] * crosses[:, columns]
    return reported, length, tension, arm


def _measured_again(path, state) -> float:
    """The length of a path over two cylinders with its straight pieces between where its points are now."""
    length = path.getLength(state)
    if path.getWrapSet().getSize() < 2:
        return length
    points = path.getCurrentPath(state)
    points = [points.get(i) for i in range(points.getSize())]
    kept = [_array(point.getLocationInGround(state)) for point in points]
    now = [_array(point.getParentFrame().findStationLocationInGround(state, point.getLocation(state)))
           for point in points]
    on_surface = [a.getName() == "pwpt1" and b.getName() == "pwpt2" for a, b in zip(points, points[1:], strict=False)]
    for i, surface in enumerate(on_surface):
        if not surface:
            length += np.linalg.norm(now[i + 1] - now[i]) - np.linalg.norm(kept[i + 1] - kept[i])
    return length


def _array(vec3) -> np.ndarray:
    return np.array([vec3.get(i) for i in range(3)])


# ---- jumps -----------------------------------------------------------------------------------------------------------


def _jumps(paths: MusclePaths, q: torch.Tensor) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Which poses are near a jump of which muscle (pose, muscle), and each muscle's jumps in words."""
    step = np.radians(_JUMP_STEP)
    offsets = np.arange(-_NEAR, _NEAR + 1) * step
    near = np.zeros((len(q), len(paths.names)), dtype=bool)
    words: list[dict[str, None]] = [{} for _ in paths.names]
    uses = [[v for v, (muscle, _) in enumerate(paths.use_names) if muscle == name] for name in paths.names]
    stems: dict[str, list[int]] = {}
    for column in np.flatnonzero(paths.crosses.any(0)):
        stems.setdefault(paths.body.coordinates[column].removesuffix("_r").removesuffix("_l"), []).append(column)
    for stem, columns in stems.items():
        line = q.repeat(len(offsets), 1, 1)
        line[:, :, columns] += torch.as_tensor(offsets)[:, None, None]
        length, arm = (part.numpy() for part in paths.lengths_and_arms(line))
        on = paths.wraps(line).numpy()
        arm = (arm[..., columns] * paths.crosses[:, columns]).sum(-1)  # of a muscle only its own side's counts
        change = np.abs(np.diff(arm, axis=0)) * 1000 > _ARM_JUMP
        missing = np.diff(length, axis=0) + step * (arm[1:] + arm[:-1]) / 2
        jump = (np.abs(missing) * 1000 > _LENGTH_JUMP) | change
        near |= jump.any(0)
        for m in np.flatnonzero(jump.any((0, 1))):
            where = jump[:, :, m]
            changed = [v for v in uses[m] if (on[1:, :, v] != on[:-1, :, v])[where].any()]
            for v in changed or uses[m]:
                words[m][f"{paths.use_names[v][1]} along {stem}"] = None
            if not uses[m]:
                words[m][f"two points pass close to each other along {stem}"] = None
    return near, [tuple(one) for one in words]


def _rms(error: np.ndarray):
    """Over the first axis; 0 where it is empty."""
    return np.sqrt((error**2).mean(0)) if len(error) else np.zeros(error.shape[1:])
