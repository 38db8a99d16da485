// The plots beside the player: one clock, the player's. Plotly is loaded by the page that plots. A plot inside a closed
// <details> is drawn when that opens: before, it has no width.
const dark = matchMedia("(prefers-color-scheme: dark)");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), muted: of("--muted"), line: of("--line"), accent: of("--accent") };
}

function themed(layout) {
  const { ink, muted, line } = colours();
  const themedLayout = structuredClone(layout);
  themedLayout.font = { color: ink, family: "inherit" };
  for (const [key, axis] of Object.entries(themedLayout)) {
    if (!/^[xy]axis/.test(key)) continue;
    Object.assign(axis, { gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line, tickfont: { color: muted } });
  }
  themedLayout.hoverlabel = { bgcolor: ink, font: { color: getComputedStyle(document.documentElement).getPropertyValue("--surface").trim() } };
  return themedLayout;
}

async function draw(plot) {
  const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  const player = document.getElementById("player");
  const bands = figure.layout.shapes ?? [];
  const cursorAt = (time) => ({
    type: "line", xref: "x", yref: "paper", x0: time, x1: time, y0: 0, y1: 1, line: { color: colours().accent, width: 2 },
  });
  const layout = themed(figure.layout);
  layout.shapes = player ? [...bands, cursorAt(player.currentTime || 0)] : bands;
  await window.Plotly.newPlot(plot, figure.data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
  plot.dataset.ready = "true";
  if (!player) {
    dark.addEventListener("change", () => { if (plot.isConnected) window.Plotly.relayout(plot, { ...themed(figure.layout), shapes: bands }); });
    return;
  }
  let last = -1;
  let waiting = false;
  const move = () => {
    waiting = false;
    if (!plot.isConnected || player.currentTime === last) return;
    last = player.currentTime;
    window.Plotly.relayout(plot, { shapes: [...bands, cursorAt(last)] });
  };
  const follow = () => {
    if (!plot.isConnected) { player.removeEventListener("timeupdate", follow); return; }
    if (!waiting) { waiting = true; setTimeout(move, 80); }      // a plot costs more than a picture of the player
  };
  player.addEventListener("timeupdate", follow);
  plot.on("plotly_click", (event) => { player.currentTime = event.points[0].x; });
  dark.addEventListener("change", () => {
    if (plot.isConnected) window.Plotly.relayout(plot, { ...themed(figure.layout), shapes: [...bands, cursorAt(player.currentTime || 0)] });
  });
}

function drawAll() {
  for (const plot of document.querySelectorAll(".plot[data-figure]:not([data-drawn])")) {
    if (plot.closest("details:not([open])")) continue;
    plot.dataset.drawn = "true";
    draw(plot);
  }
}

// Module scripts run after the deferred Plotly of the page's head, so window.Plotly is there where it is needed.
if (document.querySelector(".plot[data-figure]")) {
  if (window.Plotly) drawAll();
  else addEventListener("load", drawAll);
}
document.addEventListener("htmx:afterSettle", () => { if (window.Plotly) drawAll(); });
document.addEventListener("toggle", () => { if (window.Plotly) drawAll(); }, true);
document.addEventListener("htmx:oobAfterSwap", () => { if (window.Plotly) drawAll(); });
