"""Fits every person and solves every trial, once: results are cached, and a second run continues there."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES
from generation.engine.motion_data import batch_ik, fit, ik, placements, sources
from generation.engine.motion_data.fit import Person, fit_person, sole_points
from generation.engine.motion_data.markers import MARKER_SETS
from generation.engine.motion_data.skeleton import SCALE_GROUPS, Skeleton, lean_model, lean_xml
from generation.engine.motion_data.sources import Trial, read_angles, read_markers

FIT_FRAMES = 24  # frames of one person that the fit sees, spread over the range of pelvis heights; ours (E)
RECIPE = 1  # raise it when the code of fitting or solving changes what it computes: the cache starts afresh
MOVEMENT_RECIPE = 1  # the same for the other movements


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


def solve_movements(
    trials: list[Trial],
    squats: list[Trial],
    model_path: Path,
    cache: Path,
    progress: Callable[[str, float], None] = lambda text, fraction: None,
) -> Iterator[list[Solved]]:
    """Solve trials of other movements and yield them person by person.

    squats: these people's squats, from which their bodies come. Work in `cache` is read back; a killed run loses at
    most the person it was in.
    """
    folder = cache / recipe_digest(model_path)
    folder.mkdir(parents=True, exist_ok=True)
    generic, soles = Skeleton(lean_model(model_path)), sole_points(model_path)
    subjects = sorted({trial.subject for trial in trials})
    for index, subject in enumerate(subjects):
        mine = [trial for trial in trials if trial.subject == subject]
        person = _fitted(subject, [t for t in squats if t.subject == subject], generic, soles, folder)
        file = folder / f"{subject}.{_movement_digest(person, mine)}.npz"
        if not file.is_file():
            progress(f"{subject}: {len(mine)} recordings", index / len(subjects))
            _solve_person(person, mine, generic, soles, file)
        with np.load(file) as stored:
            worn = {name: Person(**p) for name, p in json.loads(str(stored["people"])).items()}
            yield [
                Solved(t, worn[t.movement], COORDINATES, stored[f"values_{i}"], stored[f"error_{i}"])
                for i, t in enumerate(mine)
            ]


def _movement_digest(person: Person, trials: list[Trial]) -> str:
    """Names everything that decides what solving these trials of a fitted person computes."""
    parts = [person, [trial.name for trial in trials]]
    parts += [
        (k, v)
        for module in (batch_ik, placements)
        for k, v in sorted(vars(module).items())
        if k.isupper() and isinstance(v, (int, float, tuple))
    ]
    return hashlib.sha256(repr((MOVEMENT_RECIPE, parts)).encode()).hexdigest()[:12]


def _solve_person(person: Person, trials: list[Trial], generic: Skeleton, soles, file: Path) -> None:
    recordings = []
    for trial in trials:
        labels, positions = read_markers(trial)
        recordings.append(positions)
    grouped: dict[str, list[np.ndarray]] = {}
    for trial, positions in zip(trials, recordings, strict=True):
        grouped.setdefault(trial.movement, []).append(positions)
    worn = placements.wear(person, generic, soles, labels, grouped)
    arrays = {"people": np.array(json.dumps({name: p.to_dict() for name, p in worn.items()}))}
    for name in grouped:
        rows = [i for i, trial in enumerate(trials) if trial.movement == name]
        solved = batch_ik.solve_together(worn[name], labels, [recordings[i] for i in rows])
        for i, (values, error) in zip(rows, solved, strict=True):
            arrays |= {f"values_{i}": values, f"error_{i}": error}
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    part.rename(file)


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
