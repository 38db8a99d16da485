"""The forces of a motion in a clinician's words: which joints, muscle groups and loads are shown, in which order."""
from __future__ import annotations

from dataclasses import dataclass

from generation.engine.variables import MUSCLE_GROUPS as VOCABULARY

SIDES = {"r": "right", "l": "left"}


@dataclass(frozen=True)
class Joint:
    """A joint moment. `sign` makes the moment that works against gravity in a squat positive."""

    coordinate: str
    label: str
    meaning: str
    sign: int
    sided: bool = True

    def coordinates(self) -> list[str]:
        return [f"{self.coordinate}_{side}" for side in SIDES] if self.sided else [self.coordinate]


@dataclass(frozen=True)
class MuscleGroup:
    label: str
    muscles: tuple[str, ...]        # of the model, without side


@dataclass(frozen=True)
class Load:
    """A force between bones, in multiples of body weight: a contact of the analysis, or one of its single loads."""

    name: str
    label: str
    meaning: str
    sided: bool = True

    def names(self) -> list[str]:
        return [f"{self.name}_{side}" for side in SIDES] if self.sided else [self.name]


JOINTS = (
    Joint("knee_angle", "Knee extension", "The knee's muscles hold it from bending further.", -1),
    Joint("hip_flexion", "Hip extension", "The hip's muscles hold the trunk and thigh from folding.", -1),
    Joint("ankle_angle", "Ankle plantarflexion", "The calf holds the shin from falling forward.", -1),
    Joint("hip_adduction", "Hip abduction", "The muscles at the side of the hip hold pelvis and knee in line.", -1),
    Joint("lumbar_extension", "Low-back extension", "The back holds the trunk from folding forward.", 1, sided=False),
)
# Of the groups that can be limited, those that a squat is judged by.
MUSCLE_GROUPS = {name: MuscleGroup(VOCABULARY[name][0].capitalize(), VOCABULARY[name][1]) for name in (
    "quadriceps", "gluteus_maximus", "hamstrings", "gluteus_medius", "hip_adductors", "gastrocnemius", "soleus",
    "tibialis_anterior",
)}
LOADS = (
    Load("tibiofemoral_free_body", "Knee joint (tibiofemoral)", "Thigh bone on shin bone."),
    Load("patellofemoral_free_body", "Kneecap (patellofemoral)", "Kneecap on thigh bone."),
    Load("hip", "Hip joint", "Thigh bone in the socket."),
    Load("lumbar_compression", "Low back", "Along the spine: trunk and the pull of the back muscles.", sided=False),
)
