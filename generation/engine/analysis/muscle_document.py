"""What the player draws of muscles and of the floor's reaction over a motion: the muscle document (docs/player.md)."""

from __future__ import annotations

import base64

import numpy as np
import torch

from generation.engine.analysis.analyse import motion_in
from generation.engine.analysis.result import Analysis
from generation.engine.body import BodyModel
from generation.engine.formats import Motion
from generation.engine.formats.packed import pack
from generation.engine.physics.muscle_lines import ON_CYLINDER, muscle_lines
from generation.engine.physics.muscle_paths import MusclePaths

VERSION = 1
RATE_HZ = 15.0  # of what moves against the bones; between two moments the player interpolates
MOST_MOMENTS = 150
STEP_M, STEP_N = 0.0001, 0.1
# Specific tension of the model's muscles: their maximum isometric forces are 60 N/cm2 times the physiological
# cross-section (Rajagopal et al. 2016, R). With the optimal fibre length it gives a muscle's volume, for the picture.
SPECIFIC_TENSION_PA = 600_000.0
APONEUROSIS = 0.5  # E: the share of a tendon that lies along or inside the belly; drawn as belly

ROUTES = {"fast": "Genuflex's own physics (static optimisation)", "opensim": "OpenSim (static optimisation)"}
# Groups of the player's filter: name, plain label, muscles without side. Every muscle of the model is in one of them.
GROUPS = (
    ("quadriceps", "Quadriceps (front of thigh)", ("recfem", "vasint", "vaslat", "vasmed")),
    ("hamstrings", "Hamstrings (back of thigh)", ("bflh", "bfsh", "semimem", "semiten")),
    ("gluteals", "Gluteals (buttock)", ("glmax1", "glmax2", "glmax3", "glmed1", "glmed2", "glmed3", "glmin1", "glmin2",
                                        "glmin3", "piri")),
    ("adductors", "Adductors (inner thigh)", ("addbrev", "addlong", "addmagDist", "addmagIsch", "addmagMid",
                                              "addmagProx", "grac")),
    ("hip_flexors", "Hip flexors", ("iliacus", "psoas", "sart", "tfl")),
    ("calf", "Calf", ("gaslat", "gasmed", "soleus")),
    ("shin", "Shin, foot and toes", ("edl", "ehl", "fdl", "fhl", "perbrev", "perlong", "tibant", "tibpost")),
)
NAMES = {
    "addbrev": "Adductor brevis", "addlong": "Adductor longus", "addmagDist": "Adductor magnus, distal part",
    "addmagIsch": "Adductor magnus, ischial part", "addmagMid": "Adductor magnus, middle part",
    "addmagProx": "Adductor magnus, proximal part", "bflh": "Biceps femoris, long head",
    "bfsh": "Biceps femoris, short head", "edl": "Extensor digitorum longus", "ehl": "Extensor hallucis longus",
    "fdl": "Flexor digitorum longus", "fhl": "Flexor hallucis longus", "gaslat": "Gastrocnemius, lateral head",
    "gasmed": "Gastrocnemius, medial head", "glmax1": "Gluteus maximus, upper part",
    "glmax2": "Gluteus maximus, middle part", "glmax3": "Gluteus maximus, lower part",
    "glmed1": "Gluteus medius, front part", "glmed2": "Gluteus medius, middle part",
    "glmed3": "Gluteus medius, back part", "glmin1": "Gluteus minimus, front part",
    "glmin2": "Gluteus minimus, middle part", "glmin3": "Gluteus minimus, back part", "grac": "Gracilis",
    "iliacus": "Iliacus", "perbrev": "Peroneus brevis", "perlong": "Peroneus longus", "piri": "Piriformis",
    "psoas": "Psoas", "recfem": "Rectus femoris", "sart": "Sartorius", "semimem": "Semimembranosus",
    "semiten": "Semitendinosus", "soleus": "Soleus", "tfl": "Tensor fasciae latae", "tibant": "Tibialis anterior",
    "tibpost": "Tibialis posterior", "vasint": "Vastus intermedius", "vaslat": "Vastus lateralis",
    "vasmed": "Vastus medialis",
}
SIDES = {"r": "right", "l": "left"}


def muscle_document(motion: Motion, body: BodyModel, analysis: Analysis | None = None) -> dict:
    """The document of `motion` on `body`; ready for JSON.

    analysis: of the same motion and body, at any rate: its activations and its ground reaction are shown. None: the
    document holds the paths alone. Raises FormatError when the motion has none of the body's coordinates.
    """
    values, _ = motion_in(body, motion)
    paths = MusclePaths(body)
    every = max(1, round(motion.frame_rate / RATE_HZ), -(-len(values) // MOST_MOMENTS))
    frames = np.unique([*range(0, len(values), every), len(values) - 1])
    lines = muscle_lines(paths, torch.as_tensor(values[frames]))
    muscles, moving = [], []
    for line, own in zip(lines, _shapes(body.muscles), strict=True):
        parts = []
        for part, points in line.parts:
            if points.ndim == 1:
                parts.append([part, *np.round(points, 4).tolist()])
            else:
                parts.append([part, len(moving)])
                moving.append(points)
        muscles.append({"name": line.name, "label": label(line.name), "parts": parts, **own})
    moved = np.stack(moving, 1) if moving else np.zeros((len(frames), 0, ON_CYLINDER, 3))
    document = {
        "version": VERSION, "seconds": _seconds(frames / motion.frame_rate), "bodies": list(body.bodies),
        "muscles": muscles, "per_piece": ON_CYLINDER, "moving": pack(moved, STEP_M), "groups": _groups(paths.names),
    }
    return document | (_physics(analysis, motion, paths.names) if analysis is not None else {})


def label(name: str) -> str:
    """A muscle of the model in words; its own name where it is none of ours."""
    base, _, side = name.rpartition("_")
    if side not in SIDES or base not in NAMES:
        return name
    return f"{NAMES[base]}, {SIDES[side]}"


def _shapes(muscles) -> list[dict]:
    """Volume in cm3, and the length of tendon in m that is drawn as tendon."""
    volume = muscles["maximum_isometric_force"] / SPECIFIC_TENSION_PA * muscles["optimal_fiber_length"] * 1e6
    tendon = (1 - APONEUROSIS) * muscles["tendon_slack_length"]
    return [{"volume_cm3": round(float(v), 1), "tendon_m": round(float(t), 4)}
            for v, t in zip(volume, tendon, strict=True)]


def _groups(names) -> list[dict]:
    found = []
    for name, text, members in GROUPS:
        inside = [i for i, muscle in enumerate(names) if muscle.rpartition("_")[0] in members]
        if inside:
            found.append({"name": name, "label": text, "muscles": inside})
    return found


def _physics(analysis: Analysis, motion: Motion, names) -> dict:
    # an analysis may know fewer muscles than the body: those that were left out of it are not coloured
    column = {name: i for i, name in enumerate(analysis.muscles)}
    active = np.zeros((len(analysis.time), len(names)))
    for i, name in enumerate(names):
        if name in column:
            active[:, i] = analysis.activations[:, column[name]]
    ground = analysis.ground
    return {
        "activation": {
            "route": analysis.route, "solver": analysis.solver, "by": ROUTES[analysis.route],
            "seconds": _seconds(analysis.time - motion.start_s),
            "percent_2": base64.b64encode(  # (moment, muscle) bytes, in half percents
                np.clip(np.rint(active * 200), 0, 200).astype(np.uint8).T.tobytes()).decode("ascii"),
            "without": [i for i, name in enumerate(names) if name not in column],
            "trusted": [bool(one) for one in analysis.trusted],
        },
        "ground": {
            "source": ground.source, "seconds": _seconds(analysis.time - motion.start_s),
            "body_weight_n": round(analysis.body_weight, 1),
            "force": pack(ground.force.numpy(), STEP_N), "point": pack(ground.point.numpy(), STEP_M),
        },
    }


def _seconds(times) -> list[float]:
    return np.round(times, 4).tolist()
