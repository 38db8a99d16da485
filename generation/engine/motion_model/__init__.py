"""The motion model: a VQ-VAE of squats in OpenSim coordinates, trained on people and free of the person.

`channels.py` says what it sees, `network.py` what it is, `training.py` how it learns, `publish.py` how a model is made,
measured and described, `model.py` how it is used.
"""

from generation.engine.motion_model.channels import (
    BOTTOM,
    FRAMES,
    LEARNED_COORDINATES,
    channel_units,
    mirror_channels,
)
from generation.engine.motion_model.model import ModelError, MotionModel, load_motion_model
from generation.engine.motion_model.training import train

__all__ = ["BOTTOM", "FRAMES", "LEARNED_COORDINATES", "ModelError", "MotionModel", "channel_units",
           "load_motion_model", "mirror_channels", "train"]
