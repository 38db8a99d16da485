"""Where a known body wears its markers in the other movements.

A person has one body: its scales come from the squats, whose deep bend of every leg joint shows them best. Marker
places found there carry the skin of a deep squat with the arms overhead, so they are sought again, with that body, in
frames from all movements. A movement for which markers were put on anew, which shows in a changed distance between two
markers of the pelvis or of a foot, gets places of its own.
"""

from dataclasses import replace

import numpy as np

from generation.engine.motion_data.fit import Person, fit_person
from generation.engine.motion_data.markers import MARKER_SETS
from generation.engine.motion_data.skeleton import Skeleton

FRAMES_EACH = 8  # frames of each movement, spread over its recordings; ours (E)
FRAMES_ALONE = 24  # of a movement that has places of its own; ours (E)
REPLACED = 0.020  # metres by which a distance between two markers of one bone may differ between movements; ours (E)
STIFF = ("pelvis", "calcn_r", "calcn_l")  # bones whose markers move little against one another


def wear(
    person: Person, generic: Skeleton, sole_points, labels, recordings: dict[str, list[np.ndarray]]
) -> dict[str, Person]:
    """The person with the marker places of each movement.

    recordings: {movement: arrays (frame, marker, 3) in metres}. Persons of movements that share places are the same
    object.
    """
    places = MARKER_SETS[person.marker_set]
    columns = [labels.index(label) for label in places if label in labels]
    whole = {name: np.concatenate(arrays) for name, arrays in recordings.items()}
    seen = {name: frames[np.isfinite(frames[:, columns]).all(axis=(1, 2))] for name, frames in whole.items()}
    distances = {name: _distances(places, labels, frames) for name, frames in whole.items()}
    usual = np.nanmedian(np.stack(list(distances.values())), axis=0)
    anew = {name for name, d in distances.items() if np.nanmax(np.abs(d - usual)) > REPLACED and len(seen[name])}

    def fitted(names, count):
        picked = [seen[n][np.linspace(0, len(seen[n]) - 1, count).astype(int)] for n in names if len(seen[n])]
        found = fit_person(
            person.subject, generic, sole_points, person.marker_set, labels, np.concatenate(picked), person.parameters
        )
        return replace(found, pose=person.pose)

    together = [name for name in recordings if name not in anew]
    shared = fitted(together, FRAMES_EACH)
    return {name: fitted([name], FRAMES_ALONE) if name in anew else shared for name in recordings}


def _distances(places, labels, frames: np.ndarray) -> np.ndarray:
    """(pair,) median distance of each two markers of one stiff bone, metres; NaN where one of them is always lost."""
    found = []
    for bone in STIFF:
        there = [labels.index(label) for label, place in places.items() if place.body == bone and label in labels]
        for i, first in enumerate(there):
            for second in there[i + 1 :]:
                gap = np.linalg.norm(frames[:, first] - frames[:, second], axis=-1)
                found.append(np.median(gap[np.isfinite(gap)]) if np.isfinite(gap).any() else np.nan)
    return np.array(found)
