"""Plotly figures of fall risk. Every one can be read in grey (patterns, dashes, numbers on the bars) and stands above a
table with the same numbers. Colours of axes and text are left to the page, which knows light from dark."""
from __future__ import annotations

import json
import textwrap

import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Of Okabe and Ito, safe for colour blindness; the patterns tell them apart in grey.
_SERIES = {
    "Low": ("#009E73", ""), "Intermediate": ("#E69F00", "/"), "High": ("#D55E00", "x"),
    "Not determined": ("#999999", "."),
}
_BLUE, _RED = "#0072B2", "#D55E00"
_LAYOUT = {
    "template": "none", "margin": {"l": 48, "r": 12, "t": 40, "b": 48}, "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)", "legend": {"orientation": "h", "y": -0.22, "x": 0},
}
_LEGEND_ABOVE = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
BESIDE_LETTERS, BELOW_LETTERS = 18, 12      # of a line beside a bar, below a bar: a phone has room for no more
ROOM_FOR_NUMBERS = 1.15                     # of the longest bar


def trend_figure(trends: list[dict]) -> dict | None:
    """One small plot for each score over the dates of the assessments."""
    if not trends:
        return None
    figure = make_subplots(
        rows=len(trends), cols=1, vertical_spacing=min(0.4 / len(trends), 0.2),
        subplot_titles=[f"{t['label']} ({t['unit']})" if t["unit"] else t["label"] for t in trends],
    )
    for row, trend in enumerate(trends, start=1):
        figure.add_trace(go.Scatter(
            x=[point["on"].isoformat() for point in trend["points"]], y=[point["value"] for point in trend["points"]],
            mode="lines+markers+text", text=[f"{point['value']:.3g}" for point in trend["points"]],
            textposition="top center", cliponaxis=False, line={"color": _BLUE, "width": 2.5}, marker={"size": 8},
            hovertext=[point["category"] for point in trend["points"]], showlegend=False,
        ), row=row, col=1)
        values = [point["value"] for point in trend["points"]]
        room = 0.35 * (max(values) - min(values)) or abs(values[0]) * 0.2 or 1
        figure.update_yaxes(range=[min(values) - room, max(values) + room], nticks=4, row=row, col=1)
    figure.update_layout(**_LAYOUT, height=170 * len(trends) + 40)
    return json.loads(figure.to_json())


def recording_figure(result: dict) -> dict:
    """Height of the pelvis over time, each rise that was found shaded and numbered."""
    curve = result["curve"]
    figure = go.Figure(go.Scatter(x=curve["times"], y=curve["height_cm"], mode="lines", name="Height of the pelvis",
                                  line={"color": _BLUE, "width": 2.5}))
    for number, rise in enumerate(result["rises"], start=1):
        figure.add_vrect(x0=rise["start_s"], x1=rise["end_s"], fillcolor="#999999", opacity=0.25, line_width=1,
                         annotation_text=str(number), annotation_position="top left")
    figure.update_layout(**_LAYOUT, height=300, xaxis_title="Time (s)", yaxis_title="Height (cm)")
    return json.loads(figure.to_json())


def report_figures(document: dict) -> dict[str, dict]:
    """Figures of the clinic's report by the key of their table. A hidden group has no bar but says so."""
    tables = {table["key"]: table for table in document["tables"]}
    if not tables:
        return {}
    figures = {"category": _categories(tables["category"]), "age": _grouped(tables["age"]),
               "month": _months(tables["month"])}
    if tables["condition"]["rows"]:
        figures["condition"] = _grouped(tables["condition"])
    for key, figure in figures.items():
        figure.update_layout(meta=f"figure-{key}")      # names the figure in the page
    return {key: json.loads(figure.to_json()) for key, figure in figures.items()}


def _bar_words(cells: list[int | None]) -> list[str]:
    return ["hidden" if cell is None else str(cell) for cell in cells]


def _categories(table: dict) -> go.Figure:
    rows = [row for row in table["rows"] if row["label"] != "All"]
    cells = [row["cells"][0] for row in rows]
    colours, patterns = zip(*(_SERIES[row["label"]] for row in rows), strict=True)
    figure = go.Figure(go.Bar(
        x=[_wrapped(row["label"], BELOW_LETTERS) for row in rows], y=[cell or 0 for cell in cells],
        text=_bar_words(cells),
        textposition="outside", cliponaxis=False, hoverinfo="skip",
        marker={"color": colours, "pattern": {"shape": patterns}},
    ))
    figure.update_layout(**_LAYOUT, height=300, yaxis={"title": "People", "rangemode": "tozero"})
    return figure


def _grouped(table: dict) -> go.Figure:
    """Bars side by side for each row, lying: there is room for the words beside them on a phone too."""
    rows = [row for row in table["rows"] if row["label"] != "All"]
    places = list(range(len(rows)))
    figure = go.Figure()
    for column, name in enumerate(table["columns"][:-1]):
        colour, pattern = _SERIES[name]
        cells = [row["cells"][column] for row in rows]
        figure.add_trace(go.Bar(
            x=[cell or 0 for cell in cells], y=places, name=name, orientation="h", text=_bar_words(cells),
            textposition="outside", cliponaxis=False, hoverinfo="skip",
            marker={"color": colour, "pattern": {"shape": pattern}},
        ))
    longest = max((cell or 0 for row in rows for cell in row["cells"][:-1]), default=0)
    figure.update_layout(**{**_LAYOUT, "legend": _LEGEND_ABOVE}, barmode="group", height=130 + 90 * len(rows))
    figure.update_yaxes(autorange="reversed", automargin=True, tickvals=places,
                        ticktext=[_wrapped(row["label"], BESIDE_LETTERS) for row in rows])
    figure.update_xaxes(title_text="People", range=[0, ROOM_FOR_NUMBERS * max(longest, 1)], nticks=5)
    return figure


def _wrapped(label: str, letters: int) -> str:
    return "<br>".join(textwrap.wrap(label, letters, break_long_words=False))


def _months(table: dict) -> go.Figure:
    rows = [row for row in table["rows"] if row["label"] != "All"]
    months = [row["label"] for row in rows]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.16, subplot_titles=table["columns"])
    for row, (name, colour, dash) in enumerate(zip(table["columns"], (_BLUE, _RED), ("solid", "dash"), strict=True), 1):
        figure.add_trace(go.Scatter(
            x=months, y=[line["cells"][row - 1] for line in rows], mode="lines+markers", name=name, connectgaps=False,
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 7, "symbol": ["circle", "square"][row - 1]},
            showlegend=False,
        ), row=row, col=1)
        figure.update_yaxes(rangemode="tozero", nticks=5, row=row, col=1)
    figure.update_xaxes(type="category", tickangle=-45, nticks=12, automargin=True, row=2, col=1)
    figure.update_layout(**_LAYOUT, height=480)
    return figure
