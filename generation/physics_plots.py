"""Muscle activity, joint moments, joint loads and stability over time, with what limits allow."""
from __future__ import annotations

import math

import numpy as np

from generation.alignment import cycle
from generation.physics import JOINTS, LOADS, MUSCLE_GROUPS, SIDES
from generation.playback import Curves
from generation.plots import Allowed, Line, Panel, Plot, allowed

# Curve -> variable of the limits on its greatest value, without "_peak".
_MOMENTS = {"knee_angle": "knee_extension_moment", "hip_flexion": "hip_extension_moment",
            "ankle_angle": "ankle_plantarflexion_moment"}
_LOADS = {"tibiofemoral_free_body": "tibiofemoral_force", "patellofemoral_free_body": "patellofemoral_force",
          "hip": "hip_force"}


def physics_plots(found: dict, motion: Curves, checks: list[dict], mass_kg: float) -> list[Plot]:
    """One plot for each kind. `found` are the curves that a check stored (docs/checks.md)."""
    groups = [(group.label, [f"{name}_{side}" for side in SIDES], _limit(checks, f"{name}_activation"))
              for name, group in MUSCLE_GROUPS.items()]
    joints = [(joint.label, joint.coordinates(), _limit(checks, _MOMENTS.get(joint.coordinate), mass_kg))
              for joint in JOINTS]
    loads = [(load.label, load.names(), _limit(checks, _LOADS.get(load.name))) for load in LOADS]
    margin = [("Margin of stability", ["margin_of_stability"], allowed(checks, "margin_of_stability", motion.phases))]
    kinds = (
        ("activations", "Muscle activity", groups, " %", 100), ("moments", "Joint moments", joints, " Nm", 1),
        ("loads", "Joint loads in body weights", loads, " BW", 1), ("stability", "Balance", margin, " cm", 100),
    )
    plots = []
    for key, title, rows, unit, factor in kinds:
        panels = [_panel(label, names, bands, found.get(key, {}), factor) for label, names, bands in rows]
        if any(panels):
            plots.append(Plot(
                key=key, title=title, unit=unit, times=np.array(found["time_s"]), cycle=cycle(motion),
                panels=[panel for panel in panels if panel], phases=motion.phases, doubted=doubted(found), panel_px=110,
            ))
    return plots


def _limit(checks: list[dict], variable: str | None, factor: float = 1.0) -> list[Allowed]:
    """Limits on the greatest value of a curve: an upper bound at every instant; a lower one is no band of the curve."""
    bounds = [c["max"] for c in checks if variable and c["variable"] == f"{variable}_peak" and c.get("max") is not None
              and c.get("weight") is None]
    return [Allowed(None, factor * min(bounds))] if bounds else []


def _panel(label: str, names: list[str], bands: list[Allowed], values: dict, factor: float) -> Panel | None:
    lines = [Line("Left" if name.endswith("_l") else "Right" if name.endswith("_r") else "Middle",
                  factor * np.array(values[name], float)) for name in names if name in values]
    return Panel(label, lines, bands, from_zero=True) if lines else None


def doubted(found: dict) -> list[tuple[float, float]]:
    """The spans of time that are not trusted, half a step wider on each side."""
    times, trusted = found["time_s"], found["trusted"]
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.0
    spans: list[list[float]] = []
    for time, fine in zip(times, trusted, strict=True):
        if fine:
            continue
        if spans and math.isclose(spans[-1][1], time - half, abs_tol=half / 2):
            spans[-1][1] = time + half
        else:
            spans.append([time - half, time + half])
    return [(start, end) for start, end in spans]
