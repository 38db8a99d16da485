"""The body model's vocabulary and its packed arrays (`models/body/genuflex.npz`; meanings in `builder/packed.py`)."""

from pathlib import Path
from types import MappingProxyType

import numpy as np

MODELS = Path(__file__).resolve().parents[3] / "models" / "body"
MODEL_FILE = MODELS / "genuflex.osim"


def _load() -> MappingProxyType:
    try:
        with np.load(MODELS / "genuflex.npz", allow_pickle=False) as packed:
            return MappingProxyType({name: packed[name] for name in packed.files})
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{MODELS / 'genuflex.npz'} is missing; it is part of the project: restore it from version control, or "
            "rebuild it with `python -m generation.engine.body.build_model`"
        ) from None


PACKED = _load()
COORDINATES: tuple[str, ...] = tuple(PACKED["coordinates"].tolist())  # in model order
BODIES: tuple[str, ...] = tuple(PACKED["bodies"].tolist())  # in model order
CONTACTS: tuple[str, ...] = tuple(PACKED["contacts"].tolist())  # all of the right sole, then all of the left
ROTATIONAL: tuple[bool, ...] = tuple(PACKED["rotational"].tolist())  # angle (radians) or translation (metres)
