"""Joint moments, muscle activity and joint loads over time as Plotly figures."""
from __future__ import annotations

import json
import math

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from generation.physics import JOINTS, LOADS, MUSCLE_GROUPS, SIDES
from generation.plots import LEFT, RIGHT, page_layout

PANEL_PX = 120
NOT_TRUSTED = "#CC79A7"        # of Okabe and Ito


def physics_figures(curves: dict) -> list[dict]:
    """(key, title, figure) for each kind; figures as JSON-ready dicts. `curves` as docs/checks.md says."""
    groups = [(group.label, [f"{name}_{side}" for side in SIDES]) for name, group in MUSCLE_GROUPS.items()]
    joints, loads = [(joint.label, joint.coordinates()) for joint in JOINTS], [(o.label, o.names()) for o in LOADS]
    kinds = (
        ("activations", "Muscle activity", groups, " %", 100), ("moments", "Joint moments", joints, " Nm", 1),
        ("loads", "Joint loads in body weights", loads, " BW", 1),
    )
    return [{"key": key, "script_id": f"figure-{key}", "title": title,
             "figure": _figure(curves, key, panels, unit, factor)} for key, title, panels, unit, factor in kinds]


def _figure(curves: dict, key: str, panels: list, unit: str, factor: float) -> dict:
    panels = [(label, [name for name in names if name in curves[key]]) for label, names in panels]
    panels = [(label, names) for label, names in panels if names]
    figure = make_subplots(
        rows=max(1, len(panels)), cols=1, shared_xaxes=True, vertical_spacing=0.3 / max(2, len(panels)),
        subplot_titles=[label for label, _ in panels],
    )
    named = set()
    for row, (_, names) in enumerate(panels, start=1):
        for name in names:
            label = "Left" if name.endswith("_l") else "Right" if name.endswith("_r") else "Middle"
            figure.add_trace(go.Scatter(
                x=curves["time_s"], y=[round(factor * value, 2) for value in curves[key][name]], mode="lines",
                name=label, legendgroup=label, showlegend=label not in named, line=LEFT if label == "Left" else RIGHT,
                hovertemplate=f"%{{y:.1f}}{unit}",
            ), row=row, col=1)
            named.add(label)
        for start, end in _doubted(curves):
            figure.add_vrect(x0=start, x1=end, row=row, col=1, fillcolor=NOT_TRUSTED, opacity=0.18, line_width=0)
        figure.update_yaxes(ticksuffix=unit, rangemode="tozero", nticks=4, row=row, col=1)
    page_layout(figure, len(panels), PANEL_PX)
    return json.loads(figure.to_json())


def _doubted(curves: dict) -> list[tuple[float, float]]:
    """The spans of time that are not trusted, half a step wider on each side."""
    times, trusted = curves["time_s"], curves["trusted"]
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.0
    spans: list[list[float]] = []
    for time, fine in zip(times, trusted, strict=True):
        if fine:
            continue
        if spans and math.isclose(spans[-1][1], time - half, abs_tol=half / 2):
            spans[-1][1] = time + half
        else:
            spans.append([time - half, time + half])
    return [(start, end) for start, end in spans]
