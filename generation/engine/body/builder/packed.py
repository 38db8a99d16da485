"""Packs the squat model into `genuflex.npz`, so that the run time needs no OpenSim for the generic body."""

from pathlib import Path

import numpy as np

from generation.engine.body.packing import pack_model as pack


def pack_model(osim: Path, target: Path) -> None:
    """Write the arrays of the model file `osim` (meanings in `body/packing.py`) to the `.npz` file `target`."""
    import opensim

    model = opensim.Model(str(osim))
    model.initSystem()
    np.savez_compressed(target, **pack(model))
