"""The OpenSim route: OpenSim's own tools, in a process that can be stopped."""

from generation.engine.reference.ik import inverse_kinematics
from generation.engine.reference.opensim_route import (
    CONTACTS,
    FLEXIONS,
    Solved,
    Wrench,
    analyse_with_opensim,
    moco_inverse,
)
from generation.engine.reference.process import Cancelled, Progress, ReferenceFailed

__all__ = [
    "CONTACTS", "FLEXIONS", "Cancelled", "Progress", "ReferenceFailed", "Solved", "Wrench", "analyse_with_opensim",
    "inverse_kinematics", "moco_inverse",
]
