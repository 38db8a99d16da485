"""Joint angles over time as a Plotly figure, with the band that the limits allow."""
from __future__ import annotations

import json

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from generation.models import CandidateMotion
from generation.playback import Curves, curves

# Shown from the bottom of the body upwards; (variable of the limits, title, coordinates right and left, sign).
_PANELS = (
    ("knee_flexion", "Knee flexion", ("knee_angle_r", "knee_angle_l"), 1),
    ("hip_flexion", "Hip flexion", ("hip_flexion_r", "hip_flexion_l"), 1),
    ("ankle_dorsiflexion", "Ankle dorsiflexion", ("ankle_angle_r", "ankle_angle_l"), 1),
    ("lumbar_flexion", "Low-back flexion", ("lumbar_extension",), -1),
)
# Right is a full line, left a dashed one: colour alone tells nothing. Hues of Okabe and Ito, safe for colour blindness.
RIGHT = {"color": "#0072B2", "width": 2.5}
LEFT = {"color": "#D55E00", "width": 2.5, "dash": "dash"}
PANEL_PX = 170


def joint_angle_figure(candidate: CandidateMotion) -> dict:
    """Figure as JSON-ready dict. Colours of axes and text are left to the page, which knows light from dark."""
    motion = curves(candidate)
    panels = [panel for panel in _PANELS if all(name in motion.names for name in panel[2])]
    titles = [title for _, title, _, _ in panels]
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=titles)
    for row, (variable, _, coordinates, sign) in enumerate(panels, start=1):
        for name in coordinates:
            _add_line(figure, row, motion, name, sign, paired=len(coordinates) == 2)
        low, high = _band(candidate.checks, variable)
        span = [sign * motion.of(name) for name in coordinates]
        ends = [float(end) for s in span for end in (s.min(), s.max())] + [b for b in (low, high) if b is not None]
        bottom, top = min(ends) - 8, max(ends) + 8
        if low is not None or high is not None:
            figure.add_hrect(
                y0=low if low is not None else bottom, y1=high if high is not None else top, row=row, col=1,
                fillcolor="#009E73", opacity=0.12, line_width=1, line_color="#009E73", line_dash="dot",
            )
        figure.update_yaxes(range=[bottom, top], ticksuffix="°", row=row, col=1)
    page_layout(figure, len(panels), PANEL_PX)
    return json.loads(figure.to_json())


def page_layout(figure: go.Figure, panels: int, panel_px: int) -> None:
    """What all figures have in common: panels under one another over one axis of time, the legend above."""
    height = panel_px * panels + 60
    figure.update_xaxes(title_text="Time (s)", row=panels, col=1)
    figure.update_layout(
        template="none", height=height, margin={"l": 56, "r": 12, "t": 44, "b": 44},
        hovermode="x unified", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1 + 39 / (height - 88), "x": 0},
    )


def _add_line(figure: go.Figure, row: int, motion: Curves, name: str, sign: int, paired: bool) -> None:
    right = not name.endswith("_l")
    label = ("Right" if right else "Left") if paired else "Middle"
    figure.add_trace(
        go.Scatter(
            x=motion.times.round(3).tolist(), y=(sign * motion.of(name)).round(2).tolist(), mode="lines", name=label,
            legendgroup=label, showlegend=row == 1, line=RIGHT if right else LEFT,
            hovertemplate="%{y:.1f}°",
        ),
        row=row, col=1,
    )


def _band(checks: list[dict], variable: str) -> tuple[float | None, float | None]:
    """The tightest of the limits on this variable, either side."""
    found = [check for check in checks if check["variable"] == variable]
    low = max((c["min"] for c in found if c.get("min") is not None), default=None)
    high = min((c["max"] for c in found if c.get("max") is not None), default=None)
    return low, high
