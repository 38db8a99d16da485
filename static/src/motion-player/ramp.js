// The colours of muscle activation: from dark blue through grey to yellow. Lightness rises evenly and the hue runs along the
// blue-yellow axis, which people with red-green colour blindness see as everybody does. Own stops (E).
import { Color } from "three";

export const STOPS = ["#34487f", "#525d82", "#6f7282", "#908a77", "#bba85a", "#e5c63a", "#fff04a"];

/** The stops as linear colours, for the shader. */
export const linearStops = () => STOPS.map((stop) => new Color(stop));

/** For a legend: CSS of the whole ramp from left (0 %) to right (100 %). */
export const rampCss = () => `linear-gradient(to right, ${STOPS.join(", ")})`;
