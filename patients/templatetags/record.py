"""Words and numbers of the record, for templates."""
from __future__ import annotations

from django import template

from generation.engine.variables import VARIABLES
from patients import rules
from patients.models import SourceStatus

register = template.Library()

_MEANINGS = {
    "V": "The number stands in the source named. Most sources are the protocol of one clinic, not a guideline.",
    "R": "From memory: nobody has compared the number with the source yet. Check it before you rely on it.",
    "E": "Our own choice: no published number was found. Judge it yourself.",
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
def fixed(value, places: int = 2) -> str:
    """A number of a column: always as many decimals as its neighbours."""
    return "–" if value is None else f"{round(float(value), places) + 0.0:.{places}f}"


@register.filter
def plain(text: str) -> str:
    """A sentence of the engine, with the names that the pages use."""
    return rules.plain(text)


@register.filter
def unit(name: str) -> str:
    """The unit as it is written after a number."""
    return rules.written_unit(name)


@register.filter
def unit_name(variable: str) -> str:
    """The unit of a variable as the engine spells it; `unit` writes it."""
    return VARIABLES[variable].unit if variable in VARIABLES else ""


@register.filter
def variable_label(name: str) -> str:
    return VARIABLES[name].label if name in VARIABLES else name.replace("_", " ")


@register.filter
def part(phase: str) -> str:
    """The part of a squat that a limit is about; nothing for the whole."""
    return rules.part_words(phase or "")


@register.filter
def strictness(weight: float | None) -> str:
    """Hard, or how much a goal counts."""
    return rules.weight_words(weight)


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
    """What the motion did: `51.4°`, or `4.9 to 51.4°` for a limit that holds at every instant. What is estimated has
    its known error beside it: `1.31 ± 0.10 Nm/kg`."""
    places = _places(check["unit"])
    low, high = (fixed(check.get(end, check["worst"]), places) for end in ("lowest", "highest"))
    error = f" ± {fixed(check['error'], places)}" if check.get("error") is not None else ""
    return f"{high if low == high else f'{low} to {high}'}{error}{unit(check['unit'])}"


@register.simple_tag
def margin(check: dict) -> str:
    return f"{fixed(check['margin'], _places(check['unit']))}{unit(check['unit'])}"


@register.filter
def belief(check: dict) -> str:
    """How far the muscles behind a value can be trusted; nothing where none stand behind it."""
    if check.get("trusted_share") is None:
        return ""
    return (f"Computed from muscles: {num(100 * check['trusted_share'], 0)} % of frames trusted, reserve actuators "
            f"carry at most {num(100 * check['reserve_share'], 1)} % of a joint's moment.")


def _places(unit_name: str) -> int:
    return 2 if unit_name in ("Nm/kg", "body weights", "m/s", "m/s2") else 1


@register.inclusion_tag("components/source_legend.html")
def source_legend() -> dict:
    """What the letters mean, to open beside a list of limits: a phone shows no titles."""
    return {"rows": [{"status": letter, "label": SourceStatus(letter).label, "meaning": _MEANINGS[letter]}
                     for letter in ("V", "R", "E")]}


@register.inclusion_tag("components/source_badge.html")
def source_badge(status: str) -> dict:
    """Letter and words: how far a number can be trusted."""
    return {"status": status or "C", "label": SourceStatus(status or "").label, "meaning": _MEANINGS[status or ""]}
