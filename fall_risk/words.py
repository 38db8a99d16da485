"""Fall risk in words: for the patient's summary, for lists, for what a recording proposes."""
from __future__ import annotations

from fall_risk.models import Category, MotionRecording
from fall_risk.scores import FIELDS, INSTRUMENTS
from fall_risk.scores.fields import BOOLEAN, CHOICE, DECLINED, NOT_DONE, UNABLE

ABSENT_WORDS = {NOT_DONE: "Not done", DECLINED: "Declined", UNABLE: "Unable"}
CATEGORY_LABELS = dict(Category.choices)

# Told to the patient; ours, without numbers. A clinician edits them before anybody sees them.
_OPENING = {
    Category.LOW: "We talked about falls and looked at how you move. At present there is little that worries us.",
    Category.INTERMEDIATE: (
        "We talked about falls and looked at how you move. Some things make a fall more likely, and they can be "
        "improved."
    ),
    Category.HIGH: (
        "We talked about falls and looked at how you move. Several things make a fall more likely. We want to work on "
        "them with you, step by step."
    ),
    Category.UNKNOWN: (
        "We have begun to look at how you move and what might make you fall. Some of it is still to be done."
    ),
}
_ADVICE = {
    "medication": "Ask your doctor or pharmacist to look through your medicines. Do not stop any by yourself.",
    "strength": "Training for strong legs helps. Do the exercises that we agreed on.",
    "balance": "Balance can be trained. We will show you exercises that are safe for you.",
    "blood_pressure": "Get up slowly: sit on the edge of the bed for a moment before you stand.",
    "dizziness": "Tell your doctor about your dizziness, so that its cause can be found.",
    "vision": "Have your eyes checked.",
    "feet": "Wear firm, flat, closed shoes, also at home, and have your feet looked at.",
    "home": "Look for loose rugs, bad light and missing rails at home. Somebody can help you with it.",
    "continence": "Talk to your doctor about hurrying to the toilet. A light at night helps.",
    "concern": "It is good to talk about the worry of falling. Moving more makes it smaller.",
    "mood": "Tell your doctor if you feel low.",
    "cognition": "Bring somebody you trust to the next visit.",
    "activity": "A little more activity every day helps. Choose something you like.",
    "alcohol": "Less alcohol makes you steadier.",
    "fainting": "See your doctor soon because of the fainting.",
}
_CLOSING = "If you fall, or feel unsteady, tell us at once: press “I fell” on your page, or call us."


def summary_draft(overview) -> str:
    """What a clinician may release to the patient, to begin with; empty without a complete assessment."""
    if overview.latest is None:
        return ""
    lines = [_OPENING[Category(overview.latest.category)], ""]
    lines += [f"- {_ADVICE[factor.key]}" for factor in overview.modifiable if factor.key in _ADVICE]
    when = overview.latest.next_due_on
    return "\n".join([*lines, "", f"We would like to see you again by {when.day} {when:%B %Y}.", "", _CLOSING])


def answer_words(key: str, answer) -> str:
    """A stored answer as people read it: `12.4 s`, `Yes`, `Not done`; a dash where nothing was filled in."""
    if answer is None:
        return "–"
    if isinstance(answer, str) and answer in ABSENT_WORDS:
        return ABSENT_WORDS[answer]
    field = FIELDS.get(key)
    if field is None:
        return str(answer)
    if field.kind == BOOLEAN:
        return "Yes" if answer else "No"
    if field.kind == CHOICE:
        return dict(field.choices).get(answer, str(answer))
    number = f"{answer:g}" if isinstance(answer, int | float) else str(answer)
    return f"{number} {field.unit}".strip()


def proposals(recording: MotionRecording) -> list[dict]:
    """What an analysed recording proposes, with the field and the section that each belongs to."""
    found = []
    for item in (recording.result or {}).get("proposals", ()):
        field = FIELDS[item["field"]]
        section = next(i.key for i in INSTRUMENTS.values() if field in i.fields)
        found.append({"field": field, "section": section, "label": INSTRUMENTS[section].label, "value": item["value"]})
    return found
