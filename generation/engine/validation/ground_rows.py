"""The figures of the ground reaction (`ground.py`) as rows of the table.

A row is judged by what is reached without ever having seen a plate (`ground.NO_PLATES`). What the person's own
calibration on plates reaches stands beside it, and every figure under it.
"""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from generation.engine.physics.calibration import TYPICAL
from generation.engine.validation.ground import NO_PLATES, OTHER_REPETITIONS, GroundRow, ground_table
from generation.engine.validation.ground_people import torso_of_people
from generation.engine.validation.ground_trials import FOLDER
from generation.engine.validation.row import Row, judged

PLATES = "the plates of subject 4"
# name, motion, what, asked, beginnings of the figures that count
ROWS = (
    ("ground_squat", "squats", "vertical ground reaction without plates", "total RMSE 2 % body weight, each foot 3 %, "
     "outward shear within 15 N",
     ("vertical force, ", "outward shear, right foot, error", "outward shear, left foot, error")),
    ("ground_sit_to_stand", "sit-to-stand", "the same for sit-to-stand, from seat-off on", "total 5 %, each foot 6 %, "
     "seat-off within 0.1 s", ("vertical force, ", "seat-off, worst")),
    ("centre_of_pressure", "squats", "centre of pressure, standing to bottom", "RMSE 1.5 cm fore-aft",
     ("centre of pressure fore-aft, RMSE",)),
    ("moments_without_plates", "squats", "hip, knee and ankle flexion and hip adduction moments without plates",
     "R2 0.9 and peak error 15 % for hip and knee flexion, R2 0.7 for the others", ("moment ",)),
)


@cache
def _table(data: Path, tell: Callable[[str], None]) -> tuple[GroundRow, ...]:
    return tuple(ground_table(data, tell=tell))


def ground(data: Path | None, tell: Callable[[str], None]) -> list[Row]:
    """The rows of ROWS, not available without subject 4's recordings, and where people's torsos lie."""
    return [*_by_plates(data, tell), _torsos(tell)]


def _torsos(tell: Callable[[str], None]) -> Row:
    """The shipped squats need no plates: what `calibration.TYPICAL` was read from."""
    tell("the torso's mass centre of the people of the shipped squats")
    with tempfile.TemporaryDirectory() as folder:
        people = torso_of_people(Path(folder), folder)
    up = np.array([place[1] for place in people.values()])
    spread = 1.4826 * np.median(np.abs(up - np.median(up)))
    return Row("torso_of_people", "height of the torso's mass centre by a calm centre of pressure, shipped squats",
               "de Leva's masses", "", f"median {100 * np.median(up):+.1f} cm, spread {100 * spread:.1f} cm "
               f"({len(people)} people; taken as typical: {100 * TYPICAL.shift_m[1]:+.0f} cm)", "shown",
               tuple(f"{name}: {100 * place[0]:+.1f} cm forward, {100 * place[1]:+.1f} cm up"
                     for name, place in people.items()))


def _by_plates(data: Path | None, tell: Callable[[str], None]) -> list[Row]:
    if data is None or not ((data / FOLDER).is_dir() or (data / "ID").is_dir()):
        return [Row(name, what, PLATES, asked, "needs the raw recordings: give their folder with --data",
                    "not available") for name, _, what, asked, _ in ROWS]
    table = _table(data, tell)
    found = []
    for name, motion, what, asked, wanted in ROWS:
        figures = [row for row in table if row.motion == motion and row.what.startswith(wanted)]
        mine = [row for row in figures if row.calibration == NO_PLATES and row.bar is not None]
        personal = [row for row in figures if row.calibration == OTHER_REPETITIONS]
        words = f"without plates: {_words(mine)}; {OTHER_REPETITIONS}: {_words(personal)}"
        calibrations = list(dict.fromkeys(row.calibration for row in figures))
        detail = [f"{calibration}: " + _words([row for row in figures if row.calibration == calibration])
                  for calibration in calibrations]
        found.append(judged(name, what, PLATES, asked, words, all(row.met for row in mine), detail))
    return found


def _words(rows: list[GroundRow]) -> str:
    """Each figure that something is asked of; those that miss it are marked."""
    return ", ".join(f"{row.what} {row.value:.2f}{' ' + row.unit if row.unit else ''}{'' if row.met else ' (missed)'}"
                     for row in rows if row.bar is not None)
