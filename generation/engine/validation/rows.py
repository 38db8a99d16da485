"""The rows of the table of docs/validation.md: each a function of the raw folder (None: not there) that gives Rows.

A row that needs a recording which is not there says so; it is never passed over in silence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from generation.engine.analysis import Analysis, analyse
from generation.engine.body.matched import matched_scale
from generation.engine.physics.pipeline import fast_body, fast_motion
from generation.engine.validation.activations import held_out
from generation.engine.validation.ground_rows import ground
from generation.engine.validation.kinematics import compare_with_opensim
from generation.engine.validation.muscles import muscles
from generation.engine.validation.recordings import one_squat, raw_recordings, shipped_bodies, shipped_motion
from generation.engine.validation.row import Row, judged

Tell = Callable[[str], None]
FLEXIONS = ("hip_flexion", "knee_angle", "ankle_angle")
SHIPPED_FRAMES, RAW_FRAMES = 2000, 400  # poses placed by OpenSim, for each body
MUSCLE_FRAMES = 40  # of each recording, solved by static optimisation
ACTIVE = 0.05  # a muscle counts where its activation exceeds it
NAMED = ("vasint", "vaslat", "vasmed", "soleus")
KNEE_BEND_BW = (2.0, 3.5)  # R: Kutzner et al. 2010, J Biomech 43:2164, peaks of five people's knee bends, mean 2.5
NEAR_90_DEG = 8.0
BATCH, NEIGHBOUR_FRAME, NEIGHBOUR_RAD = 16, 100, 0.02
SINGLE_TOLERANCE = 1e-4  # activations in float32


def kinematics(data: Path | None, tell: Tell) -> list[Row]:
    """Joint centres and centre of mass, torch in float32 against OpenSim."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        motion = shipped_motion(most=SHIPPED_FRAMES)
        for name, body in shipped_bodies(Path(folder)):
            tell(f"kinematics: {name}")
            found.append((f"Genuflex, {name}; shipped squats", compare_with_opensim(body, motion)))
    for recording in raw_recordings(data) if data else ():
        tell(f"kinematics: {recording.name}")
        found.append((recording.name, compare_with_opensim(recording.body, recording.motion, most_frames=RAW_FRAMES)))
    joints = [1000 * one.joint_centre_m for _, one in found]
    coms = [1000 * one.com_m for _, one in found]
    frames = sum(one.frames for _, one in found)
    scope = f"{len(found)} bodies, {frames} poses" + ("" if data else "; raw recordings not given")
    detail = [f"{name}: joint centres {joint:.4f} mm, centre of mass {com:.4f} mm, {one.frames} poses"
              for (name, one), joint, com in zip(found, joints, coms, strict=True)]
    return [
        judged("joint_centres", "joint centres, fast route, float32", "OpenSim", "worst 1 mm",
               f"worst {max(joints):.4f} mm ({scope})", max(joints) <= 1, detail),
        judged("com", "centre of mass, float32", "OpenSim", "worst 2 mm", f"worst {max(coms):.4f} mm ({scope})",
               max(coms) <= 2),
    ]


@dataclass(frozen=True, eq=False)
class _Both:
    name: str
    fast: Analysis
    opensim: Analysis
    height_m: float


@cache
def _both_routes(data: Path, tell: Tell) -> tuple[_Both, ...]:
    """Every raw recording through both routes, on the same frames with the same ground reaction."""
    found = []
    for recording in raw_recordings(data):
        every = max(1, len(recording.motion.values) // MUSCLE_FRAMES)
        results = []
        for route in ("fast", "opensim"):
            tell(f"{recording.name}: {route}, every {every}th frame")
            results.append(analyse(recording.motion, recording.body, route=route, forces=recording.forces, every=every))
        found.append(_Both(recording.name, *results, matched_scale(recording.body).height_m))
    return tuple(found)


def moments(data: Path | None, tell: Tell) -> list[Row]:
    """Joint moments of the fast route against OpenSim's inverse dynamics."""
    fixed = ("moments", "joint moments, fast route", "OpenSim inverse dynamics, same motion and forces",
             "RMSE 1 % of body weight x height, R2 0.99 for hip, knee and ankle flexion")
    found = _both_routes(data, tell) if data else ()
    if not found:
        return [_absent(*fixed)]
    worst, least, detail = 0.0, 1.0, []
    for both in found:
        unit = both.fast.body_weight * both.height_m
        for joint in FLEXIONS:
            for side in "rl":
                ours, theirs = (one.column("moments", f"{joint}_{side}") for one in (both.fast, both.opensim))
                error, r2 = 100 * _rms(ours - theirs) / unit, _r2(theirs, ours)
                worst, least = max(worst, error), min(least, r2)
                detail.append(f"{both.name}, {joint}_{side}: RMSE {error:.5f} % of body weight x height, R2 {r2:.6f}")
    return [judged(*fixed, f"worst RMSE {worst:.5f} %, least R2 {least:.6f} ({len(found)} people)",
                   worst <= 1 and least >= 0.99, detail)]


def activations(data: Path | None, tell: Tell) -> list[Row]:
    """Activations of the fast route against OpenSim's static optimisation, person by person."""
    fixed = ("activations", "activations, fast route", "OpenSim static optimisation, people nothing was fitted to",
             f"R2 0.95 median over muscles above {ACTIVE}; vasti and soleus 0.95 each")
    found = _both_routes(data, tell) if data else ()
    if not found:
        return [_absent(*fixed)]
    every, named, detail = [], {}, []
    for both in found:
        scores = {}
        for index, muscle in enumerate(both.fast.muscles):
            theirs = both.opensim.activations[:, both.opensim.muscles.index(muscle)]
            if theirs.max() > ACTIVE:
                scores[muscle] = _r2(theirs, both.fast.activations[:, index])
        every += scores.values()
        for muscle, score in scores.items():
            if muscle[:-2] in NAMED:
                named.setdefault(muscle[:-2], []).append(score)
        wrong = np.abs(both.fast.activations - both.opensim.activations)
        low = sorted(scores.items(), key=lambda item: item[1])[:5]
        detail.append(f"{both.name}: median R2 {np.median([*scores.values()]):.4f} over {len(scores)} muscles, mean "
                      f"difference {wrong.mean():.4f}, worst {wrong.max():.3f} "
                      f"({both.fast.muscles[int(wrong.max(axis=0).argmax())]}); lowest R2: "
                      + ", ".join(f"{muscle} {score:.3f}" for muscle, score in low))
        detail.append(f"{both.name}: frames trusted {100 * both.fast.trusted.mean():.0f} % (fast), "
                      f"{100 * both.opensim.trusted.mean():.0f} % (OpenSim); ground reaction {both.fast.ground.source}")
    least = {muscle: min(scores) for muscle, scores in sorted(named.items())}
    words = ", ".join(f"{muscle} {score:.3f}" for muscle, score in least.items())
    median = float(np.median(every))
    return [judged(*fixed, f"median R2 {median:.4f} ({len(every)} muscles of {len(found)} people); least of {words}",
                   median >= 0.95 and all(score >= 0.95 for score in least.values()), detail)]


def contact_forces(data: Path | None, tell: Tell) -> list[Row]:
    """Peak contact forces of bodyweight squats against what instrumented implants measured."""
    fixed = ("contact_forces", "contact forces, bodyweight squat", "peaks of instrumented knee implants, 2.5 body "
             "weights in a knee bend (R)", "same range, discussed")
    found = _both_routes(data, tell) if data else ()
    if not found:
        return [_absent(*fixed)]
    detail, peaks, at_90, body_peaks = [], [], [], []
    for both in found:
        knee = np.degrees(both.fast.column("q", "knee_angle_r"))
        ours = {name: both.fast.contact_in_body_weights(name) for name in both.fast.contacts}
        theirs = {name: both.opensim.contact_in_body_weights(name).max() for name in both.opensim.contacts}
        peaks.append(ours["tibiofemoral_r"].max())
        body_peaks.append(ours["tibiofemoral_free_body_r"].max())
        near = np.abs(knee - 90) < NEAR_90_DEG
        if near.any():
            at_90.append(ours["tibiofemoral_free_body_r"][near].mean())
        words = ", ".join(f"{name} {values.max():.2f} (OpenSim {theirs[name]:.2f})" for name, values in ours.items())
        detail.append(f"{both.name}: peaks in body weights: {words}; deepest knee angle {knee.max():.0f} degrees")
    low, high = KNEE_BEND_BW
    detail.append(f"Published peaks are of knee bends to about 90 degrees by people with a prosthesis (R): {low:g} to "
                  f"{high:g} body weights. The squats here are deeper, and the models' quadriceps lever shrinks there.")
    text = (f"tibiofemoral peak by OpenSim's joint reaction {_span(peaks)} body weights, with the patellar tendon in "
            f"equilibrium {_span(body_peaks)}")
    if at_90:
        text += f", and {_span(at_90)} at 90 degrees of knee flexion"
    return [judged(*fixed, text, bool(at_90) and all(low <= one <= high for one in at_90), detail)]


def batch(data: Path | None, tell: Tell) -> list[Row]:
    """One motion alone and in a batch; and what a change of one frame changes. Needs no raw data."""
    tell("batch: one squat among others")
    with tempfile.TemporaryDirectory() as folder:
        _, model = shipped_bodies(Path(folder))[1]
    fast = fast_body(model)
    squat = torch.as_tensor(one_squat(3.0).values, dtype=torch.float32)
    drift = torch.randn(BATCH - 1, *squat.shape, generator=torch.Generator().manual_seed(0)).cumsum(1)
    others = squat + 0.001 * drift
    with torch.no_grad():
        alone = fast_motion(fast, squat, 60.0).activations
        amid = fast_motion(fast, torch.cat([others[:7], squat[None], others[7:]]), 60.0).activations[7]
        bent = squat.clone()
        bent[NEIGHBOUR_FRAME, model.coordinates.index("knee_angle_r")] += NEIGHBOUR_RAD
        changed = (fast_motion(fast, bent, 60.0).activations - alone).abs().amax(-1)
    difference = float((alone - amid).abs().max())
    touched = torch.nonzero(changed > 1e-3)[:, 0]
    reach = (int(touched.min()) - NEIGHBOUR_FRAME, int(touched.max()) - NEIGHBOUR_FRAME) if len(touched) else (0, 0)
    return [judged(
        "batch", "result of one motion", "the same motion in any batch",
        "identical to float tolerance; a changed frame changes its neighbours where physics says so",
        f"largest difference of an activation {difference:.1e} (float32, batch of {BATCH}); 1.1 degrees more knee "
        f"flexion in frame {NEIGHBOUR_FRAME} changes activations from {reach[0]} to +{reach[1]} frames around it",
        difference <= SINGLE_TOLERANCE and reach[0] < 0 < reach[1])]


def _absent(name: str, what: str, against: str, asked: str) -> Row:
    return Row(name, what, against, asked, "needs the raw recordings: give their folder with --data", "not available")


def _r2(truth: np.ndarray, ours: np.ndarray) -> float:
    spread = np.square(truth - truth.mean()).sum()
    return float(1 - np.square(ours - truth).sum() / spread) if spread > 0 else 1.0


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


TABLE: dict[str, Callable[[Path | None, Tell], Sequence[Row]]] = {
    "kinematics": kinematics, "moments": moments, "muscles": muscles, "activations": activations, "held_out": held_out,
    "ground": ground, "contact_forces": contact_forces, "batch": batch,
}
