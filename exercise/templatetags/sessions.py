"""Sessions inside pages: the patient's form after the exercise, the card of the record, the plot of pain."""
from __future__ import annotations

from django import template
from django.forms import BoundField

from exercise import forms, selectors
from exercise.models import ExerciseSession
from prescriptions.pain import limit_of

register = template.Library()
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 320, 150, 22, 8, 22      # of the plot, in its own units


@register.inclusion_tag("exercise/_today_form.html", takes_context=True)
def session_form(context, prescription) -> dict:
    return {
        "request": context["request"], "csrf_token": context.get("csrf_token"), "prescription": prescription,
        "form": forms.SessionForm(initial=forms.first_answers(prescription)),
        "limit": limit_of(prescription),
    }


@register.inclusion_tag("exercise/_before.html")
def before_you_start(prescription) -> dict:
    return {"limit": limit_of(prescription)}


@register.inclusion_tag("exercise/_diary.html", takes_context=True)
def diary(context) -> dict:
    """Where the page's script shows what is written down but has not reached the clinic yet."""
    return {"request": context["request"]}


@register.inclusion_tag("exercise/_card.html", takes_context=True)
def exercise_card(context, patient) -> dict:
    """How it goes, for the page of the record."""
    rows = selectors.session_list(user=context["request"].user, patient=patient)
    return {
        "patient": patient, "held": selectors.held_of(patient),
        "progress": selectors.progress(sessions=rows, patient=patient),
    }


@register.inclusion_tag("exercise/_scale.html")
def scale(field: BoundField) -> dict:
    return {"field": field, "low": field.field.low, "high": field.field.high}


@register.inclusion_tag("exercise/_pain_plot.html")
def pain_plot(sessions: list[ExerciseSession], name: str) -> dict:
    """Worst pain during each session and pain after it; a line needs two of them."""
    across = (WIDTH - LEFT - 8) / max(len(sessions) - 1, 1)
    down = (HEIGHT - TOP - BOTTOM) / 10

    def points(values: list[int]) -> list[tuple[float, float]]:
        return [
            (round(LEFT + 4 + across * place, 1), round(TOP + down * (10 - value), 1))
            for place, value in enumerate(values)
        ]

    during, after = points([s.pain_during for s in sessions]), points([s.pain_after for s in sessions])
    limit = sessions[-1].pain_limit if sessions else None
    return {
        "sessions": sessions, "name": name, "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - 4,
        "during": during, "after": after, "limit": limit,
        "limit_y": None if limit is None else round(TOP + down * (10 - limit), 1),
        "ticks": [(value, round(TOP + down * (10 - value), 1)) for value in (0, 5, 10)], "label_y": HEIGHT - 4,
    }


@register.filter
def line(points: list[tuple[float, float]]) -> str:
    """Points as SVG's polyline takes them."""
    return " ".join(f"{x},{y}" for x, y in points)
