"""Fits how body measures follow sex, height and mass in ANSUR II, for `scaling.scale_body`.

Source: Gordon CC et al. 2012 Anthropometric Survey of U.S. Army Personnel, NATICK/TR-15/007 (ANSUR II); public release,
4,082 men and 1,986 women, 17-58 years. Lengths are in mm, `weightkg` in tenths of a kilogram, stature is measured.
"""

import csv
import json
from pathlib import Path

import numpy as np

# measure -> ANSUR II columns; two columns mean first minus second. Heights of the body's landmarks above the floor.
MEASURES = {
    "foot_length": ("footlength",),
    "foot_breadth": ("footbreadthhorizontal",),
    "foot_height": ("lateralmalleolusheight",),
    "shank_length": ("lateralfemoralepicondyleheight", "lateralmalleolusheight"),
    "thigh_length": ("trochanterionheight", "lateralfemoralepicondyleheight"),
    "pelvis_height": ("iliocristaleheight", "trochanterionheight"),
    "pelvis_breadth": ("bicristalbreadth",),
    "trunk_height": ("stature", "iliocristaleheight"),
    "chest_depth": ("chestdepth",),
    "shoulder_breadth": ("biacromialbreadth",),
    "upper_arm_length": ("acromionradialelength",),
    "forearm_length": ("radialestylionlength",),
    "hand_length": ("handlength",),
    "hand_breadth": ("handbreadth",),
    "ankle_breadth": ("bimalleolarbreadth",),
    "wrist_girth": ("wristcircumference",),
}
SCALP_M = 0.006  # skin and pressed hair over the highest vertex of the skull mesh (E)


def fit_anthropometry(folder: Path, bones, generic_mass_kg: float, default_torso_y: float, target: Path) -> None:
    """Write `anthropometry.json`: for each measure and sex, measure_m = intercept + per_m height_m + per_kg mass_kg.

    bones: `source.bone_meshes` of the model, for the top of its head; default_torso_y: height in m of the torso's
    origin above the soles in the model's neutral pose.
    """
    result = {
        "source": "ANSUR II public release (Gordon et al. 2014, NATICK/TR-15/007), least squares for each sex",
        "formula": "measure_m = intercept + per_m * height_m + per_kg * mass_kg",
        "sexes": {},
    }
    for sex in ("female", "male"):
        people = _read(folder / f"ANSUR_II_{sex.upper()}_Public.csv")
        height, mass = people["stature"] / 1000, people["weightkg"] / 10
        design = np.stack([np.ones_like(height), height, mass], axis=1)
        measures = {}
        for name, columns in MEASURES.items():
            value = (people[columns[0]] - (people[columns[1]] if len(columns) == 2 else 0)) / 1000
            fit = np.linalg.lstsq(design, value, rcond=None)[0]
            residual = value - design @ fit
            measures[name] = {
                "columns": list(columns),
                "intercept": _short(fit[0]), "per_m": _short(fit[1]), "per_kg": _short(fit[2]),
                "r2": round(float(1 - residual.var() / value.var()), 3),
                "residual_sd_m": round(float(residual.std(ddof=3)), 4),
            }
        result["sexes"][sex] = {
            "people": len(height),
            "height_m": [round(float(height.min()), 3), round(float(height.max()), 3)],
            "mass_kg": [round(float(mass.min()), 1), round(float(mass.max()), 1)],
            "measures": measures,
        }
    head_top = max(vertices[:, 1].max() for _, vertices, _ in bones["torso"]) + SCALP_M
    result["generic"] = {
        "sex": "male",
        "mass_kg": round(generic_mass_kg, 3),
        "height_m": round(float(default_torso_y + head_top), 4),
        "head_top_in_torso_m": round(float(head_top), 5),
    }
    target.write_text(json.dumps(result, indent=1) + "\n")


def _short(value) -> float:
    return float(f"{value:.6g}")


def _read(path: Path) -> dict[str, np.ndarray]:
    """The needed columns of an ANSUR II file, (person,) each. Latin-1, because of the birth places."""
    needed = {column for columns in MEASURES.values() for column in columns} | {"stature", "weightkg"}
    with path.open(encoding="latin-1", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([float(row[column]) for row in rows]) for column in needed}
