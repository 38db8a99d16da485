"""What a motion does to a body, in torch: batched over motions and time, differentiable, on CPU and CUDA."""

from generation.engine.physics.calibration import Calibration, Recording, calibrate
from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics, knee_moments
from generation.engine.physics.ground import estimate_ground, total_wrench
from generation.engine.physics.ground_reaction import GroundReaction
from generation.engine.physics.joint_loads import JointLoads
from generation.engine.physics.muscle_curves import MuscleCurves
from generation.engine.physics.muscle_geometry import MuscleGeometry
from generation.engine.physics.muscle_paths import MusclePaths
from generation.engine.physics.pulls import MusclePulls, fit_pulls
from generation.engine.physics.reserves import (
    LEG_COORDINATES,
    RESERVES,
    UNTRUSTED_SHARE,
    is_reserve,
    reserve_forces,
    reserve_share,
)
from generation.engine.physics.static_optimisation import Solution, StaticOptimisation

__all__ = [
    "LEG_COORDINATES", "RESERVES", "UNTRUSTED_SHARE", "Calibration", "GroundReaction", "JointLoads", "MuscleCurves",
    "MuscleGeometry", "MusclePaths", "MusclePulls", "Recording", "Solution", "StaticOptimisation", "calibrate",
    "differentiate", "estimate_ground", "fit_pulls", "inverse_dynamics", "is_reserve", "knee_moments", "reserve_forces",
    "reserve_share", "total_wrench",
]
