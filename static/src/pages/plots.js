// The plots of a page. Where it has a player, all share its clock: each plot's line follows, and moves it. Plotly is loaded by
// the page that plots. A plot inside a closed <details> is drawn when that opens: before, it has no width.
import { Cursor } from "../plots/cursor.js";
import { dark, dressed, scaleOf } from "../plots/figure.js";

const AXIS = "genuflex.plots.axis"; // "time" or "percent", kept in this browser
const drawn = new Map(); // plot -> its cursor, or null

function chosenAxis() {
  try {
    return localStorage.getItem(AXIS) === "percent" ? "percent" : "time";
  } catch {
    return "time";
  }
}

let axis = chosenAxis();

async function draw(plot) {
  const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  const scale = scaleOf(figure, axis);
  const { data, layout } = dressed(figure, scale);
  drawn.get(plot)?.release();
  drawn.set(plot, null);
  await window.Plotly.react(plot, data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
  const player = document.getElementById("player");
  if (player && figure.layout.meta?.cycle) {
    const cursor = new Cursor(plot, player, scale);
    drawn.set(plot, cursor);
    if (!plot.dataset.ready) plot.on("plotly_afterplot", () => drawn.get(plot)?.show());
  }
  plot.dataset.ready = "true";
}

function drawAll() {
  if (!window.Plotly) return;
  for (const plot of drawn.keys()) {
    if (plot.isConnected) continue;
    drawn.get(plot)?.release();
    drawn.delete(plot);
  }
  for (const plot of document.querySelectorAll(".plot[data-figure]:not([data-drawn])")) {
    if (plot.closest("details:not([open])")) continue;
    plot.dataset.drawn = "true";
    draw(plot);
  }
  showAxis();
}

function showAxis() {
  for (const choice of document.querySelectorAll("[data-plot-axis]")) choice.setAttribute("aria-pressed", choice.dataset.plotAxis === axis);
}

function redraw() {
  for (const plot of drawn.keys()) if (plot.isConnected) draw(plot);
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-plot-axis]");
  if (!choice) return;
  axis = choice.dataset.plotAxis;
  try {
    localStorage.setItem(AXIS, axis);
  } catch { /* storage is switched off: the choice lasts as long as the page */ }
  showAxis();
  redraw();
});

// Module scripts run after the deferred Plotly of the page's head, so window.Plotly is there where it is needed.
if (window.Plotly) drawAll();
else addEventListener("load", drawAll);
dark.addEventListener("change", redraw);
document.addEventListener("htmx:afterSettle", drawAll);
document.addEventListener("htmx:oobAfterSwap", drawAll);
document.addEventListener("toggle", drawAll, true);
