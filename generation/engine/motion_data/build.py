"""Builds the shipped data set from the raw folder: solve, place, cut, check, write, describe."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from generation.engine.body import COORDINATES, MODEL_FILE
from generation.engine.motion_data.agreement import agreement, pooled
from generation.engine.motion_data.assembling import assemble_movements
from generation.engine.motion_data.card import write_card
from generation.engine.motion_data.dataset import DATA_FILE, FOLDER, MOVEMENTS_FILE, Repetition, Subject, save
from generation.engine.motion_data.movements import MOVEMENTS
from generation.engine.motion_data.placing import (
    body_scale,
    centre,
    face_forward,
    fit_size,
    leg_length,
    model_order,
    torch_body,
)
from generation.engine.motion_data.quality import Found, check, nothing_found
from generation.engine.motion_data.segmentation import find_repetitions
from generation.engine.motion_data.skeleton import SCALE_NAMES, scale_factors
from generation.engine.motion_data.solving import Solved, solve_all, solve_movements
from generation.engine.motion_data.sources import FRAME_RATE, find_trials, find_ui_prmd, resample

KNEES = [COORDINATES.index(f"knee_angle_{side}") for side in "rl"]
PELVIS_TY = COORDINATES.index("pelvis_ty")
CACHE = FOLDER.parents[1] / ".genuflex" / "cache" / "motion_data"
SQUAT_CODE = "m01"
STANDING_KNEE_SHARE = 0.05  # this share of a person's frames has straighter knees than the standing pose; ours (E)


def build(
    raw: str | Path,
    out: Path = FOLDER,
    cache: Path = CACHE,
    progress: Callable[[str, float], None] = lambda text, fraction: None,
) -> list[Found]:
    """Make the data files, their checksums and their card in the folder `out` from the raw folder. Continues where a
    killed run stopped.

    Raises SourceError when the raw folder lacks a source.
    """
    trials = find_trials(raw)
    others = [
        t for m in MOVEMENTS.values() if m.code != SQUAT_CODE for t in find_ui_prmd(raw, m.code, m.name)
    ]
    by_subject: dict[str, list[Solved]] = {}
    for solved in solve_all(trials, MODEL_FILE, Path(cache), progress):
        by_subject.setdefault(solved.trial.subject, []).append(solved)
    squats = [f for name in sorted(by_subject) for f in assemble(by_subject[name])]
    people = {f.repetition.subject.name: f.repetition.subject for f in squats if f.repetition}
    found = []
    for solved in solve_movements(others, trials, MODEL_FILE, Path(cache), progress):
        found += assemble_movements(solved, people[solved[0].trial.subject])
    out.mkdir(parents=True, exist_ok=True)
    for name, kept in ((DATA_FILE.name, squats), (MOVEMENTS_FILE.name, found)):
        save(out / name, [f.repetition for f in kept if f.repetition])
    progress("comparing the two solvers on the squats", 0.95)
    both = [agreement(by_subject[name]) for name in sorted({t.subject for t in others})]
    write_card(out / "CARD.md", squats, [t.name for t in trials], found, len(others), pooled(both))
    return squats + found


def assemble(solved: list[Solved]) -> list[Found]:
    """All repetitions of one person, from that person's solved trials."""
    # solved frame by frame, so a little solver noise is left: the markers' own low-pass is applied once more
    motions = [resample(model_order(s.values, s.coordinates), FRAME_RATE) for s in solved]
    if solved[0].person is not None:
        factors = scale_factors(solved[0].person.parameters)
    else:
        factors = scale_factors(dict.fromkeys(SCALE_NAMES, fit_size(np.concatenate(motions))))
    body = torch_body(factors)
    length = leg_length(body)
    standing_knee = float(np.quantile(np.concatenate([m[:, KNEES].mean(axis=1) for m in motions]), STANDING_KNEE_SHARE))

    cuts = []
    for one, motion in zip(solved, motions, strict=True):
        segments = find_repetitions(motion[:, PELVIS_TY], motion[:, KNEES].mean(axis=1), length, standing_knee)
        if not segments:
            cuts.append((one, 0, None, nothing_found(one.trial).quality))
        for number, segment in enumerate(segments, 1):
            part = slice(segment.start, segment.end + 1)
            values = centre(face_forward(motion[part]), body)
            cuts.append(
                (
                    one,
                    number,
                    (values, segment.bottom - segment.start),
                    check(values, one.error[part], body, segment.incomplete),
                )
            )

    kept = [(values, one.error) for one, _, cut, quality in cuts if cut and not quality.reasons for values in [cut[0]]]
    if not kept:
        return [
            Found(one.trial.name, one.trial.subject, one.trial.source, quality, None) for one, _, _, quality in cuts
        ]
    standing = np.mean([values[[0, -1]].mean(axis=0) for values, _ in kept], axis=0)
    rms = float(np.median([q.marker_rms_mm for _, _, cut, q in cuts if cut and not q.reasons]))
    trial = solved[0].trial
    subject = Subject(trial.subject, trial.source, factors, length, body_scale(factors).height_m, rms, standing)
    found = []
    for one, number, cut, quality in cuts:
        repetition = None
        if cut and not quality.reasons:
            name = f"{one.trial.subject}_{Path(one.trial.name).name.split('.')[0]}_{number}"
            repetition = Repetition(
                name, subject, one.trial.movement, one.trial.correct, one.trial.name, cut[1], cut[0]
            )
        found.append(Found(one.trial.name, one.trial.subject, one.trial.source, quality, repetition))
    return found
