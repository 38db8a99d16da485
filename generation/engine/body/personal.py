"""One person's body from a profile: size, then strength, then joint ranges, written into one `.osim` file.

    scale (survey, measured lengths) -> OpenSim's scaling -> expected and measured strength -> measured ranges -> arrays

A profile with `model_osim` brings the file; measured strength and ranges are put into it. The generator, which works in
Genuflex's own skeleton, then takes a scale matched to that file.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from generation.engine.body.cache import Cache
from generation.engine.body.coordinates import MODEL_FILE
from generation.engine.body.matched import matched_scale
from generation.engine.body.model import BodyModel, load_body
from generation.engine.body.osim import scaled_model
from generation.engine.body.osim_file import open_osim
from generation.engine.body.scaling import BodyScale, anthropometry, scale_body
from generation.engine.body.strength import expected_factor, set_expected, set_measured
from generation.engine.formats.errors import FormatError
from generation.engine.limits import MEASURED
from generation.engine.profile import Profile, ProfileError

# Measured range -> the coordinate that it bounds, and its sign. Ranges of the pelvis against ground are no joint's.
RANGE_COORDINATES = {
    "knee_flexion": ("knee_angle", 1), "hip_flexion": ("hip_flexion", 1), "hip_adduction": ("hip_adduction", 1),
    "hip_internal_rotation": ("hip_rotation", 1), "ankle_dorsiflexion": ("ankle_angle", 1),
    "lumbar_flexion": ("lumbar_extension", -1), "lumbar_bending": ("lumbar_bending", 1),
    "lumbar_rotation": ("lumbar_rotation", 1),
}
_CODE = ("personal", "scaling", "segments", "segment_masses", "scaled", "osim", "strength", "coordinates", "osim_file")


def body_scale(profile: Profile, cache: Path | str | None = None) -> BodyScale:
    """The size in which the generator works. Raises ProfileError naming the field."""
    if profile.model_osim is not None:
        return matched_scale(_own_model(profile, cache))
    try:
        return scale_body(profile.sex, profile.age_years, profile.height_m, profile.mass_kg, profile.lengths())
    except ValueError as error:
        field, _, message = str(error).partition(" ")
        known = field.split(".")[0] in Profile.model_fields
        raise ProfileError(field if known else "height_m", message if known else str(error)) from None


def personal_body(profile: Profile, cache: Path | str | None = None, *, scale: BodyScale | None = None) -> BodyModel:
    """The body of a profile, kept on disk by the content of what it is made from (folder: as for `load_body`).

    scale: a size that is known better than the profile's, such as one fitted to markers; not with `model_osim`.
    Raises ProfileError naming the field: lengths or strength that cannot be a person's, a model that is no body.
    """
    own = _own_model(profile, cache) if profile.model_osim is not None else None
    scale = None if own else scale or body_scale(profile)
    asked = {
        "from": own.key if own else asdict(scale), "strength": [asdict(m) for m in profile.strength_measures()],
        "ranges": [asdict(limit) for limit in _ranges(profile)],
        "expected": None if own else expected_factor(
            profile.sex, profile.age_years, scale.height_m, scale.mass_kg, anthropometry()["generic"]),
    }
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode() + MODEL_FILE.read_bytes()).hexdigest()
    kept = Cache(cache, "people", _CODE).arrays(key, lambda: _made(profile, own, scale, asked["expected"]))
    notes = (*_size_notes(profile, own), *kept["notes"].tolist())
    height = own.height_m if own else scale.height_m
    return load_body(kept["osim"].tobytes(), cache, height_m=height, notes=tuple(notes))


def _own_model(profile: Profile, cache) -> BodyModel:
    try:
        return load_body(profile.model_osim, cache, height_m=profile.height_m)
    except FormatError as error:
        raise ProfileError("model_osim", str(error)) from None


def _made(profile: Profile, own: BodyModel | None, scale: BodyScale | None, expected: float | None):
    notes = []
    generic = None
    if own is None:
        model, generic = scaled_model(scale), open_osim(MODEL_FILE.read_bytes())
        set_expected(model, generic, expected)
        notes.append(f"Muscle volume: {100 * expected:.0f} % of that of the generic model's man, expected from sex, "
                     "age, height and mass.")
    else:
        model = open_osim(own.osim)
    notes += set_measured(model, profile.strength_measures())
    notes += _set_ranges(model, profile)
    model.finalizeConnections()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person.osim"
        model.printToXML(str(path))
        osim = path.read_bytes()
    if own is not None and not notes:
        osim = own.osim  # nothing was changed: the file stays as it was given
    return {"osim": np.frombuffer(osim, np.uint8), "notes": np.array(notes, dtype=np.str_)}


def _ranges(profile: Profile):
    return [limit for limit in profile.limits() if limit.origin == MEASURED and limit.variable in RANGE_COORDINATES]


def _set_ranges(model, profile: Profile) -> list[str]:
    """Narrow the coordinates' ranges to those measured; sentences on those that do not fit the model."""
    notes = []
    coordinates = model.updCoordinateSet()
    for limit in _ranges(profile):
        base, sign = RANGE_COORDINATES[limit.variable]
        sides = ("",) if base.startswith("lumbar") else ("_r", "_l")
        if limit.side in ("right", "left"):
            sides = (f"_{limit.side[0]}",)
        ends = [None if value is None else np.radians(value) * sign for value in (limit.min, limit.max)]
        low, high = ends if sign > 0 else ends[::-1]
        for side in sides:
            if not coordinates.contains(base + side):
                notes.append(f"The model has no {base}{side}: its measured range is not in the body.")
                continue
            coordinate = coordinates.get(base + side)
            low_now = coordinate.getRangeMin() if low is None else max(low, coordinate.getRangeMin())
            high_now = coordinate.getRangeMax() if high is None else min(high, coordinate.getRangeMax())
            if low_now >= high_now:
                notes.append(f"{base}{side}: the measured range lies outside the model's; the model's is kept.")
                continue
            for one in (base + side, f"{base}{side}_beta"):
                if coordinates.contains(one):
                    coordinates.get(one).setRangeMin(float(low_now))
                    coordinates.get(one).setRangeMax(float(high_now))
            default = min(max(coordinate.getDefaultValue(), low_now), high_now)
            coordinate.setDefaultValue(float(default))
            notes.append(f"{base}{side}: range {np.degrees(low_now):.0f} to {np.degrees(high_now):.0f} degrees, as "
                         "measured.")
    return notes


def _size_notes(profile: Profile, own: BodyModel | None) -> list[str]:
    if own is None:
        return []
    notes = ["The supplied model's size and masses are used. The generator's own skeleton is given its joint "
             "distances, feet and masses, and not its joint axes, its arms' shape or its muscles.",
             "The supplied model's muscle forces are kept where no strength was measured: nothing is expected from sex "
             "and age."]
    if abs(own.mass_kg - profile.mass_kg) > 0.05 * profile.mass_kg:
        notes.append(f"The supplied model weighs {own.mass_kg:.1f} kg, the profile says {profile.mass_kg:g} kg; the "
                     "model's mass is used.")
    stands = matched_scale(own).height_m
    if abs(stands - profile.height_m) > 0.05 * profile.height_m:
        notes.append(f"The supplied model stands about {stands:.2f} m tall, the profile says {profile.height_m:g} m; "
                     "the model's size is used.")
    return notes
