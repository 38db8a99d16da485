"""What a motion does to a body, in torch: batched over motions and time, differentiable, on CPU and CUDA."""

from generation.engine.physics.derivatives import differentiate
from generation.engine.physics.dynamics import inverse_dynamics, knee_moments
from generation.engine.physics.reserves import (
    LEG_COORDINATES,
    RESERVES,
    UNTRUSTED_SHARE,
    is_reserve,
    reserve_forces,
    reserve_share,
)

__all__ = [
    "LEG_COORDINATES", "RESERVES", "UNTRUSTED_SHARE", "differentiate", "inverse_dynamics", "is_reserve", "knee_moments",
    "reserve_forces", "reserve_share",
]
