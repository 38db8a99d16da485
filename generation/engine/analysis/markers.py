"""A patient's marker recording as a motion in that person's own model.

With a model (`--model`) that OpenSim or OpenCap has scaled, its own markers are followed. With a profile the body is
made from the markers first: segment lengths by the fit of `motion_data.fit`, mass and strength from the profile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generation.engine.body import BODIES, MODEL_FILE, BodyModel, BodyScale, personal_body
from generation.engine.body.scaling import standing_height, with_masses
from generation.engine.formats import FormatError, MarkerRecording, Motion
from generation.engine.motion_data.fit import Person, fit_person, sole_points
from generation.engine.motion_data.markers import MARKER_SETS, PLACES, reported
from generation.engine.motion_data.skeleton import Skeleton, lean_model, scale_factors
from generation.engine.profile import Profile
from generation.engine.reference import Progress, inverse_kinematics

FIT_FRAMES = 24  # as for the shipped motion data
LEAST_SHARE = 0.9  # of the frames in which a marker must be seen to be used (E)
LEAST_MODEL_MARKERS = 12  # E: with fewer of the model's own markers the legs are not determined
PERSON_M = (0.8, 2.6)  # E: how high the markers of a person may reach over their feet
REFERENCE_NOISE = 0.010  # a marker with this much skin motion weighs 1 (E)
# Without these a marker set does not determine size and pose of the legs.
NEEDED = ("asis", "psis", "knee_lateral", "ankle_lateral", "heel")
TOES = ("toe", "first_toe")
HEIGHT_AGREES = (0.85, 1.18)  # E: of the fitted body's height to the profile's; no marker shows the head


@dataclass(frozen=True, eq=False)
class MarkerMotion:
    """motion in the person's model; rms_mm: marker error, RMS over time of markers on legs, pelvis and trunk; scales:
    what the fit found, None where the model was given; marker_set: whose names the file uses."""

    motion: Motion
    rms_mm: float
    marker_set: str
    person: Person | None


def marker_set_of(markers: Sequence[str]) -> str:
    """The marker set whose names a recording uses, "plug-in-gait", "opencap" or "kirsten" (laboratory names such as
    `r.ASIS`). Raises FormatError that names the markers the nearest set misses."""
    names = set(markers)
    share = {name: len(names & set(places)) / len(places) for name, places in MARKER_SETS.items()}
    best = max(share, key=share.get)
    missing = _missing(best, names)
    if missing:
        known = ", ".join(MARKER_SETS)
        raise FormatError(f"The nearest known marker set is {best}, but these of its markers are missing: "
                          f"{', '.join(missing)}. Known sets: {known}.")
    return best


def upright(recording: MarkerRecording, up_names: Sequence[str], down_names: Sequence[str]) -> np.ndarray:
    """Positions (time, marker, 3) m with Y up, whatever axis of the file is up. Raises FormatError when the markers
    are not of a person's size, as in a wrong unit."""
    at = {name: i for i, name in enumerate(recording.markers)}
    middle = [np.nanmedian(recording.positions[:, [at[name] for name in names]], axis=(0, 1))
              for names in (up_names, down_names)]
    rise = middle[0] - middle[1]
    axis = int(np.abs(rise).argmax())
    sign = np.sign(rise[axis])
    turns = {0: [[0, -1, 0], [1, 0, 0], [0, 0, 1]], 1: np.eye(3), 2: [[1, 0, 0], [0, 0, 1], [0, -1, 0]]}
    turn = np.array(turns[axis], float)
    if sign < 0:
        turn = np.diag([1.0, -1.0, -1.0]) @ turn
    positions = recording.positions @ turn.T
    reach = float(np.nanmax(positions[..., 1]) - np.nanmin(positions[..., 1]))
    if not PERSON_M[0] <= reach <= PERSON_M[1]:
        raise FormatError(f"The markers reach over {reach:.3g} m from the lowest to the highest, which is no person: "
                          "check the file's unit.")
    return positions


def body_from_markers(profile: Profile, recording: MarkerRecording) -> tuple[BodyModel, Person, np.ndarray]:
    """A person's body in the size that the markers show; mass, strength and ranges are the profile's. Returns what
    `motion_from_markers` takes. About a minute.

    Raises FormatError, also where the markers' size is not the profile's, and ProfileError.
    """
    person, positions = fit_markers(recording)
    factors = {body: (1.0, 1.0, 1.0) for body in BODIES} | scale_factors(person.parameters)
    height = standing_height(factors)
    if not HEIGHT_AGREES[0] <= height / profile.height_m <= HEIGHT_AGREES[1]:
        raise FormatError(f"The markers are those of a person of about {height:.2f} m, the profile says "
                          f"{profile.height_m:g} m: check the file's unit, and whose recording it is.")
    scale = with_masses(BodyScale(factors, profile.mass_kg, height, "fitted to markers"), profile.sex)
    return personal_body(profile, scale=scale), person, positions


def fit_markers(recording: MarkerRecording) -> tuple[Person, np.ndarray]:
    """The person's segment lengths and marker places, and positions (time, marker, 3) m with Y up. About a minute."""
    name = marker_set_of(recording.markers)
    labels = list(recording.markers)
    positions = upright(recording, _labels(name, ("asis", "psis"), labels), _labels(name, ("heel",), labels))
    pelvis = [labels.index(label) for label in _labels(name, ("asis", "psis"), labels)]
    height = positions[:, pelvis, 1].mean(axis=1)
    seen = np.flatnonzero(np.isfinite(height))
    if len(seen) < FIT_FRAMES:
        raise FormatError(f"All four pelvis markers are seen in {len(seen)} frames only; {FIT_FRAMES} are needed.")
    order = seen[np.argsort(height[seen])]
    picked = order[np.linspace(0, len(order) - 1, FIT_FRAMES).astype(int)]
    person = fit_person("patient", Skeleton(lean_model(MODEL_FILE)), sole_points(MODEL_FILE), name, labels,
                        positions[picked])
    return person, positions


def motion_from_markers(recording: MarkerRecording, body: BodyModel, person: Person | None = None,
                        positions: np.ndarray | None = None, *, progress: Progress | None = None,
                        cancelled: Callable[[], bool] | None = None) -> MarkerMotion:
    """Inverse kinematics of a recording in a person's model, by OpenSim.

    person, positions: what `fit_markers` gave for a body made from them; without, the markers of `body`'s own file are
    followed. Raises FormatError naming the markers that are missing, ReferenceFailed, Cancelled.
    """
    if person is not None:
        places = MARKER_SETS[person.marker_set]
        used = _seen(recording, [label for label in person.offsets if label in recording.markers])
        markers = {label: (places[label].body, person.offsets[label]) for label in used}
        weights = {label: (REFERENCE_NOISE / places[label].noise) ** 2 for label in used}
        shown, start, name = set(reported(person.marker_set)), person.pose, person.marker_set
    else:
        markers = model_markers(body.osim)
        used = _seen(recording, [label for label in recording.markers if label in markers])
        if len(used) < LEAST_MODEL_MARKERS:
            missing = [label for label in markers if label not in recording.markers]
            raise FormatError(f"Only {len(used)} of the model's markers are in the recording; at least "
                              f"{LEAST_MODEL_MARKERS} are needed. Missing: {', '.join(missing[:30]) or 'all'}.")
        pelvis = [label for label in used if markers[label][0] == "pelvis"]
        feet = [label for label in used if markers[label][0].startswith(("calcn", "toes"))]
        if not pelvis or not feet:
            raise FormatError("The recording and the model share no marker on the pelvis, or none on the feet.")
        positions = upright(recording, pelvis, feet)
        weights, shown, start, name = dict.fromkeys(used, 1.0), set(used), {}, "the model's own"
    columns = [recording.markers.index(label) for label in used]
    coordinates, values, errors = inverse_kinematics(
        body.osim, markers, weights, positions[:, columns], recording.frame_rate, start,
        progress=progress, cancelled=cancelled)
    kept = [i for i, label in enumerate(used) if label in shown]
    rms = 1000 * float(np.sqrt(np.nanmean(errors[:, kept] ** 2)))
    left_out = [label for label in recording.markers if label not in used]
    notes = [f"Inverse kinematics on {len(used)} markers ({name}), RMS {rms:.0f} mm on legs, pelvis and trunk."]
    if person is not None and not person.hip_regression:
        notes.append("The pelvis markers are not as far apart as a pelvis is: their places were left open, so pelvis "
                     "tilt, hip flexion and lumbar extension may be off by a constant.")
    if left_out:
        notes.append(f"Markers that were not used: {', '.join(label[:40] for label in left_out[:40])}.")
    motion = Motion(coordinates, values, recording.frame_rate, tuple(notes), float(recording.times[0]))
    return MarkerMotion(motion, rms, name, person)


def model_markers(osim: bytes) -> Mapping[str, tuple[str, tuple[float, float, float]]]:
    """Marker name -> (body, place in its frame, m) of a model file."""
    from generation.engine.body.osim_file import open_osim

    model = open_osim(osim)
    found = {}
    for i in range(model.getMarkerSet().getSize()):
        marker = model.getMarkerSet().get(i)
        body = marker.getParentFrame().findBaseFrame().getName()
        place = marker.get_location()
        found[marker.getName()] = (body, tuple(float(place[axis]) for axis in range(3)))
    return found


def _seen(recording: MarkerRecording, labels: list[str]) -> list[str]:
    share = np.isfinite(recording.positions).all(-1).mean(axis=0)
    return [label for label in labels if share[recording.markers.index(label)] >= LEAST_SHARE]


def _labels(marker_set: str, places: Sequence[str], present: Sequence[str]) -> list[str]:
    wanted = [PLACES[name] for name in places] + [PLACES[name].mirrored() for name in places]
    return [label for label, place in MARKER_SETS[marker_set].items() if place in wanted and label in present]


def _missing(marker_set: str, present: set[str]) -> list[str]:
    places = MARKER_SETS[marker_set]
    missing = []
    for name in NEEDED:
        for place in (PLACES[name], PLACES[name].mirrored()):
            labels = [label for label, own in places.items() if own == place]
            if labels and not present & set(labels):
                missing += labels[:1]
    for side in ("r", "l"):
        toes = [label for label, own in places.items() if own.side == side
                and any(own in (PLACES[name], PLACES[name].mirrored()) for name in TOES)]
        if toes and not present & set(toes):
            missing.append(toes[0])
    return missing
