"""Fall risk inside pages: the bar of alerts, cards of other rooms' pages, fields of an assessment."""
from __future__ import annotations

from django import template
from django.db.models import QuerySet

from fall_risk import selectors, words
from fall_risk.forms import ABSENT
from fall_risk.models import Alert, Assessment
from fall_risk.scores import FIELDS, Score
from fall_risk.scores.fields import BOOLEAN, CHOICE, DATE, DECLINED, NOT_DONE, NUMBER, UNABLE, WHOLE, Field

register = template.Library()
_PERSON = {
    "person.age_years": "age", "person.sex": "sex", "person.height_m": "height", "person.mass_kg": "body mass",
    "person.recent_surgery": "date of the last operation",
}
_SHOWN_ALERTS = 3
_STATES = {"low": "accepted", "intermediate": "draft", "high": "failed", "": "closed"}


@register.filter
def by_column(row: dict, columns: list[str]) -> list[tuple[str, int | None, str]]:
    """The cells of a report's row, each with the name of its column and of the group that may be looked at closer.
    Stored reports from before there were such groups have none."""
    groups = row.get("groups") or [""] * len(columns)
    return list(zip(columns, row["cells"], groups, strict=True))


@register.inclusion_tag("fall_risk/_alert_bar.html", takes_context=True)
def alert_bar(context) -> dict:
    """What nobody of the care team has acknowledged yet: on top of every page of a clinician."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated or not user.is_clinician:
        return {"watching": False}
    rows: QuerySet[Alert] = selectors.open_alerts(user=user)
    first = list(rows[: _SHOWN_ALERTS + 1])
    number = len(first) if len(first) <= _SHOWN_ALERTS else rows.count()
    return {"watching": True, "alerts": first[:_SHOWN_ALERTS], "number": number, "more": number - _SHOWN_ALERTS}


@register.inclusion_tag("fall_risk/_card.html", takes_context=True)
def fall_risk_card(context, patient) -> dict:
    """How a patient stands, for the page of the record."""
    rows = selectors.assessment_list(user=context["request"].user, patient=patient)
    latest = rows.filter(status="complete").first()
    return {"patient": patient, "latest": latest, "draft": rows.filter(status="draft").first(),
            "falls": selectors.fall_list(user=context["request"].user, patient=patient).filter(retracted_at=None)[:3]}


@register.inclusion_tag("components/state.html")
def risk_state(category: str) -> dict:
    """A category with its mark: words and shape, never colour alone."""
    return {"state": _STATES.get(category or "", "closed"), "label": words.CATEGORY_LABELS.get(category or "", "")}


@register.inclusion_tag("fall_risk/_answer_input.html")
def answer_input(field: Field, assessment: Assessment, section: str) -> dict:
    """The inputs of one question, with the answer that is stored."""
    answer = assessment.answers.get(field.key)
    absent = answer if isinstance(answer, str) and answer in words.ABSENT_WORDS else ""
    reasons = [(NOT_DONE, "Not asked" if field.kind in (BOOLEAN, CHOICE) else "Not done"), (DECLINED, "Declined")]
    if field.can_be_unable:
        reasons.append((UNABLE, "Unable"))
    value = "" if absent or answer is None else answer
    return {
        "field": field, "section": section, "kind": {WHOLE: NUMBER}.get(field.kind, field.kind), "absent": absent,
        "absent_name": field.key + ABSENT, "reasons": reasons, "origin": assessment.origins.get(field.key),
        "value": {True: "yes", False: "no"}[value] if isinstance(value, bool) else
                 f"{value:g}" if isinstance(value, float) else value,
        "step": "1" if field.kind == WHOLE else "any", "choice_kind": CHOICE, "date_kind": DATE,
    }


@register.filter
def answer(assessment: Assessment, key: str) -> str:
    return words.answer_words(key, assessment.answers.get(key))


@register.filter
def score_words(score: Score) -> str:
    return selectors.score_words(score)


@register.filter
def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


@register.filter
def hundred(value: float) -> str:
    """A share as CSS writes it."""
    return f"{100 * value:.1f}%"


@register.filter
def shown(cell: int | None) -> str:
    """A cell of a report."""
    return "hidden" if cell is None else f"{cell:,}".replace(",", "\u202f")


@register.filter
def questions(keys: list[str]) -> str:
    """The questions behind the keys that a score misses."""
    return "; ".join(FIELDS[key].label if key in FIELDS else _PERSON.get(key, key) for key in keys)
