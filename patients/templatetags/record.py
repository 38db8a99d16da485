"""Words and numbers of the record, for templates."""
from __future__ import annotations

from django import template

from generation.engine.variables import VARIABLES
from patients.models import SourceStatus

register = template.Library()

_MEANINGS = {
    "V": "Seen in source: the number stands in the source named.",
    "R": "Recalled, unchecked: nobody has compared the number with the source yet.",
    "E": "Our default: no published number exists.",
    "": "Set by the clinician.",
}
_UNITS = {"deg": "°", "deg/s": "°/s"}


@register.filter
def num(value, places: int = 2) -> str:
    """A number without needless zeros; a dash for nothing."""
    if value is None or value == "":
        return "–"
    return f"{float(value):.{places}f}".rstrip("0").rstrip(".") if places else f"{float(value):.0f}"


@register.filter
def unit(name: str) -> str:
    """The unit as it is written after a number."""
    return _UNITS.get(name, f" {name}")


@register.filter
def variable_label(name: str) -> str:
    return VARIABLES[name].label if name in VARIABLES else name.replace("_", " ")


@register.filter
def variable_unit(name: str) -> str:
    return unit(VARIABLES[name].unit) if name in VARIABLES else ""


@register.simple_tag
def bounds(low, high, of: str = "") -> str:
    """`at most 60°`, `at least 20°`, `0 to 60°`."""
    ending = unit(of) if of else ""
    if low is None and high is None:
        return "no limit"
    if low is None:
        return f"at most {num(high)}{ending}"
    if high is None:
        return f"at least {num(low)}{ending}"
    return f"{num(low)} to {num(high)}{ending}"


@register.inclusion_tag("components/source_badge.html")
def source_badge(status: str) -> dict:
    """Letter and words: how far a number can be trusted."""
    return {"status": status or "C", "label": SourceStatus(status or "").label, "meaning": _MEANINGS[status or ""]}


def _split_side(name: str) -> tuple[str, str]:
    """A measure's name without its side, and the side in words."""
    for ending, side in (("_right", "right"), ("_left", "left"), ("_r", "right"), ("_l", "left")):
        if name.endswith(ending) and name not in VARIABLES:
            return name.removesuffix(ending), side
    return name, ""


@register.filter
def metric_label(name: str) -> str:
    base, side = _split_side(name)
    label = variable_label(base)
    return f"{label}, {side}" if side else label[:1].upper() + label[1:]


@register.filter
def metric_unit(name: str) -> str:
    return variable_unit(_split_side(name)[0])
