"""A body that both routes read: one `.osim` file and its arrays."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from generation.engine.body.cache import Cache
from generation.engine.body.muscle_packing import pack_muscles
from generation.engine.body.osim_file import open_osim, read_osim
from generation.engine.body.packing import pack_model
from generation.engine.formats.errors import FormatError

LEG_MUSCLES = 80  # of the understood families
_CODE = ("packing", "functions", "contacts", "muscle_packing", "osim_file", "model")


@dataclass(frozen=True)
class BodyModel:
    """One person's body. `osim` defines it; everything else is read from it."""

    osim: bytes = field(repr=False)
    key: str                            # sha256 of `osim`, hex
    packed: Mapping[str, np.ndarray] = field(repr=False)   # meanings in `packing.py`
    muscles: Mapping[str, np.ndarray] = field(repr=False)  # meanings in `muscle_packing.py`
    height_m: float | None = None       # None: not known
    notes: tuple[str, ...] = ()         # what the user should know, sentences

    @property
    def coordinates(self) -> tuple[str, ...]:
        return tuple(self.packed["coordinates"].tolist())

    @property
    def bodies(self) -> tuple[str, ...]:
        return tuple(self.packed["bodies"].tolist())

    @property
    def mass_kg(self) -> float:
        return float(self.packed["mass"].sum())


def load_body(source: Path | str | bytes, cache: Path | str | None = None, *, height_m: float | None = None,
              notes: tuple[str, ...] = ()) -> BodyModel:
    """The body of an `.osim` file (path or content) of the Rajagopal, LaiArnold or LaiUhlrich family.

    cache: folder of packed models; None takes GENUFLEX_CACHE or the user's cache folder. Raises FormatError, one
    sentence that names the place, for any file that cannot be a body.
    """
    osim = read_osim(source)
    key = hashlib.sha256(osim).hexdigest()
    arrays = Cache(cache, "bodies", _CODE).arrays(key, lambda: _pack(osim))
    parts: dict[str, dict[str, np.ndarray]] = {"packed": {}, "muscles": {}}
    for name, array in arrays.items():
        array.setflags(write=False)
        part, _, name = name.partition("/")
        parts[part][name] = array
    packed, muscles = (MappingProxyType(parts[part]) for part in ("packed", "muscles"))
    return BodyModel(osim, key, packed, muscles, height_m, (*notes, *_notes(packed, muscles)))


def _pack(osim: bytes) -> dict[str, np.ndarray]:
    model = open_osim(osim)
    packed = pack_model(model)
    try:
        muscles = pack_muscles(model)
    except ValueError as error:
        raise FormatError(str(error)) from None
    for name, array in muscles.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FormatError(f"A muscle of the model has a value that is not finite: {name.replace('_', ' ')}.")
    return {f"packed/{name}": array for name, array in packed.items()} | {
        f"muscles/{name}": array for name, array in muscles.items()}


def _notes(packed, muscles) -> list[str]:
    notes = []
    if packed["contact_source"] == "generic":
        notes.append("The model has no contact points under its feet: the generic soles are stretched to its feet.")
    elif packed["contact_source"] == "spheres":
        notes.append("The soles are the lowest points of the model's contact spheres.")
    locked = packed["coordinates"][packed["locked"]]
    if len(locked):
        notes.append(f"Locked in the model: {', '.join(locked.tolist())}.")
    if len(muscles["muscle_names"]) < LEG_MUSCLES:
        notes.append(f"The model has {len(muscles['muscle_names'])} muscles, fewer than the {LEG_MUSCLES} of the legs "
                     "of the Rajagopal family: loads of the joints that they cross are not complete.")
    return notes
