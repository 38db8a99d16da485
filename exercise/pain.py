"""What stops an exercise: pain above the prescription's limit, and red flags. Pure."""
from __future__ import annotations

from collections.abc import Iterable

RED_FLAGS = {       # key -> (as the patient reads it, as the care team reads it)
    "gave_way": ("My joint gave way or locked", "the joint gave way or locked"),
    "dizziness": ("I felt dizzy or faint", "dizziness or faintness"),
    "chest_pain": ("I had chest pain, or could not get my breath", "chest pain or breathlessness"),
}
RED_FLAG_CHOICES = [(key, words[0]) for key, words in RED_FLAGS.items()]


def trouble(*, most: int, during: int, after: int, red_flags: Iterable[str]) -> dict[str, str]:
    """What stops the exercise, as the care team reads it; by a key, so that two accounts can be compared."""
    found = {flag: RED_FLAGS[flag][1] for flag in RED_FLAGS if flag in red_flags}
    for key, pain in (("during", during), ("after", after)):
        if pain > most:
            found[f"pain_{key}"] = f"pain {key} it {pain} of 10 (limit {most})"
    return found
