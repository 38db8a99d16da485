"""Muscle paths cut into the sections that can be fitted one by one: a path's length is the sum of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sections:
    """S sections of M muscles. `muscles` describes each as a muscle of its own, in the arrays of `pack_muscles` (its
    paths only), so that `MusclePaths` reads it."""

    muscles: Mapping[str, np.ndarray]
    owner: np.ndarray  # (S,) the muscle it is part of
    straight: np.ndarray  # (S,) bool: one straight piece that wraps over nothing


def split_sections(muscles: Mapping[str, np.ndarray]) -> Sections:
    """Cut each path at its points. Pieces that may wrap over the same cylinder stay together."""
    start = muscles["point_start"]
    points, starts, owner, straight, uses = [], [0], [], [], []
    for m in range(len(start) - 1):
        count = start[m + 1] - start[m]
        own = np.flatnonzero(muscles["use_muscle"] == m)
        joined = np.zeros(count - 1, dtype=bool)  # is a piece in one section with the piece before it?
        for use in own:
            joined[muscles["use_first"][use] + 1: muscles["use_last"][use]] = True
        firsts = np.flatnonzero(~joined)
        for first, last in zip(firsts, [*firsts[1:], count - 1], strict=True):
            inside = [u for u in own if first <= muscles["use_first"][u] and muscles["use_last"][u] <= last]
            for u in inside:
                uses.append((len(owner), muscles["use_wrap"][u], muscles["use_first"][u] - first,
                             muscles["use_last"][u] - first))
            points += range(start[m] + first, start[m] + last + 1)
            starts.append(len(points))
            owner.append(m)
            straight.append(last == first + 1 and not inside)
    use = np.array(uses, dtype=int).reshape(-1, 4)
    names = [f"{muscles['muscle_names'][m]}/{s}" for s, m in enumerate(owner)]
    cut = {key: value for key, value in muscles.items() if key.startswith("wrap_") or key == "path_bodies"} | {
        "muscle_names": np.array(names, dtype=str), "point_start": np.array(starts),
        "point_body": muscles["point_body"][points], "point_offset": muscles["point_offset"][points],
        "use_muscle": use[:, 0], "use_wrap": use[:, 1], "use_first": use[:, 2], "use_last": use[:, 3],
    }
    return Sections(cut, np.array(owner), np.array(straight))
