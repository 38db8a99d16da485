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
from generation.engine.body import BodyModel
from generation.engine.body.matched import matched_scale
from generation.engine.physics import RESERVES, StaticOptimisation, calibrate, knee_moments
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
# Kutzner et al. 2010, J Biomech 43:2164: 253 % of body weight, mean peak of five people's knee bends (V); Trepczynski
# et al. 2012, J Orthop Res: 2.9 to 3.4 across activities of two people (V). The lower bound is E.
KNEE_BEND_BW = (2.0, 3.5)
COMPARED_DEG, NEAR_DEG = (60, 90, 110), 5.0  # knee angles at which contact forces are told, and how near counts
# Whose masses are not known by plates or from the person takes the published ones of the sex, where that is known.
SEXES = {"OpenCap 2024, squats": "male"}
FREE_NM = 1000.0
FREED = ("hip_adduction", "hip_rotation", "subtalar_angle")
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
    body: BodyModel
    fast: Analysis
    opensim: Analysis
    height_m: float


@cache
def _both_routes(data: Path, tell: Tell) -> tuple[_Both, ...]:
    """Every raw recording through both routes, on the same frames with the same ground reaction."""
    found = []
    for recording in raw_recordings(data):
        every = max(1, len(recording.motion.values) // MUSCLE_FRAMES)
        body = recording.body
        if recording.forces is None:
            body = calibrate(body, sex=SEXES.get(recording.name, "other")).apply(body)
        results = []
        for route in ("fast", "opensim"):
            tell(f"{recording.name}: {route}, every {every}th frame")
            results.append(analyse(recording.motion, body, route=route, forces=recording.forces, every=every))
        found.append(_Both(recording.name, body, *results, matched_scale(body).height_m))
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
             "weights in a knee bend", "same range, discussed")
    found = _both_routes(data, tell) if data else ()
    if not found:
        return [_absent(*fixed)]
    detail, peaks, body_peaks, at_90 = [], [], [], []
    for both in found:
        tell(f"{both.name}: contact forces")
        trusted = both.fast.trusted
        ours = {name: both.fast.contact_in_body_weights(name)[trusted].max() for name in both.fast.contacts}
        theirs = {name: both.opensim.contact_in_body_weights(name)[trusted].max() for name in both.opensim.contacts}
        peaks.append(ours["tibiofemoral_r"])
        body_peaks.append(ours["tibiofemoral_free_body_r"])
        knee = np.degrees(both.fast.column("q", "knee_angle_r"))
        words = ", ".join(f"{name} {value:.2f}" + (f" (OpenSim {theirs[name]:.2f})" if name in theirs else "")
                          for name, value in ours.items())
        detail.append(f"{both.name}: peaks of the {trusted.sum()} trusted of {len(trusted)} frames, body weights: "
                      f"{words}; deepest knee angle {knee.max():.0f} degrees")
        table = _knee_by_angle(both)
        detail += [f"{both.name}, {words}" for words, _ in table.values()]
        at_90 += [force for angle, (_, force) in table.items() if angle == 90]
    low, high = KNEE_BEND_BW
    detail.append(f"Knee bends of people with a prosthesis, mean peak 2.5, here {low:g} to {high:g} is taken "
                  "for theirs. 'Musculoskeletal squat simulation evaluation by means of an instrumented total knee "
                  "arthroplasty' (ISBS 2016, V: its abstract) compared such models with six instrumented knees: "
                  "up to twice the measured force at high flexion.")
    text = (f"tibiofemoral force {_span(at_90)} body weights at 90 degrees of knee flexion with the patellar tendon in "
            f"equilibrium; peaks of trusted frames {_span(body_peaks)}, by OpenSim's joint reaction {_span(peaks)}")
    return [judged(*fixed, text, bool(at_90) and all(low <= one <= high for one in at_90), detail)]


def _knee_by_angle(both: _Both) -> dict[int, tuple[str, float]]:
    """Knee angle -> what makes up the force of the right knee there in trusted frames, in words, and that force in body
    weights. The details tell how much of it the choice of the reserves can explain."""
    analysis, body = both.fast, both.body
    fast = fast_body(body, torch.float64)
    q, u, udot = (torch.as_tensor(part) for part in (analysis.q, analysis.u, analysis.udot))
    wrenches = [(name, torch.as_tensor(force), torch.as_tensor(moment))
                for name, force, moment in analysis.ground.wrenches()]
    needed = knee_moments(fast.kinematics, torch.as_tensor(analysis.moments))
    lengths, arms = fast.geometry.lengths_and_arms(q)
    strength = fast.curves.capacity(lengths, -(arms @ u.unsqueeze(-1)).squeeze(-1))
    column, right = body.coordinates.index("knee_angle_r"), "tibiofemoral_free_body_r"

    def solved(reserves):
        forces = StaticOptimisation(body.muscles, body.coordinates, reserves).solve(
            needed, arms, strength).activations * strength
        load = fast.loads(q, u, udot, wrenches, forces, arms)
        return load[right].norm(dim=-1).numpy() / analysis.body_weight, load, forces

    own, load, forces = solved(RESERVES)
    freed = solved(dict(RESERVES) | dict.fromkeys(FREED, FREE_NM))[0]
    bends = (forces * arms[..., column]).clamp(min=0).sum(-1).numpy()  # Nm of all muscles that bend the knee
    tendon = load["patellar_tendon_r"].numpy()
    knee = np.degrees(analysis.column("q", "knee_angle_r"))
    found = {}
    for angle in COMPARED_DEG:
        near = (np.abs(knee - angle) < NEAR_DEG) & analysis.trusted
        if near.any():
            mean = {name: float(values[near].mean()) for name, values in (
                ("own", own), ("freed", freed), ("bends", bends), ("tendon", tendon), ("moment", needed[:, column]))}
            lever = 1000 * (mean["bends"] - mean["moment"]) / mean["tendon"]
            found[angle] = (
                f"{angle} degrees: tibiofemoral {mean['own']:.2f} body weights; extending moment "
                f"{-mean['moment']:.0f} Nm, muscles that bend the knee add {mean['bends']:.0f} Nm, the tendon carries "
                f"{mean['tendon'] / analysis.body_weight:.2f} body weights on a lever of {lever:.0f} mm; with hip "
                f"adduction, hip rotation and subtalar angle free {mean['freed']:.2f}", mean["own"])
    return found


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
