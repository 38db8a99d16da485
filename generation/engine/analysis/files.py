"""The files of an analysis: OpenSim tables and `report.json`. Layout and units in docs/analysis.md."""

import numpy as np

from generation.engine.analysis.result import Analysis
from generation.engine.formats.motion import is_translation
from generation.engine.formats.report import write_report
from generation.engine.formats.storage import write_storage

FORMAT = 1
FEET = ("r", "l")


def write_analysis(analysis: Analysis, folder, extra: dict | None = None) -> list[str]:
    """Write every table and `report.json` into `folder`, which is made if it is not there; returns the files' names.

    extra: entries added to the report, such as the name of the motion's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (labels, values) in tables(analysis).items():
        write_storage(folder / f"{name}.sto", name, analysis.time, labels, values)
        files.append(f"{name}.sto")
    write_report(folder / "report.json", report(analysis) | (extra or {}) | {"files": files})
    return [*files, "report.json"]


def tables(analysis: Analysis) -> dict[str, tuple[list[str], np.ndarray]]:
    """File name without ending -> labels and values (T, label)."""
    a = analysis
    kind = ["force" if is_translation(name) else "moment" for name in a.coordinates]
    dynamic = [f"{name}_{what}" for name, what in zip(a.coordinates, kind, strict=True)]
    return {
        "moments": (dynamic, a.moments),
        "powers": ([f"{name}_power" for name in a.coordinates], a.powers),
        "activations": (list(a.muscles), a.activations),
        "muscle_forces": (list(a.muscles), a.muscle_forces),
        "reserves": (dynamic + [f"{name}_share" for name in a.reserve_share] + ["trusted"],
                     np.column_stack([a.reserves, *a.reserve_share.values(), a.trusted.astype(float)])),
        "loads": _loads(a),
        "ground_reaction": _ground(a),
        "balance": _balance(a),
        "demand": (list(a.demand), np.column_stack([*a.demand.values()]).reshape(len(a.time), len(a.demand))),
        "kinematics": ([f"{name}/{what}" for what in ("value", "speed", "acceleration") for name in a.coordinates],
                       np.concatenate([a.q, a.u, a.udot], axis=1)),
    }


def report(analysis: Analysis) -> dict:
    """The whole as JSON."""
    a = analysis
    peak = {name: _peak(a, a.moments[:, i]) for i, name in enumerate(a.coordinates) if not is_translation(name)}
    active = {name: _peak(a, a.activations[:, i]) for i, name in enumerate(a.muscles)}
    shares = {name: float(share.max()) for name, share in a.reserve_share.items()}
    return {
        "format": FORMAT, "route": a.route, "solver": a.solver,
        "body": {"model_sha256": a.model_key, "mass_kg": a.mass_kg, "body_weight_n": a.body_weight},
        "motion": {"frames": len(a.time), "start_s": float(a.time[0]), "end_s": float(a.time[-1]),
                   "frame_rate_hz": a.frame_rate, "low_pass_hz": a.cutoff_hz},
        "ground_reaction": {"source": a.ground.source, "uncertainty": dict(a.ground.uncertainty or {})},
        "trust": {"frames": int(a.trusted.sum()), "share": float(a.trusted.mean()),
                  "frames_too_deep": int(a.too_deep.sum()), "largest_reserve_share": shares,
                  "residual_peak": _residuals(a)},
        "moments_nm": peak,
        "activations": active,
        "contact_forces": {name: {**_peak(a, np.linalg.norm(force, axis=-1)),
                                  "body_weights": float(a.contact_in_body_weights(name).max())}
                           for name, force in a.contacts.items()},
        "loads_n": {name: _peak(a, load) for name, load in a.loads.items()},
        "demand": {name: _peak(a, values) for name, values in a.demand.items()},
        "margin_of_stability_m": {"least": float(a.margin_of_stability.min()),
                                  "time_s": float(a.time[a.margin_of_stability.argmin()])},
        "asymmetries": dict(a.asymmetries), "smoothness": dict(a.smoothness),
        "estimated": _estimated(a), "notes": list(a.notes),
    }


def _estimated(a: Analysis) -> list[str]:
    """What no instrument measured, in sentences."""
    found = [f"Activations, muscle forces and contact forces are computed by {a.solver}, not measured."]
    if a.ground.source != "plates":
        found.append("The ground reaction, its split between the feet and its centres of pressure are estimated from "
                     "the motion; all moments rest on them.")
    found.append("The lumbar compression adds one extensor to the joint force, because the model has no trunk muscles: "
                 "an estimate to compare motions with.")
    return found


def _residuals(a: Analysis) -> dict[str, float]:
    """What motion, body and ground reaction disagree about: N, Nm, and the force as a share of body weight."""
    columns = {kind: [i for i, name in enumerate(a.coordinates)
                      if name.startswith("pelvis_") and is_translation(name) == (kind == "force")]
               for kind in ("force", "moment")}
    force, moment = (float(np.linalg.norm(a.moments[:, columns[kind]], axis=1).max()) for kind in ("force", "moment"))
    return {"force_n": force, "moment_nm": moment, "force_body_weights": force / a.body_weight}


def _loads(a: Analysis) -> tuple[list[str], np.ndarray]:
    labels, columns = [], []
    for name, force in a.contacts.items():
        labels += [f"{name}_f{axis}" for axis in "xyz"] + [f"{name}_body_weights"]
        columns += [force, a.contact_in_body_weights(name)]
    return labels + list(a.loads), np.column_stack([*columns, *a.loads.values()])


def _ground(a: Analysis) -> tuple[list[str], np.ndarray]:
    """In the columns that OpenSim's external loads use."""
    labels, columns = [], []
    for foot, side in enumerate(FEET):
        for kind, values in (("v", a.ground.force), ("p", a.ground.point), ("m", a.ground.moment)):
            labels += [f"ground_force_{side}_{kind}{axis}" for axis in "xyz"]
            columns.append(values[:, foot])
    if a.ground.seat is not None:
        for kind, values in (("v", a.ground.seat.force), ("p", a.ground.seat.point), ("m", a.ground.seat.moment)):
            labels += [f"seat_force_{kind}{axis}" for axis in "xyz"]
            columns.append(values)
    return labels, np.concatenate([np.asarray(column) for column in columns], axis=1)


def _balance(a: Analysis) -> tuple[list[str], np.ndarray]:
    labels = [f"com_{what}{axis}" for what in ("", "velocity_", "acceleration_") for axis in "xyz"]
    labels += ["extrapolated_com_x", "extrapolated_com_z", "margin_of_stability"]
    return labels, np.column_stack([a.com, a.com_velocity, a.com_acceleration, a.extrapolated_com,
                                    a.margin_of_stability])


def _peak(a: Analysis, values: np.ndarray) -> dict[str, float]:
    """The value of largest magnitude, its moment, and the mean magnitude."""
    at = int(np.abs(values).argmax())
    return {"peak": float(values[at]), "time_s": float(a.time[at]), "mean": float(np.abs(values).mean())}
