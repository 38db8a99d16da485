"""What a motion does to a body, in torch: batched over motions and time, differentiable, on CPU and CUDA."""

from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics, knee_moments
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
    "LEG_COORDINATES", "RESERVES", "UNTRUSTED_SHARE", "JointLoads", "MuscleCurves", "MuscleGeometry", "MusclePaths",
    "MusclePulls", "Solution", "StaticOptimisation", "differentiate", "fit_pulls", "inverse_dynamics", "is_reserve",
    "knee_moments", "reserve_forces", "reserve_share",
]
