"""Raw recordings to squat repetitions in OpenSim coordinates: read, map markers, fit the person, solve, cut, check,
ship.

`build.py` runs the whole path and writes `models/motion_data/`; `dataset.py` reads what ships.
"""

from generation.engine.motion_data.dataset import DataError, Repetition, Subject, load_repetitions

__all__ = ["DataError", "Repetition", "Subject", "load_repetitions"]
