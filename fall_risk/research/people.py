"""The balance data set (Santos & Duarte 2016, PeerJ 4:e2648, CC BY 4.0), one row for each person.

What the file holds: 163 people, up to 12 trials each of 60 s quiet standing (eyes open or closed, firm or foam), the
same person's answers repeated in every row. The outcome is what people remember of the 12 months BEFORE the test:
whatever is found here tells past fallers from others and predicts nothing.
"""
from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILE = "BDSinfoCOP.txt"
SWAY = ("COParea", "COPvelo", "COPmfreq")
CONDITIONS = [(vision, surface) for surface in ("Firm", "Foam") for vision in ("Open", "Closed")]
PERSON_FEATURES = ("age", "female", "bmi", "short_fes_i", "mini_bestest", "trail_making_b_minus_a", "drugs", "activity")
SWAY_FEATURES = tuple(f"log_{name}_{vision}_{surface}".lower() for name in SWAY for vision, surface in CONDITIONS)
_ACTIVITY = {"Low": 0.0, "Moderate": 1.0, "High": 2.0}
# Words of the file's free text for the factors of the literature-prior estimate
_WORDS = {
    "parkinson": ("parkinson",), "dizziness": ("labyrinthitis", "vertigo", "dizziness"),
    "med_antidepressant": ("selective serotonin", "antidepress", "tricyclic", "serotonin"),
    "med_benzodiazepine": ("benzodiazepine",), "med_antipsychotic": ("antipsychotic",), "med_opioid": ("opioid",),
    "med_antiepileptic": ("antiepileptic", "anticonvuls"),
}


@dataclass(frozen=True)
class People:
    """``features`` (person, feature) named by ``names``; ``fell`` (person,) bool; ``trials`` for the demonstration of
    leakage: (person index, sway (3,)) of every trial. ``known`` are the literature's factors of each person."""

    names: tuple[str, ...]
    features: np.ndarray
    fell: np.ndarray
    age: np.ndarray
    concern: list[str]
    drugs: np.ndarray
    known: list[dict[str, bool]]
    trial_person: np.ndarray
    trial_sway: np.ndarray

    def subset(self, keep: np.ndarray) -> People:
        place = np.full(len(keep), -1)
        place[keep] = np.arange(keep.sum())
        trials = keep[self.trial_person]
        return People(self.names, self.features[keep], self.fell[keep], self.age[keep],
                      [c for c, k in zip(self.concern, keep, strict=True) if k], self.drugs[keep],
                      [c for c, k in zip(self.known, keep, strict=True) if k],
                      place[self.trial_person[trials]], self.trial_sway[trials])

    def columns(self, names: tuple[str, ...]) -> np.ndarray:
        return self.features[:, [self.names.index(name) for name in names]]


def read_people(folder: Path) -> People:
    """Raises FileNotFoundError where the folder does not hold the data set."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    trials: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        trials[row["Subject"]].append(row)
    people = [mine[0] for mine in trials.values()]
    sway = [[float(np.log(float(row[name]))) for name in SWAY] for mine in trials.values() for row in mine]
    return People(
        names=(*PERSON_FEATURES, *SWAY_FEATURES),
        features=np.array([[*_person(mine[0]), *_sway(mine)] for mine in trials.values()]),
        fell=np.array([int(row["Falls12m"]) >= 1 for row in people]),
        age=np.array([float(row["Age"]) for row in people]),
        concern=[row["FES_S"] for row in people],
        drugs=np.array([int(row["Nmedication"]) for row in people]),
        known=[_known(row) for row in people],
        trial_person=np.array([i for i, mine in enumerate(trials.values()) for _ in mine]),
        trial_sway=np.array(sway),
    )


def _person(row: dict[str, str]) -> list[float]:
    return [float(row["Age"]), float(row["Gender"] == "F"), float(row["BMI"]), float(row["FES_T"]),
            float(row["Best_T"]),
            float(row["TMT_timeB"]) - float(row["TMT_timeA"]), float(row["Nmedication"]), _ACTIVITY[row["IPAQ_S"]]]


def _sway(trials: list[dict[str, str]]) -> list[float]:
    """Median over a person's trials of one condition, logarithmic. A condition never done is nan, imputed in
    training.
    """
    values = []
    for name in SWAY:
        for vision, surface in CONDITIONS:
            mine = [float(row[name]) for row in trials if (row["Vision"], row["Surface"]) == (vision, surface)]
            values.append(float(np.log(np.median(mine))) if mine else np.nan)
    return values


def _known(row: dict[str, str]) -> dict[str, bool]:
    text = f"{row['Medication']} {row['Illness']} {row['Illness2']}".lower()
    return {key: any(word in text for word in words) for key, words in _WORDS.items()}
