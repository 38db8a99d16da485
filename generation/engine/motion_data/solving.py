"""Fits every person and solves every trial, once: results are cached, and a second run continues there."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.motion_data import fit, ik, sources
from generation.engine.motion_data.fit import Person, fit_person, sole_points
from generation.engine.motion_data.markers import MARKER_SETS
from generation.engine.motion_data.skeleton import SCALE_GROUPS, Skeleton, lean_model, lean_xml
from generation.engine.motion_data.sources import Trial, read_angles, read_markers

FIT_FRAMES = 24  # frames of one person that the fit sees, spread over the range of pelvis heights; ours (E)
RECIPE = 1  # raise it when the code of fitting or solving changes what it computes: the cache starts afresh


@dataclass(frozen=True)
class Solved:
    """One solved trial: values (frame, coordinate) radians and metres at 60 Hz; error (frame,) metres, NaN where no
    markers exist.
    """

    trial: Trial
    person: Person | None
    coordinates: tuple[str, ...]
    values: np.ndarray
    error: np.ndarray


def recipe_digest(model_path: Path) -> str:
    """Names everything that decides what solving computes."""
    parts = [
        str(RECIPE),
        hashlib.sha256(lean_xml(model_path)).hexdigest(),
        repr(MARKER_SETS),
        repr(SCALE_GROUPS),
        repr({k: v.tolist() for k, v in sole_points(model_path).items()}),
        repr(
            [
                (k, v)
                for module in (fit, ik, sources)
                for k, v in sorted(vars(module).items())
                if k.isupper() and isinstance(v, (int, float, tuple, dict))
            ]
        ),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def solve_all(
    trials: list[Trial],
    model_path: Path,
    cache: Path,
    progress: Callable[[str, float], None] = lambda text, fraction: None,
) -> Iterator[Solved]:
    """Solve the trials, one person's after the other's in turn, and yield each as it is ready.

    Work already in `cache` is read back; a killed run loses at most the trial it was in.
    """
    folder = cache / recipe_digest(model_path)
    folder.mkdir(parents=True, exist_ok=True)
    generic = Skeleton(lean_model(model_path))
    soles = sole_points(model_path)
    people: dict[str, Person] = {}
    by_subject: dict[str, list[Trial]] = {}
    for trial in trials:
        by_subject.setdefault(trial.subject, []).append(trial)
    turn = [
        t for row in range(max(map(len, by_subject.values()))) for ts in by_subject.values() for t in ts[row : row + 1]
    ]
    for index, trial in enumerate(turn):
        if not trial.marker_set:
            labels, values = read_angles(trial)
            whole = np.zeros((len(values), len(generic.coordinates)))
            for column, name in enumerate(generic.coordinates):
                if name in labels:
                    whole[:, column] = values[:, labels.index(name)]
            yield Solved(trial, None, generic.coordinates, whole, np.full(len(whole), np.nan))
            continue
        if trial.subject not in people:
            progress(f"fit {trial.subject}", index / len(turn))
            people[trial.subject] = _fitted(trial.subject, by_subject[trial.subject], generic, soles, folder)
        person = people[trial.subject]
        file = folder / (trial.name.replace("/", "__") + ".npz")
        if not file.is_file():
            progress(trial.name, index / len(turn))
            labels, positions = read_markers(trial)
            values, error = ik.solve(generic, person, labels, positions)
            part = file.with_suffix(".part")
            with part.open("wb") as stream:
                np.savez_compressed(stream, values=values.astype(np.float32), error=error.astype(np.float32))
            part.rename(file)
        with np.load(file) as stored:
            yield Solved(
                trial, person, generic.coordinates, stored["values"].astype(float), stored["error"].astype(float)
            )


def _fitted(subject: str, trials: list[Trial], generic: Skeleton, soles, folder: Path) -> Person:
    """The person's fit, from the cache or from FIT_FRAMES frames over all trials, evenly spread over pelvis height."""
    file = folder / f"{subject}.json"
    if not file.is_file():
        places = MARKER_SETS[trials[0].marker_set]
        pelvic = [label for label, place in places.items() if place.body == "pelvis"]
        positions = []
        for trial in trials:
            labels, data = read_markers(trial)
            positions.append(data)
        frames = np.concatenate(positions)
        height = frames[:, [labels.index(label) for label in pelvic], 1].mean(axis=1)
        order = np.argsort(height)[: int(np.isfinite(height).sum())]
        picked = order[np.linspace(0.005 * len(order), 0.995 * len(order) - 1, FIT_FRAMES).astype(int)]
        person = fit_person(subject, generic, soles, trials[0].marker_set, labels, frames[picked])
        file.write_text(json.dumps(person.to_dict(), indent=1))
    return Person(**json.loads(file.read_text()))
