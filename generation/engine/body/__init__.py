"""The body: a person's skeleton as scale factors, any `.osim` as arrays, their kinematics in torch."""

from generation.engine.body.coordinates import BODIES, CONTACTS, COORDINATES, MODEL_FILE, ROTATIONAL
from generation.engine.body.model import BodyModel, load_body
from generation.engine.body.osim import write_osim
from generation.engine.body.personal import body_scale, personal_body
from generation.engine.body.scaling import SEXES, BodyScale, generic_scale, scale_body
from generation.engine.body.torch_body import FOOT_CHAIN, JOINT_CENTRES, Kinematics, TorchBody, foot_chain

__all__ = [
    "BODIES", "CONTACTS", "COORDINATES", "FOOT_CHAIN", "JOINT_CENTRES", "MODEL_FILE", "ROTATIONAL", "SEXES",
    "BodyModel", "BodyScale", "Kinematics", "TorchBody", "body_scale", "foot_chain", "generic_scale", "load_body",
    "personal_body", "scale_body", "write_osim",
]
