// What happens in a motion, in sentences: for screen readers, for the voice, and for everybody who would rather read.
import { repetitionsIn } from "./phases.js";

const WORTH_SAYING_DEG = 3; // a smaller difference between left and right is not mentioned; ours
// Coordinate of the body model -> words around its degrees at the bottom of the squat. Signs are the model's.
const PAIRED = [["knee_angle", "the knees are bent"], ["hip_flexion", "the hips"], ["ankle_angle", "the ankles, shins forward,"]];
const JOINTS = { knee_angle: "knee", hip_flexion: "hip", ankle_angle: "ankle" };

const seconds = (value) => `${value.toFixed(1)} s`;
const degrees = (value) => `${Math.round(value)}°`;

/** The frame in which the hips are lowest, or, without hips in the document, the middle of the hold. */
export function bottomFrame(motion) {
  const hip = motion.jointNames.findIndex((name) => name.startsWith("hip"));
  if (hip < 0) {
    const hold = motion.phases.find((phase) => phase.name === "bottom") ?? motion.phases.find((phase) => phase.name === "ascent");
    return hold ? Math.round(((hold.start + (hold.name === "bottom" ? hold.end : hold.start)) / 2) * motion.frameRate) : 0;
  }
  let lowest = 0, height = Infinity;
  for (let frame = 0; frame < motion.frames; frame += 1) {
    const { y } = motion.jointCentre(hip, { a: frame, b: frame, fraction: 0 });
    if (y < height - 1e-6) [lowest, height] = [frame, y];
  }
  return lowest;
}

function tempo(motion) {
  const of = (name) => motion.phases.find((phase) => phase.name === name);
  const last = (name) => { const phase = of(name); return phase ? phase.end - phase.start : 0; };
  const parts = [];
  if (of("descent")) parts.push(`down in ${seconds(last("descent"))}`);
  if (last("bottom") >= 0.05) parts.push(`a hold of ${seconds(last("bottom"))} at the bottom`);
  if (of("ascent")) parts.push(`up in ${seconds(last("ascent"))}`);
  const count = repetitionsIn(motion.phases);
  return parts.length ? `${count === 1 ? "One squat" : `${count} squats, the first`}: ${parts.join(", ")}.` : "";
}

function depth(motion, frame) {
  const hip = motion.jointNames.findIndex((name) => name.startsWith("hip"));
  if (hip < 0) return "";
  const height = (at) => motion.jointCentre(hip, { a: at, b: at, fraction: 0 }).y;
  return `The hips go down by ${Math.round(100 * (height(0) - height(frame)))} cm.`;
}

function joints(motion, frame) {
  const { names, series } = motion.coordinates;
  const at = (name) => (names.includes(name) ? series(name)[frame] : NaN);
  const sentences = [], uneven = [];
  const said = PAIRED.flatMap(([coordinate, words]) => {
    const [right, left] = [at(`${coordinate}_r`), at(`${coordinate}_l`)];
    if (!Number.isFinite(right) || !Number.isFinite(left)) return [];
    if (Math.abs(right - left) >= WORTH_SAYING_DEG) {
      uneven.push(`the ${right > left ? "right" : "left"} ${JOINTS[coordinate]} ${degrees(Math.abs(right - left))} more than the other`);
    }
    return `${words} ${degrees((right + left) / 2)}`;
  });
  if (said.length) sentences.push(`At the bottom ${said.join(", ")}.`);
  if (uneven.length) sentences.push(`Left and right differ there: ${uneven.join("; ")}.`);
  if (names.includes("lumbar_extension")) {
    const back = series("lumbar_extension");
    const change = back[0] - back[frame];
    if (Math.abs(change) >= WORTH_SAYING_DEG) sentences.push(`The low back bends ${degrees(Math.abs(change))} ${change > 0 ? "forward" : "backward"} against standing.`);
  }
  return sentences;
}

/** Sentences about a motion: tempo, depth, joint angles at the bottom, left against right. */
export function describe(motion) {
  const frame = bottomFrame(motion);
  return [tempo(motion), depth(motion, frame), ...joints(motion, frame)].filter(Boolean);
}
