"""The body: a person's skeleton as scale factors, its kinematics in torch, and the scaled OpenSim model."""

from generation.engine.body.coordinates import BODIES, CONTACTS, COORDINATES, MODEL_FILE, ROTATIONAL
from generation.engine.body.osim import write_osim
from generation.engine.body.scaling import SEXES, BodyScale, generic_scale, scale_body
from generation.engine.body.torch_body import FOOT_CHAIN, JOINT_CENTRES, Kinematics, TorchBody

__all__ = [
    "BODIES", "CONTACTS", "COORDINATES", "FOOT_CHAIN", "JOINT_CENTRES", "MODEL_FILE", "ROTATIONAL", "SEXES",
    "BodyScale", "Kinematics", "TorchBody", "generic_scale", "scale_body", "write_osim",
]
