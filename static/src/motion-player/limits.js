// The limits of a motion as the arcs need them: rows of a candidate's checks (docs/report.md), inline on the page or from an address.
import { PlayerError } from "./packed.js";

/** @param source id of a JSON script on the page, or an address. [{variable, side, min, max, phase, weight}] */
export async function loadLimits(source, signal) {
  if (!source) return [];
  const inline = document.getElementById(source);
  let json;
  try {
    json = inline ? JSON.parse(inline.textContent) : await (await fetch(source, { signal, headers: { Accept: "application/json" } })).json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PlayerError("The limits of this motion could not be read.");
  }
  const rows = Array.isArray(json) ? json : json?.checks ?? [];
  return rows.filter((row) => row && typeof row.variable === "string");
}
