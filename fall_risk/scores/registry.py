"""Which scores exist, in which versions, and the way to compute them.

A score is a function of checked answers and a person that returns the fields of ``Score`` it decides; the registry
adds the rest. A changed rule gets a new version beside the old one, so that what was stored can be recomputed.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fall_risk.scores.fields import Answers, InputError
from fall_risk.scores.instruments import clean_answers
from fall_risk.scores.result import Person, Score
from fall_risk.scores.sources import SOURCES


@dataclass(frozen=True)
class Definition:
    """One version of one score: ``uses`` are the field keys it reads, ``person`` the attributes of the person."""

    key: str
    version: str
    label: str
    uses: tuple[str, ...]
    person: tuple[str, ...]
    sources: tuple[str, ...]
    function: Callable[[Answers, Person], dict[str, Any]]

    def compute(self, inputs: Mapping[str, Any], person: Person) -> Score:
        used = {key: inputs[key] for key in self.uses if key in inputs}
        known = Person(**{name: getattr(person, name) for name in self.person})
        found = self.function(Answers(used), known)
        statuses = [SOURCES[source].status for source in self.sources]
        return Score(**{
            "key": self.key, "version": self.version, "label": self.label, "inputs": used, "person": known,
            "citations": [SOURCES[source] for source in self.sources],
            "status": max(statuses, key="VRE".index), **found,
        })


VERSIONS: dict[str, dict[str, Definition]] = {}      # key -> version -> definition, in order of registration


def score(key: str, version: str, label: str, *, uses: tuple[str, ...], sources: tuple[str, ...],
          person: tuple[str, ...] = ()) -> Callable:
    """Registers a function as one version of a score. The weakest status of ``sources`` is the score's status."""

    def register(function: Callable) -> Callable:
        versions = VERSIONS.setdefault(key, {})
        if version in versions:
            raise ValueError(f"{key} {version} exists already")
        versions[version] = Definition(key, version, label, uses, person, sources, function)
        return function

    return register


def latest(key: str) -> Definition:
    return list(VERSIONS[key].values())[-1]


def as_person(person: Person | Mapping[str, Any]) -> Person:
    """Raises InputError, naming ``person.<attribute>``, where something cannot be right."""
    if isinstance(person, Person):
        return person
    try:
        return Person(**person)
    except ValidationError as fault:
        raise InputError({f"person.{error['loc'][0]}": error["msg"] for error in fault.errors()}) from None


def compute(key: str, inputs: Mapping[str, Any], person: Person | Mapping[str, Any],
            version: str | None = None) -> Score:
    """One score. ``inputs``: any answers, the score takes what it uses. ``version`` None: the latest.

    Raises KeyError for a score or version that does not exist, InputError (field by field) for answers that cannot be
    right.
    """
    if key not in VERSIONS:
        raise KeyError(f"There is no score {key!r}.")
    if version is not None and version not in VERSIONS[key]:
        raise KeyError(f"There is no version {version!r} of {key!r}.")
    definition = VERSIONS[key][version] if version is not None else latest(key)
    return definition.compute(clean_answers(inputs), as_person(person))


def score_all(inputs: Mapping[str, Any], person: Person | Mapping[str, Any]) -> list[Score]:
    """Every score in its latest version, those without an answer too (they say what is missing)."""
    clean, known = clean_answers(inputs), as_person(person)
    return [latest(key).compute(clean, known) for key in VERSIONS]


def recompute(stored: Mapping[str, Any]) -> Score:
    """The score again from the document of a stored one: its own version, its own inputs."""
    return compute(stored["key"], stored["inputs"], stored["person"], stored["version"])
