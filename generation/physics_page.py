"""The part of a page on forces and muscles: rows in a clinician's words, from what a check by OpenSim stored."""
from __future__ import annotations

from generation.models import CandidateAnalysis, CandidateMotion
from generation.physics import JOINTS, LOADS, MUSCLE_GROUPS, SIDES
from generation.physics_plots import physics_plots
from generation.playback import curves

# Whose strength is compared: coordinate of the analysis, its label.
DEMANDS = (("knee_angle", "Knee"), ("hip_flexion", "Hip"), ("ankle_angle", "Ankle"))
COMPARED = {"moment": ("Joint moments", "Nm", 1), "activation": ("Muscle activity", "%", 100),
            "load": ("Joint loads", "body weights", 1)}


def physics_of(candidate: CandidateMotion, analysis: CandidateAnalysis | None) -> dict:
    """`physics` and `physics_plots` for the templates; both empty while OpenSim has not answered."""
    check = candidate.check_by_opensim
    if check is None or not check.result:
        return {"physics": None, "physics_plots": []}
    result = check.result
    found = result["physics"]
    mass = found["body"]["mass_kg"]
    return {
        "physics": {
            "moments": [_row(joint.label, joint.meaning, joint.coordinates(),
                             {name: abs(value["peak"]) for name, value in found["moments_nm"].items()}, "{:.0f}")
                        for joint in JOINTS],
            "mass_kg": mass,
            "muscles": _muscles(found["muscle_groups"]),
            "loads": [_row(load.label, load.meaning, load.names(), _body_weights(found), "{:.1f}") for load in LOADS],
            "demands": [_row(label, "", [f"{name}_{side}" for side in SIDES],
                             {key: 100 * value["peak"] for key, value in found["demand"].items()}, "{:.0f}")
                        for name, label in DEMANDS],
            "margin_of_stability_cm": 100 * found["margin_of_stability_m"]["least"],
            "margin_time_s": found["margin_of_stability_m"]["time_s"],
            "reserves": _reserves(found["trust"]),
            "untrusted_percent": 100 * result["untrusted_share"],
            "frames": found["trust"]["frames"], "all_frames": result["frames"],
            "untrusted_frames": result["frames"] - found["trust"]["frames"],
            "ground": found["ground_reaction"],
            "estimated": found["estimated"], "notes": found["notes"],
            "rate_hz": result["rate_hz"],
            "comparison": _comparison(result["comparison"]),
            "versions": result["versions"], "seconds": result["seconds"],
        },
        "physics_plots": [] if analysis is None else [
            plot.document() for plot in physics_plots(analysis.curves, curves(candidate), candidate.checks, mass)],
    }


def _row(label: str, meaning: str, names: list[str], values: dict[str, float], form: str) -> dict:
    """One quantity with a number for each side, or one for the middle; a dash where the model has none."""
    written = [form.format(values[name]) if name in values else "–" for name in names]
    sides = dict(zip(("right", "left"), written, strict=True)) if len(written) == 2 else {"middle": written[0]}
    return {"label": label, "meaning": meaning, **sides}


def _muscles(groups: dict) -> list[dict]:
    """Peak activation of each group in percent; `doubted` names the sides whose peak lies in a moment not trusted."""
    rows = []
    for name, group in MUSCLE_GROUPS.items():
        keys = {f"{name}_{side}": word for side, word in SIDES.items()}
        row = _row(group.label, "", list(keys), {key: 100 * groups[key]["peak"] for key in keys if key in groups},
                   "{:.0f}")
        rows.append({**row, "doubted": [word for key, word in keys.items()
                                        if key in groups and not groups[key]["trusted"]]})
    return rows


def _body_weights(found: dict) -> dict[str, float]:
    weight = found["body"]["body_weight_n"]
    single = {name: value["peak"] / weight for name, value in found["loads_n"].items()}
    return single | {name: value["body_weights"] for name, value in found["contact_forces"].items()}


def _reserves(trust: dict) -> dict | None:
    """The largest share of a joint moment that a reserve actuator carries, and where."""
    shares = trust["largest_reserve_share"]
    if not shares:
        return None
    name = max(shares, key=shares.get)
    base, _, side = name.rpartition("_")
    return {"percent": 100 * shares[name], "joint": f"{base.replace('_', ' ')}, {SIDES.get(side, side)}"}


def _comparison(rows: list[dict]) -> list[dict]:
    """For each kind of quantity the largest difference of a peak between the two routes."""
    found = []
    for kind, (label, unit, factor) in COMPARED.items():
        own = [row for row in rows if row["kind"] == kind]
        if own:
            worst = max(own, key=lambda row: abs(row["fast"] - row["opensim"]))
            found.append({"label": label, "unit": unit, "count": len(own), "fast": factor * worst["fast"],
                          "opensim": factor * worst["opensim"],
                          "difference": factor * abs(worst["fast"] - worst["opensim"]),
                          "name": _plain(worst["name"])})
    return found


def _plain(name: str) -> str:
    base, _, side = name.rpartition("_")
    words, ending = (base, f", {SIDES[side]}") if side in SIDES else (name, "")
    return words.replace("_free_body", "").replace("_", " ") + ending
