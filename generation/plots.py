"""Curves over time as Plotly figures, with what a page needs beside each: a key, and a table of the same numbers.

Right is a full line, left a dashed one, so that no plot rests on colour. Colours of axes and text are left to the page,
which knows light from dark; it also turns seconds into percent of the cycle (`static/src/plots/`).
"""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Hues of Okabe and Ito, safe for colour blindness.
RIGHT = {"color": "#0072B2", "width": 2.5}
LEFT = {"color": "#D55E00", "width": 2.5, "dash": "dash"}
OWN = {"color": "#7a7a7a", "width": 2, "dash": "dot"}
COMPARED = {        # motions on the page that compares them
    "A": {"color": "#5b5f63", "width": 3}, "B": {"color": "#0072B2", "width": 2.5, "dash": "dash"},
    "C": {"color": "#D55E00", "width": 2.5, "dash": "dot"}, "D": {"color": "#AA4499", "width": 2.5, "dash": "dashdot"},
}
STYLES = {"Right": RIGHT, "Left": LEFT, "Middle": RIGHT, **COMPARED}
ALLOWED, HUMAN, NOT_TRUSTED = "#009E73", "#8a8f94", "#CC79A7"
KEY = {"right": "Right", "left": "Left", "allowed": "Allowed", "human": "", "own": "The patient's own recording",
       "doubted": "Not trusted", "a": "A", "b": "B", "c": "C", "d": "D"}
TABLE_ROWS = 11         # 0, 10, ... 100 % of the cycle


@dataclass(frozen=True)
class Line:
    """`label`: Right, Left or Middle. `style` "own" for what lies behind. `values` at the panel's times."""

    label: str
    values: np.ndarray
    style: str = ""


@dataclass(frozen=True)
class Allowed:
    """What a limit allows: between `low` and `high`, where set, from `start` to `end` seconds (None: always)."""

    low: float | None
    high: float | None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Panel:
    title: str
    lines: Sequence[Line]
    allowed: Sequence[Allowed] = ()
    human: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None      # times, lower, upper
    from_zero: bool = False


@dataclass
class Plot:
    """One figure over `times` (seconds); `cycle` is what 0 to 100 % mean."""

    key: str
    title: str
    unit: str
    times: np.ndarray
    cycle: tuple[float, float]
    panels: Sequence[Panel]
    phases: list[dict] = field(default_factory=list)
    doubted: Sequence[tuple[float, float]] = ()
    human_words: str = ""
    panel_px: int = 150

    def document(self) -> dict:
        """What templates/generation/_plot.html takes."""
        return {"key": self.key, "script_id": f"figure-{self.key}", "title": self.title, "figure": self.figure(),
                "legend": self.legend(), "tables": [self._table(panel) for panel in self.panels]}

    def figure(self) -> dict:
        """As JSON-ready dict."""
        count = max(1, len(self.panels))
        gap = 34 / max(count * self.panel_px, 34 * count)
        figure = make_subplots(rows=count, cols=1, shared_xaxes=True, vertical_spacing=gap,
                               subplot_titles=[panel.title for panel in self.panels])
        for row, panel in enumerate(self.panels, start=1):
            self._draw(figure, row, panel)
        figure.update_xaxes(title_text="Time (s)", row=count, col=1)
        figure.update_xaxes(range=[float(self.times[0]), float(self.times[-1])])
        figure.update_annotations(font_size=13)
        figure.update_layout(
            template="none", height=self.panel_px * count + 90, margin={"l": 48, "r": 10, "t": 28, "b": 44},
            hovermode="x unified", dragmode=False, showlegend=False, paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)", meta={"cycle": [float(end) for end in self.cycle]},
        )
        return json.loads(figure.to_json())

    def _draw(self, figure: go.Figure, row: int, panel: Panel) -> None:
        place = {"row": row, "col": 1}
        bottom, top = self._extent(panel)
        for phase in self.phases:
            figure.add_vline(x=phase["end_s"], line_width=1, line_dash="dot", line_color=HUMAN, opacity=0.5,
                             layer="below", **place)
        for start, end in self.doubted:
            figure.add_vrect(x0=start, x1=end, fillcolor=NOT_TRUSTED, opacity=0.18, line_width=0, **place)
        if panel.human is not None:
            times, lower, upper = panel.human
            quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            figure.add_trace(go.Scatter(x=_listed(times, 3), y=_listed(lower, 1), **quiet), **place)
            figure.add_trace(go.Scatter(x=_listed(times, 3), y=_listed(upper, 1), fill="tonexty",
                                        fillcolor="rgba(138,143,148,0.28)", **quiet), **place)
        for band in panel.allowed:
            start, end = (self.times[0] if band.start is None else band.start,
                          self.times[-1] if band.end is None else band.end)
            figure.add_shape(
                type="rect", x0=float(start), x1=float(end), y0=bottom if band.low is None else band.low,
                y1=top if band.high is None else band.high, fillcolor=ALLOWED, opacity=0.16, layer="below",
                line={"width": 1.5, "color": ALLOWED, "dash": "dot"}, **place)
        for line in panel.lines:
            name = f"{line.label}, own recording" if line.style == "own" else line.label
            style = OWN if line.style == "own" else STYLES[line.label]
            if line.style == "own" and line.label == "Left":
                style = {**OWN, "dash": "dashdot"}
            figure.add_trace(go.Scatter(
                x=_listed(self.times, 3), y=_listed(line.values, 2), mode="lines", name=name, line=style,
                hovertemplate=f"%{{y:.1f}}{self.unit}"), **place)
        figure.update_yaxes(range=[bottom, top], ticksuffix=self.unit, nticks=5, **place)

    @staticmethod
    def _extent(panel: Panel) -> tuple[float, float]:
        """Lowest and highest of what is drawn, with room; what people did counts only as far as it is near."""
        ends = [float(end) for line in panel.lines for end in (np.nanmin(line.values), np.nanmax(line.values))]
        ends += [bound for band in panel.allowed for bound in (band.low, band.high) if bound is not None]
        if panel.human is not None:
            ends += [float(panel.human[1].min()), float(panel.human[2].max())]
        low, high = min([*ends, *([0.0] if panel.from_zero else [])]), max(ends)
        room = max(0.06 * (high - low), 1e-3)
        return (low if panel.from_zero and low == 0 else low - room), high + room

    def legend(self) -> list[dict]:
        """Which kinds of lines and areas there are: (kind, words)."""
        kinds = [line.style or line.label.lower() for panel in self.panels for line in panel.lines]
        kinds += ["allowed"] * any(panel.allowed for panel in self.panels)
        kinds += ["human"] * any(panel.human is not None for panel in self.panels) + ["doubted"] * bool(self.doubted)
        words = KEY | {"human": self.human_words}
        return [{"kind": kind, "words": words[kind]} for kind in words if kind in kinds]

    def _table(self, panel: Panel) -> dict:
        """The panel at every tenth of the cycle, for those who read rather than see."""
        percent = np.linspace(0, 100, TABLE_ROWS)
        start, end = self.cycle
        times = start + percent / 100 * (end - start)
        heads = [f"{line.label}, own" if line.style == "own" else line.label for line in panel.lines]
        columns = [np.interp(times, self.times, line.values) for line in panel.lines]
        rows = [{"percent": int(round(share)), "time": float(time), "values": [float(c[i]) for c in columns],
                 "allowed": _words(panel.allowed, time, self.unit)}
                for i, (share, time) in enumerate(zip(percent, times, strict=True))]
        return {"title": panel.title, "unit": self.unit, "heads": heads, "rows": rows, "limited": bool(panel.allowed)}


def allowed(checks: list[dict], variable: str, phases: list[dict], factor: float = 1.0) -> list[Allowed]:
    """What hard limits on a variable allow: the tightest for the whole motion, and one for each phase that has its own.

    A limit on the variable's greatest value bounds every instant from above; from below it only asks for the bottom.
    """
    def tightest(name: str, part: str) -> tuple[float | None, float | None]:
        return _tightest([c for c in checks if c["variable"] == name and c.get("phase", "") == part
                          and c.get("weight") is None])

    bands = []
    for part in ("", "descent", "bottom", "ascent"):
        low, high = tightest(variable, part)
        if not part:
            low_peak, high_peak = tightest(f"{variable}_peak", part)
            high = min((b for b in (high, high_peak) if b is not None), default=None)
            if low_peak is not None:
                bands += [Allowed(low_peak * factor, None, *span) for span in _spans(phases, "bottom")]
        if low is None and high is None:
            continue
        spans = _spans(phases, part) if part else [(None, None)]
        bands += [Allowed(*(None if b is None else b * factor for b in (low, high)), *span) for span in spans]
    return bands


def _tightest(checks: list[dict]) -> tuple[float | None, float | None]:
    return (max((c["min"] for c in checks if c.get("min") is not None), default=None),
            min((c["max"] for c in checks if c.get("max") is not None), default=None))


def _spans(phases: list[dict], name: str) -> list[tuple[float, float]]:
    """Seconds of each phase of this name; of a bottom without a hold, the moment between down and up."""
    found = [(phase["start_s"], phase["end_s"]) for phase in phases if phase["name"] == name]
    if not found and name == "bottom":
        found = [(phase["end_s"] - 0.05, phase["end_s"] + 0.05) for phase in phases if phase["name"] == "descent"]
    return found


def _words(bands: Sequence[Allowed], time: float, unit: str) -> str:
    here = [b for b in bands if (b.start is None or b.start <= time) and (b.end is None or time <= b.end)]
    low = max((b.low for b in here if b.low is not None), default=None)
    high = min((b.high for b in here if b.high is not None), default=None)
    if low is None and high is None:
        return "any"
    if low is None:
        return f"at most {high:.0f}{unit}"
    return f"at least {low:.0f}{unit}" if high is None else f"{low:.0f} to {high:.0f}{unit}"


def _listed(values: np.ndarray, places: int) -> list[float]:
    return np.round(np.asarray(values, float), places).tolist()
