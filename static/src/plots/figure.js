// A figure of the server as the page draws it: in the page's colours, over seconds or over percent of the cycle.

export const dark = matchMedia("(prefers-color-scheme: dark)");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), muted: of("--muted"), line: of("--line"), surface: of("--surface"), font: of("--font") };
}

// On dark ground the lines of Okabe and Ito need their lighter neighbours.
const LIGHTER = { "#0072B2": "#56B4E9", "#D55E00": "#F0A35E", "#7a7a7a": "#b4b9be", "#5b5f63": "#d8d4c8", "#AA4499": "#d98bd0" };

/** Seconds <-> what stands on the x axis. Percent is of the figure's own cycle, from its first going down to its last coming up. */
export function scaleOf(figure, axis) {
  const cycle = figure.layout.meta?.cycle;
  if (axis !== "percent" || !cycle || !(cycle[1] > cycle[0])) return { x: (time) => time, time: (x) => x, percent: false };
  const [start, end] = cycle;
  return { x: (time) => ((time - start) / (end - start)) * 100, time: (x) => start + (x / 100) * (end - start), percent: true };
}

/** {data, layout} for Plotly; the figure itself stays as it came. */
export function dressed(figure, scale) {
  const { ink, muted, line, surface, font } = colours();
  const data = structuredClone(figure.data);
  const layout = structuredClone(figure.layout);
  for (const trace of data) {
    if (scale.percent) trace.x = trace.x.map((time) => (time === null ? null : scale.x(time)));
    if (dark.matches && trace.line?.color in LIGHTER) trace.line.color = LIGHTER[trace.line.color];
  }
  for (const shape of layout.shapes ?? []) {
    if (!scale.percent || /domain|paper/.test(shape.xref ?? "")) continue;
    shape.x0 = scale.x(shape.x0);
    shape.x1 = scale.x(shape.x1);
  }
  layout.font = { color: ink, family: font };
  for (const [key, axis] of Object.entries(layout)) {
    if (!/^[xy]axis/.test(key)) continue;
    Object.assign(axis, { gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line, tickfont: { color: muted }, fixedrange: true });
    if (!key.startsWith("x") || !scale.percent) continue;
    if (axis.range) axis.range = axis.range.map(scale.x);
    if (axis.title?.text) axis.title.text = "Squat (%)";
    axis.ticksuffix = "";
  }
  layout.hoverlabel = { bgcolor: surface, bordercolor: muted, font: { color: ink } };
  return { data, layout };
}
