// What a visitor can do, by name. Buttons and keys both point here, so that neither can do what the other cannot.
import { PRESETS } from "./cameras.js";

export const SPEEDS = [0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];
export const OVERLAYS = ["hip-path", "centre-of-mass", "joints"];
const TURN = 15; // degrees for one press
const NEARER = 1.2;
const SEEK = 0.25; // seconds for one arrow key

export const ACTIONS = {
  toggle: (player) => (player.paused ? player.play() : player.pause()),
  restart: (player) => { player.currentTime = player.loopInterval?.[0] ?? 0; player.play(); },
  "frame-back": (player) => player.stepFrames(-1),
  "frame-forward": (player) => player.stepFrames(1),
  "seek-back": (player) => { player.currentTime -= SEEK; },
  "seek-forward": (player) => { player.currentTime += SEEK; },
  "to-start": (player) => { player.currentTime = 0; },
  "to-end": (player) => { player.currentTime = player.duration; },
  slower: (player) => { player.playbackRate = SPEEDS.findLast((speed) => speed < player.playbackRate - 1e-6) ?? SPEEDS[0]; },
  faster: (player) => { player.playbackRate = SPEEDS.find((speed) => speed > player.playbackRate + 1e-6) ?? SPEEDS.at(-1); },
  loop: (player) => { player.loop = !player.loop; },
  "interval-start": (player) => player.markInterval("start"),
  "interval-end": (player) => player.markInterval("end"),
  "interval-clear": (player) => { player.loopInterval = null; },
  mirror: (player) => { player.mirrored = !player.mirrored; },
  "turn-left": (player) => player.orbit(-TURN, 0),
  "turn-right": (player) => player.orbit(TURN, 0),
  "turn-up": (player) => player.orbit(0, TURN),
  "turn-down": (player) => player.orbit(0, -TURN),
  "zoom-in": (player) => player.zoom(NEARER),
  "zoom-out": (player) => player.zoom(1 / NEARER),
  fullscreen: (player) => player.toggleFullscreen(),
  picture: (player) => player.toggleFloating(),
  announce: (player) => player.toggleAnnouncing(),
  voice: (player) => player.toggleVoice(),
  exercise: (player) => player.startExercise(),
  "exercise-stop": (player) => player.stopExercise(),
  "exercise-skip": (player) => player.exercise?.skipRest(),
  metronome: (player) => player.exercise?.toggle("metronome"),
  vibration: (player) => player.exercise?.toggle("vibration"),
  say: (player) => player.say(),
  retry: (player) => player.reload(),
};
for (const name of Object.keys(PRESETS)) ACTIONS[`camera-${name}`] = (player) => { player.camera = name; };
for (const name of OVERLAYS) ACTIONS[name] = (player) => player.toggleAttribute(name);

const KEYS = {
  " ": "toggle", k: "toggle", ArrowLeft: "seek-back", ArrowRight: "seek-forward", ArrowUp: "faster", ArrowDown: "slower",
  ",": "frame-back", ".": "frame-forward", Home: "to-start", End: "to-end",
  "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", m: "mirror", l: "loop", f: "fullscreen", p: "say", v: "voice",
  "[": "interval-start", "]": "interval-end", "\\": "interval-clear",
};
Object.keys(PRESETS).forEach((name, index) => { KEYS[index + 1] = `camera-${name}`; });
const SHIFTED = { ArrowLeft: "turn-left", ArrowRight: "turn-right", ArrowUp: "turn-up", ArrowDown: "turn-down" };

/** The action of a key press inside the player, or undefined. Form fields and buttons keep the keys that they use themselves. */
export function actionOfKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const field = event.composedPath()[0];
  if (field.matches?.("select")) return undefined;
  if (field.matches?.("button") && key === " ") return undefined;
  if (field.matches?.('input[type="number"]')) return undefined;
  if (field.matches?.("input") && (key.startsWith("Arrow") || key === "Home" || key === "End")) return undefined;
  return event.shiftKey && SHIFTED[key] ? SHIFTED[key] : KEYS[key];
}
