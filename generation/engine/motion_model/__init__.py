"""The motion model: squats in OpenSim coordinates, learned from people and free of the person.

`channels.py` says what it sees. What ships: `linear_code.py` writes a repetition in few numbers, `stances.py` what goes
with it, `population.py` how people's numbers are spread, `model.py` how it is used. What it was measured against:
`network.py` (VQ-VAEs) and `training.py`, `flow.py` (a learned flow), `comparison.py` (all of them, `COMPARISON.md`).
`publish.py` makes what ships, `card.py` describes it, `storage.py` keeps it.
"""

from generation.engine.motion_model.channels import (
    BOTTOM,
    FRAMES,
    LEARNED_COORDINATES,
    channel_units,
    mirror_channels,
)
from generation.engine.motion_model.model import ContinuousModel, ModelError, MotionModel, QuantisedModel
from generation.engine.motion_model.storage import (
    FOLDER,
    HELD_OUT,
    PUBLISHED_VQVAE,
    RESIDUAL_VQVAE,
    SCALAR_VQVAE,
    load_motion_model,
)

__all__ = ["BOTTOM", "FOLDER", "FRAMES", "HELD_OUT", "LEARNED_COORDINATES", "PUBLISHED_VQVAE", "RESIDUAL_VQVAE",
           "SCALAR_VQVAE", "ContinuousModel", "ModelError", "MotionModel", "QuantisedModel", "channel_units",
           "load_motion_model", "mirror_channels"]
