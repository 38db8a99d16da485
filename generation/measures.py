"""The measures of a motion, in a reader's order and words: what a clinician compares by first, technical ones apart."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure of the engine as a page shows it."""

    name: str
    label: str
    unit: str           # as it is written after the number
    places: int
    meaning: str

    def row(self, metrics: dict[str, float]) -> dict:
        return {"label": self.label, "meaning": self.meaning,
                "value": f"{round(metrics[self.name], self.places) + 0.0:.{self.places}f}{self.unit}"}


CLINICAL = (
    Measure("depth_knee_flexion_deg", "Knee bend, deepest", "°", 0, "Mean of both knees; 0° is straight."),
    Measure("depth_thigh_inclination_deg", "Thigh, deepest", "°", 0,
            "Angle of the thigh from the vertical; 90° is level with the floor."),
    Measure("depth_pelvis_drop_cm", "Pelvis goes down", " cm", 1, "From standing to the lowest point."),
    Measure("trunk_forward_lean_deg", "Trunk lean, greatest", "°", 0, "Forward from the vertical."),
    Measure("knee_medial_displacement_cm", "Knee inside the foot line", " cm", 1,
            "The greatest way of a knee inwards (valgus); negative stays outside."),
    Measure("asymmetry_deg", "Left-right difference", "°", 1, "Mean of hip, knee and ankle over the whole motion."),
    Measure("static_balance_margin_cm", "Balance reserve", " cm", 1,
            "How far the centre of mass stays inside the edge of the feet, at its closest."),
    Measure("patellofemoral_force_body_weights", "Kneecap force, greatest", " body weights", 1,
            "Computed, not measured: what presses the kneecap on the thigh bone; the greater of both sides."),
    Measure("tibiofemoral_force_body_weights", "Knee force, greatest", " body weights", 1,
            "Computed, not measured: between shin and thigh bone; the greater of both sides."),
    Measure("hip_force_body_weights", "Hip force, greatest", " body weights", 1,
            "Computed, not measured; the greater of both sides."),
    Measure("knee_extension_demand_percent", "Knee strength needed", " %", 0,
            "The greatest share of this person's knee extension strength that the motion needs; the greater of both "
            "sides."),
    Measure("quadriceps_activation_percent", "Quadriceps activity, greatest", " %", 0,
            "Of full activation; computed as the least effort that makes the motion, not an EMG."),
    Measure("left_foot_load_share_percent", "Load on the left foot", " %", 0,
            "Mean share of both feet's load, estimated from the motion; 50 % is even."),
    Measure("descent_s", "Going down", " s", 1, "Time from the start of sinking to the lowest point."),
    Measure("pause_s", "At the bottom", " s", 1, "Time between going down and coming up."),
    Measure("ascent_s", "Coming up", " s", 1, "Time from the lowest point to standing."),
)
DURATIONS = ("descent_s", "pause_s", "ascent_s")
TECHNICAL = (
    Measure("margin_of_stability_cm", "Margin of stability", " cm", 1,
            "As the balance reserve, with the speed of the centre of mass taken in; approximate in deep squats."),
    Measure("pelvis_tilt_bottom_deg", "Pelvic tilt at the bottom", "°", 1, "In the body model; negative is forward."),
    Measure("com_speed_peak_m_s", "Centre of mass, fastest", " m/s", 2, "Greatest speed of the whole body's centre."),
    Measure("omega_deg_s", "Mean joint speed", "°/s", 1, "Hips, knees, ankles and pelvic tilt."),
    Measure("pelvis_speed_m_s", "Mean pelvis speed", " m/s", 2, "Over the whole motion."),
    Measure("pelvis_acceleration_m_s2", "Mean pelvis acceleration", " m/s²", 2, "Over the whole motion."),
    Measure("knee_extension_moment_nm_kg", "Knee extension moment, greatest", " Nm/kg", 2,
            "Computed; for each kilogram of body mass; the greater of both sides."),
    Measure("hip_extension_demand_percent", "Hip strength needed", " %", 0,
            "As for the knee: hip extension."),
    Measure("ankle_plantarflexion_demand_percent", "Ankle strength needed", " %", 0,
            "As for the knee: ankle plantarflexion."),
    Measure("vastus_medialis_activation_percent", "Vastus medialis activity, greatest", " %", 0, "Computed."),
    Measure("gluteus_maximus_activation_percent", "Gluteus maximus activity, greatest", " %", 0, "Computed."),
    Measure("com_acceleration_peak_m_s2", "Centre of mass, greatest acceleration", " m/s²", 2,
            "Of the whole body's centre."),
    Measure("pelvis_tilt_vastus_medialis_peak_deg", "Pelvic tilt when vastus medialis works most", "°", 1,
            "In the body model; negative is forward."),
    Measure("trusted_frames_percent", "Frames whose muscles can be trusted", " %", 0,
            "In the others an auxiliary actuator carries more than a tenth of a joint's moment."),
    Measure("largest_reserve_share_percent", "Largest share of auxiliary actuators", " %", 1,
            "Of a joint's moment, at the worst instant: what the model's muscles could not make."),
    Measure("sparc", "Smoothness (SPARC)", "", 2, "Spectral arc length of the speed; nearer to 0 is smoother."),
    Measure("log_dimensionless_jerk", "Smoothness (log jerk)", "", 2, "Nearer to 0 is smoother."),
    Measure("penetration_cm", "Soles below the floor", " cm", 2, "Mean over the motion; 0 is right."),
    Measure("floating_cm", "Soles above the floor", " cm", 2, "Mean over the motion; 0 is right."),
    Measure("sliding_m_s", "Soles sliding", " m/s", 3, "Mean over the motion; 0 is right."),
)

# What each part of the score says, as a page explains it: those of `generation.engine.guidance.ranking`.
SCORE_PARTS = {
    "limits": "Room left inside the limits that were set.",
    "symmetry": "How alike the left and the right side move.",
    "smoothness": "How evenly the body goes down and up.",
    "balance": "How far the centre of mass stays from the edge of the feet.",
    "human": "How near it is to squats that people really did.",
}


def rows(measures: tuple[Measure, ...], metrics: dict[str, float]) -> list[dict]:
    """What a page shows of `measures`; a motion that is no squat lacks some of them."""
    return [measure.row(metrics) for measure in measures if metrics.get(measure.name) is not None]
