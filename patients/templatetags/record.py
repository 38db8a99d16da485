"""Words and numbers of the record, for templates."""
from __future__ import annotations

from django import template

from generation.engine.variables import VARIABLES
from patients import rules
from patients.models import SourceStatus

register = template.Library()

_MEANINGS = {
    "V": "Seen in source: the number stands in the source named.",
    "R": "Recalled, unchecked: nobody has compared the number with the source yet.",
    "E": "Our default: no published number exists.",
    "": "Set by the clinician.",
}


@register.filter
def num(value, places: int = 2) -> str:
    """A number without needless zeros; a dash for nothing."""
    if value is None or value == "":
        return "–"
    rounded = round(float(value), places) + 0.0     # no -0
    return f"{rounded:.{places}f}".rstrip("0").rstrip(".") if places else f"{rounded:.0f}"


@register.filter
def unit(name: str) -> str:
    """The unit as it is written after a number."""
    return rules.written_unit(name)


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


@register.simple_tag
def reached(check: dict) -> str:
    """What the motion did: `51.4°`, or `4.9 to 51.4°` for a limit that holds at every instant."""
    low, high = (num(check.get(end, check["worst"]), 1) for end in ("lowest", "highest"))
    return f"{high if low == high else f'{low} to {high}'}{unit(check['unit'])}"


@register.inclusion_tag("components/source_badge.html")
def source_badge(status: str) -> dict:
    """Letter and words: how far a number can be trusted."""
    return {"status": status or "C", "label": SourceStatus(status or "").label, "meaning": _MEANINGS[status or ""]}


_ENDINGS = {"_deg_s": "°/s", "_m_s2": " m/s²", "_m_s": " m/s", "_deg": "°", "_cm": " cm", "_s": " s"}
_MEASURES = {
    "depth_knee_flexion": "Depth: knee bend", "depth_thigh_inclination": "Depth: thigh from the vertical",
    "depth_pelvis_drop": "Depth: pelvis drop", "pelvis_tilt_bottom": "Pelvic tilt at the bottom",
    "asymmetry": "Left-right difference", "omega": "Mean joint speed", "pelvis_speed": "Mean pelvis speed",
    "pelvis_acceleration": "Mean pelvis acceleration", "sparc": "Smoothness (SPARC)",
    "log_dimensionless_jerk": "Smoothness (log dimensionless jerk)",
}


def _split_unit(name: str) -> tuple[str, str]:
    """A measure's name without its unit, and the unit as it is written after a number."""
    for ending, written in _ENDINGS.items():
        if name.endswith(ending) and name not in VARIABLES:
            return name.removesuffix(ending), written
    return name, variable_unit(name)


@register.filter
def metric_label(name: str) -> str:
    base, _ = _split_unit(name)
    label = _MEASURES.get(base) or variable_label(base)
    return label[:1].upper() + label[1:]


@register.filter
def metric_unit(name: str) -> str:
    return _split_unit(name)[1]


@register.simple_tag
def dict_items(mapping: dict) -> list:
    """The items of a mapping, whatever its keys are called."""
    return list(mapping.items())
