"""Measures of a whole motion that no limit is set on, but that a reader compares motions by."""
from __future__ import annotations

import numpy as np
import torch

from generation.engine.body import COORDINATES
from generation.engine.metrics.loads import Loads
from generation.engine.metrics.phases import Phases
from generation.engine.metrics.series import DEG, Measured
from generation.engine.metrics.smoothness import SMOOTHNESS, between

_INDEX = {name: i for i, name in enumerate(COORDINATES)}
_PELVIS = [_INDEX[f"pelvis_t{axis}"] for axis in "xyz"]
# "hip, knee, ankle flexion and pelvis tilt" of BIGE's mean joint angular speed
_OMEGA = [_INDEX[f"{name}_{side}"] for name in ("hip_flexion", "knee_angle", "ankle_angle") for side in "rl"]
_OMEGA.append(_INDEX["pelvis_tilt"])

# measure -> variable of the loads
_LOADS = {
    "knee_extension_moment_nm_kg": "knee_extension_moment_peak",
    "tibiofemoral_force_body_weights": "tibiofemoral_force_peak",
    "patellofemoral_force_body_weights": "patellofemoral_force_peak",
    "hip_force_body_weights": "hip_force_peak",
    "knee_extension_demand_percent": "knee_extension_demand_peak",
    "hip_extension_demand_percent": "hip_extension_demand_peak",
    "ankle_plantarflexion_demand_percent": "ankle_plantarflexion_demand_peak",
    "quadriceps_activation_percent": "quadriceps_activation_peak",
    "vastus_medialis_activation_percent": "vastus_medialis_activation_peak",
    "gluteus_maximus_activation_percent": "gluteus_maximus_activation_peak",
    "com_acceleration_peak_m_s2": "com_acceleration_peak",
}


def movement_measures(body, q: torch.Tensor, frame_rate: float, measured: Measured, phases: Phases) -> dict[str, float]:
    """Named measures of one motion, q (time, coordinate). Names end in their unit.

    ``pelvis_tilt_bottom_deg``, ``asymmetry_deg``, ``omega_deg_s``, ``pelvis_speed_m_s`` and
    ``pelvis_acceleration_m_s2`` follow BIGE (Maheshwari et al. 2025, PMLR 283:1243, Table 1); its "COM" is the pelvis;
    the tilt here is that of the deepest frame (:func:`load_measures` has it as defined there). ``penetration``,
    ``floating`` and ``sliding`` follow its floor measures, on the soles' contact points instead of joint centres.
    """
    step = 1.0 / frame_rate
    values = q.detach().cpu().numpy()
    contacts = body.foot_contacts(body(q)).detach().cpu().numpy()             # (time, 2, n, 3)
    pelvis = values[:, _PELVIS]
    velocity = np.diff(pelvis, axis=0) / step
    acceleration = np.diff(pelvis, n=2, axis=0) / step**2
    omega = np.abs(np.diff(values[:, _OMEGA], axis=0)) / step * DEG
    lowest = contacts[..., 1].reshape(len(values), -1).min(-1)
    slide = np.linalg.norm(np.diff(contacts[..., (0, 2)], axis=0), axis=-1) / step
    deepest = int(pelvis[:, 1].argmin())
    asymmetry = [measured.single[f"{name}_asymmetry"].item() for name in
                 ("hip_flexion", "knee_flexion", "ankle_dorsiflexion")]
    speed = measured.com_velocity.norm(dim=-1).detach().cpu().numpy()
    return {
        "depth_knee_flexion_deg": measured.single["knee_flexion_peak"].mean().item(),
        "depth_thigh_inclination_deg": measured.single["thigh_inclination_peak"].mean().item(),
        "depth_pelvis_drop_cm": measured.single["pelvis_drop"].item(),
        "pelvis_tilt_bottom_deg": float(values[deepest, _INDEX["pelvis_tilt"]] * DEG),
        "asymmetry_deg": float(np.mean(asymmetry)),
        "omega_deg_s": float(omega.mean()),
        "pelvis_speed_m_s": float(np.linalg.norm(velocity, axis=-1).mean()),
        "pelvis_acceleration_m_s2": float(np.linalg.norm(acceleration, axis=-1).mean()),
        "penetration_cm": float(np.maximum(-lowest, 0).mean() * 100),
        "floating_cm": float(np.maximum(lowest, 0).mean() * 100),
        "sliding_m_s": float(slide.mean()),
        "static_balance_margin_cm": measured.series["static_balance_margin"].min().item(),
        "margin_of_stability_cm": measured.series["margin_of_stability"].min().item(),
        "knee_medial_displacement_cm": measured.series["knee_medial_displacement"].max().item(),
        "trunk_forward_lean_deg": measured.series["trunk_forward_lean"].max().item(),
        "com_speed_peak_m_s": measured.single["com_speed_peak"].item(),
        "seat_height_cm": measured.single["seat_height"].item(),
        "repetitions": float(len(phases.repetitions)),
        **{name: float(np.mean([getattr(one, name) for one in phases.repetitions]))
           for name in ("descent_s", "pause_s", "ascent_s")},
        **_smoothness(speed, frame_rate, phases),
    }


def load_measures(loads: Loads, q: torch.Tensor) -> dict[str, float]:
    """Named measures of what a motion asks of the body: of both sides the greater, where the name has no side.

    ``pelvis_tilt_vastus_medialis_peak_deg`` is BIGE's pelvis tilt: at the frame of the greatest activation of the
    vastus medialis, mean of both sides.
    """
    found = {name: loads.single[variable].max().item() for name, variable in _LOADS.items()
             if variable in loads.single}
    found["left_foot_load_share_percent"] = loads.single["foot_load_share_mean"][1].item()
    found["trusted_frames_percent"] = 100 * loads.trust.trusted / loads.trust.frames
    found["largest_reserve_share_percent"] = 100 * loads.trust.largest_reserve_share
    if "vastus_medialis" in loads.peak_frames:
        tilt = q[list(loads.peak_frames["vastus_medialis"]), _INDEX["pelvis_tilt"]]
        found["pelvis_tilt_vastus_medialis_peak_deg"] = tilt.mean().item() * DEG
    return found


def _smoothness(speed: np.ndarray, frame_rate: float, phases: Phases) -> dict[str, float]:
    """SPARC and LDLJ of the centre of mass's speed, the mean over descents and ascents (a pause would distort them)."""
    parts = [part for one in phases.repetitions
             for part in ((one.descent_start, one.descent_end), (one.ascent_start, one.ascent_end))]
    return {name: float(np.mean([between(measure, speed, frame_rate, *part) for part in parts]))
            for name, measure in SMOOTHNESS.items()}
