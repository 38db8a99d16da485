// The visible controls: their HTML, and keeping them equal to the player's state.
import { ACTIONS, OVERLAYS, SPEEDS } from "./actions.js";
import { PRESETS } from "./cameras.js";
import { canFloat } from "./floating.js";
import { icon } from "./icons.js";
import { phaseSentence, phaseWord } from "./phases.js";
import { canSpeak } from "./speech.js";

const button = (action, label, { text = "", pressed = false, extra = "" } = {}) => `
  <button type="button" data-action="${action}" class="${text ? "chip" : "key"} ${extra}" title="${label}"
    ${text ? "" : `aria-label="${label}"`} ${pressed ? 'aria-pressed="false"' : ""}>${text || icon(action)}</button>`;

const toggle = (action, label, text) => button(action, label, { text, pressed: true, extra: "toggle" });

const cameras = (names) => `
  <div class="segments" role="group" aria-label="View">
    ${names.map((name, index) => toggle(`camera-${name}`, `View: ${PRESETS[name].label} (${index + 1})`, PRESETS[name].label)).join("")}
  </div>`;

const TIMELINE = `
  <div class="timeline">
    <div class="bands" aria-hidden="true"></div>
    <div class="interval" aria-hidden="true" hidden></div>
    <input type="range" class="scrub" min="0" max="1" value="0" step="any" aria-label="Position in the motion">
  </div>`;

const PLAY = `
  <button type="button" data-action="toggle" class="key play" title="Play or pause (space)" aria-label="Play">
    <span class="if-paused">${icon("play")}</span><span class="if-playing">${icon("pause")}</span>
  </button>`;

const WORDS = `
  <details class="words"><summary>The motion in words</summary><p></p></details>`;

// Instead of the other controls while somebody exercises along.
const GUIDE = `
  <div class="row large guided">
    <button type="button" data-action="exercise" class="chip primary begin">${icon("play")}Exercise along</button>
    <button type="button" data-action="toggle" class="chip primary going">
      <span class="if-paused">${icon("play")}Go on</span><span class="if-playing">${icon("pause")}Pause</span></button>
    ${button("exercise-skip", "Skip the rest", { text: `${icon("skip")}Skip rest`, extra: "primary resting" })}
    ${button("exercise-stop", "Stop exercising", { text: `${icon("stop")}Stop`, extra: "running" })}
  </div>
  <div class="row large guided options">
    ${toggle("metronome", "A tone for every second, a higher one for every phase", `${icon("metronome")}Metronome`)}
    ${toggle("vibration", "A short vibration for every phase", `${icon("vibration")}Vibration`)}
    ${toggle("voice", "Say phases and count aloud", `${icon("voice")}Voice`)}
  </div>`;

const FULL = `
  ${TIMELINE}
  <div class="row">
    <div class="group">
      ${PLAY}
      ${button("frame-back", "One frame back (,)")}
      ${button("frame-forward", "One frame forward (.)")}
      <output class="time" aria-label="Time"><span class="now">0.00</span> / <span class="all">0.00</span> s</output>
    </div>
    <div class="group">
      <label class="speed"><span>Speed</span>
        <select aria-label="Speed">${SPEEDS.map((speed) => `<option value="${speed}">${speed}×</option>`).join("")}</select>
      </label>
      ${button("loop", "Repeat (L)", { pressed: true })}
      ${button("interval-start", "Repeat a part: starts here ([)")}
      ${button("interval-end", "Repeat a part: ends here (])")}
      <span class="part" role="group" aria-label="Part that is repeated, seconds" hidden>
        <input type="number" class="from" min="0" step="0.05" inputmode="decimal" aria-label="From, seconds"> –
        <input type="number" class="to" min="0" step="0.05" inputmode="decimal" aria-label="To, seconds"> s
        ${button("interval-clear", "Repeat a part: whole motion again (\\)")}
      </span>
      ${button("picture", "Picture in picture", { pressed: true })}
      ${button("fullscreen", "Full screen (F)", { pressed: true })}
    </div>
  </div>
  <div class="row">
    ${cameras(Object.keys(PRESETS))}
    <div class="group">
      ${toggle("hip-path", "Path of both hip joints", '<i class="mark path"></i>Hip path')}
      ${toggle("centre-of-mass", "Centre of mass, its point on the floor, and the soles", '<i class="mark com"></i>Balance')}
      ${toggle("joints", "Joint centres", '<i class="mark joint"></i>Joints')}
      ${toggle("mirror", "Mirror left and right (M)", `${icon("mirror")}Mirror`)}
      ${toggle("announce", "Say each phase to a screen reader", `${icon("announce")}Say phases`)}
      ${toggle("voice", "Read the description and each phase aloud (V)", `${icon("voice")}Voice`)}
    </div>
  </div>
  ${WORDS}`;

const SIMPLE = `
  ${TIMELINE}
  <div class="row large">
    <button type="button" data-action="toggle" class="chip primary" title="Play or pause (space)">
      <span class="if-paused">${icon("play")}Play</span><span class="if-playing">${icon("pause")}Pause</span>
    </button>
    ${button("restart", "Start again", { text: `${icon("restart")}Start again` })}
  </div>
  <div class="row large">
    <div class="segments" role="group" aria-label="Speed">
      ${toggle("speed-0.5", "Half speed", "Slow")}${toggle("speed-1", "Normal speed", "Normal")}
    </div>
    ${cameras(["front", "side"])}
    ${toggle("mirror", "Show as in a mirror", `${icon("mirror")}Mirror`)}
    ${button("fullscreen", "Full screen", { text: `${icon("fullscreen")}Full screen`, pressed: true, extra: "toggle" })}
  </div>
  ${WORDS}`;

const DRAG_PX = 6;
const SHORTEST_PART_S = 0.1;

for (const speed of [0.5, 1]) ACTIONS[`speed-${speed}`] = (player) => { player.playbackRate = speed; };

const COLOURS = ["stage", "floor-line", "bone", "pad", "ghost", "path", "path-casing", "centre-of-mass", "sole", "joint"];
const camel = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

const SHELL = `
  <div class="player">
    <div class="stage" tabindex="0" role="group" aria-label="3D view">
      <p class="phase" aria-hidden="true"><span class="word"></span><span class="count"></span></p>
      <div class="orbit" role="group" aria-label="Turn and zoom the view">
        ${button("zoom-in", "Nearer (+)")}${button("zoom-out", "Farther (-)")}
        ${button("turn-left", "Turn the view left (Shift ←)")}${button("turn-right", "Turn the view right (Shift →)")}
        ${button("turn-up", "View from higher (Shift ↑)")}${button("turn-down", "View from lower (Shift ↓)")}
      </div>
      <div class="callouts" aria-hidden="true"></div>
      <div class="guide" aria-hidden="true" hidden><p class="guide-word"></p><p class="guide-left"></p><p class="guide-count"></p></div>
      <p class="note" hidden></p>
      <div class="veil" role="status"><span class="spinner" aria-hidden="true"></span><p class="message"></p>
        <button type="button" data-action="retry" class="chip primary retry" hidden>Try again</button></div>
    </div>
    <div class="controls" role="group" aria-label="Playback"></div>
    <p class="live" aria-live="polite"></p>
    <div class="swatches" hidden>${COLOURS.map((name) => `<i data-colour="${camel(name)}"></i>`).join("")}</div>
  </div>`;

export class Controls {
  #player; #root; #parts = {};

  constructor(player, root) {
    this.#player = player;
    this.#root = root;
    root.innerHTML = SHELL;
    for (const name of ["player", "stage", "phase", "word", "count", "note", "veil", "message", "retry", "controls", "live", "swatches", "guide"]) {
      this.#parts[name] = root.querySelector(`.${name}`);
    }
    root.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (action) ACTIONS[action](player);
    });
    root.addEventListener("change", (event) => {
      if (event.target.matches(".speed select")) player.playbackRate = Number(event.target.value);
      if (event.target.matches(".from, .to")) this.#takePart();
    });
    root.addEventListener("input", (event) => {
      if (event.target.matches(".scrub")) player.currentTime = Number(event.target.value);
    });
    // While the thumb is held playback waits, and goes on where it was let go.
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.matches(".scrub") || player.paused) return;
      player.pause();
      for (const end of ["pointerup", "pointercancel"]) event.target.addEventListener(end, () => player.play(), { once: true });
    });
  }

  // Dragging along the phases chooses the part that is repeated; a press without dragging goes there.
  #selectParts() {
    const bands = this.#root.querySelector(".bands");
    if (!bands) return;
    const at = (event) => {
      const { left, width } = bands.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - left) / width, 0), 1) * this.#player.duration;
    };
    bands.addEventListener("pointerdown", (event) => {
      if (!this.#player.motion || event.button) return;
      const [from, startX] = [at(event), event.clientX];
      let dragged = false;
      const drag = (moved) => {
        dragged ||= Math.abs(moved.clientX - startX) > DRAG_PX;
        const part = [from, at(moved)].sort((a, b) => a - b);
        if (dragged && part[1] - part[0] >= SHORTEST_PART_S) this.#player.loopInterval = part;
      };
      const stop = () => {
        bands.removeEventListener("pointermove", drag);
        if (!dragged) this.#player.currentTime = from;
      };
      bands.setPointerCapture(event.pointerId);
      bands.addEventListener("pointermove", drag);
      for (const end of ["pointerup", "pointercancel"]) bands.addEventListener(end, stop, { once: true });
    });
  }

  // What was typed as the repeated part. A field that makes no part goes back to what holds.
  #takePart() {
    const [from, to] = ["from", "to"].map((name) => Number(this.#root.querySelector(`.${name}`).value));
    if (Number.isFinite(from) && Number.isFinite(to) && to - from >= SHORTEST_PART_S) this.#player.loopInterval = [from, to];
    else this.#updateInterval(this.#player.loopInterval, this.#player.duration);
  }

  get stage() { return this.#parts.stage; }
  get swatches() { return this.#parts.swatches; }
  get veil() { return this.#parts.veil; }

  /** @param kind "full", "simple" or "none" */
  build(kind) {
    this.#parts.player.dataset.controls = kind;
    const guide = this.#player.exercise && kind !== "none" ? GUIDE : "";
    this.#parts.controls.innerHTML = guide + { full: FULL, simple: SIMPLE, none: "" }[kind];
    this.scrub = this.#root.querySelector(".scrub");
    this.now = this.#root.querySelector(".now");
    const without = { fullscreen: !document.fullscreenEnabled, picture: !canFloat(), voice: !canSpeak(), vibration: !navigator.vibrate };
    for (const [action, missing] of Object.entries(without)) {
      if (missing) this.#root.querySelectorAll(`[data-action="${action}"]`).forEach((element) => element.remove());
    }
    this.#selectParts();
    this.showMotion();
    this.update();
  }

  /** What depends on the motion: length, phases on the timeline. */
  showMotion() {
    const { motion, duration } = this.#player;
    if (!motion || !this.scrub) return;
    this.#root.querySelector(".words p").textContent = this.#player.description.join(" ");
    this.scrub.max = duration;
    this.scrub.step = 1 / motion.frameRate;
    const all = this.#root.querySelector(".all");
    if (all) all.textContent = duration.toFixed(2);
    this.#root.querySelector(".bands").replaceChildren(...motion.phases.map((phase) => {
      const band = document.createElement("span");
      band.className = `band ${phase.name}`;
      const word = document.createElement("span");
      word.textContent = phaseWord(phase.name);
      band.append(word);
      band.style.left = `${(phase.start / duration) * 100}%`;
      band.style.width = `${((Math.min(phase.end, duration) - phase.start) / duration) * 100}%`;
      return band;
    }));
  }

  /** Everything but time. */
  update() {
    const player = this.#player;
    this.#parts.player.classList.toggle("playing", !player.paused);
    const press = (action, on) => this.#root.querySelectorAll(`[data-action="${action}"]`).forEach((element) => element.setAttribute("aria-pressed", on));
    press("loop", player.loop);
    press("mirror", player.mirrored);
    press("announce", player.announcing);
    press("voice", player.speaking);
    press("picture", player.floating);
    press("fullscreen", document.fullscreenElement === player);
    for (const name of OVERLAYS) press(name, player.hasAttribute(name));
    for (const name of Object.keys(PRESETS)) press(`camera-${name}`, player.camera === name);
    for (const speed of [0.5, 1]) press(`speed-${speed}`, player.playbackRate === speed);
    this.#root.querySelector(".play")?.setAttribute("aria-label", player.paused ? "Play" : "Pause");
    this.#updateSpeed(player.playbackRate);
    this.#updateInterval(player.loopInterval, player.duration);
    this.#updateExercise(player.exercise);
    const view = PRESETS[player.camera]?.label.toLowerCase() ?? "a free angle";
    this.stage.setAttribute("aria-label", `${player.label}: skeleton seen from ${player.camera === "knee" ? "near the knees" : view}${player.mirrored ? ", mirrored" : ""}. Space plays and pauses.`);
  }

  #updateSpeed(rate) {
    const select = this.#root.querySelector(".speed select");
    if (!select) return;
    select.querySelector("[data-own]")?.remove();
    if (!SPEEDS.includes(rate)) { // set by the page
      const option = new Option(`${Number(rate.toFixed(2))}×`, rate);
      option.dataset.own = "";
      select.append(option);
    }
    select.value = String(rate);
  }

  #updateInterval(interval, duration) {
    const bar = this.#root.querySelector(".interval");
    const part = this.#root.querySelector(".part");
    if (bar) {
      bar.hidden = !interval;
      if (interval) {
        bar.style.left = `${(interval[0] / duration) * 100}%`;
        bar.style.width = `${((interval[1] - interval[0]) / duration) * 100}%`;
      }
    }
    if (!part) return;
    part.hidden = !interval;
    if (!interval) return;
    ["from", "to"].forEach((name, index) => {
      const field = part.querySelector(`.${name}`);
      field.value = interval[index].toFixed(2);
      field.max = duration.toFixed(2);
    });
  }

  #updateExercise(exercise) {
    const { guide, player } = this.#parts;
    player.dataset.exercise = exercise?.state ?? "none";
    if (!exercise) return;
    for (const option of ["metronome", "vibration"]) {
      this.#root.querySelector(`[data-action="${option}"]`)?.setAttribute("aria-pressed", exercise.options[option]);
    }
    const { state, set, count, left, plan } = exercise;
    guide.hidden = state === "idle";
    const sets = plan.sets > 1 ? `Set ${set} of ${plan.sets}` : "";
    const repetition = `Repetition ${Math.min(count + 1, plan.repetitions)} of ${plan.repetitions}`;
    const [word, number, words] = {
      idle: ["", "", ""],
      ready: ["Get ready", left, sets],
      moving: [phaseWord(this.#player.phase), this.#player.phase === "stand" ? "" : left, [repetition, sets].filter(Boolean).join(" · ")],
      rest: ["Rest", left, `${sets} is next`],
      finished: ["Well done", "", `${plan.sets > 1 ? `${plan.sets} sets of ` : ""}${plan.repetitions} repetitions`],
    }[state];
    const texts = { ".guide-word": word, ".guide-left": String(number), ".guide-count": words };
    for (const [selector, text] of Object.entries(texts)) {
      const place = guide.querySelector(selector);
      if (place.textContent !== text) place.textContent = text;
    }
    guide.dataset.phase = state === "moving" ? this.#player.phase : "";
  }

  updateTime({ time, phase, repetition, repetitions }) {
    this.#parts.word.textContent = phaseWord(phase);
    this.#parts.phase.dataset.phase = phase;
    this.#parts.phase.hidden = !phase;
    this.#parts.count.textContent = repetitions ? `Repetition ${repetition} of ${repetitions}` : `Repetition ${repetition}`;
    if (!this.scrub) return;
    this.scrub.value = time;
    this.scrub.style.setProperty("--progress", `${(time / (this.#player.duration || 1)) * 100}%`);
    this.scrub.setAttribute("aria-valuetext", `${time.toFixed(2)} seconds${phase ? `, ${phaseSentence(phase).toLowerCase()}` : ""}`);
    if (this.now) this.now.textContent = time.toFixed(2);
  }

  /** @param state "loading", "ready", "waiting" or "error"; `message` is shown to the visitor */
  showState(state, message = "", canRetry = false) {
    this.#parts.player.dataset.state = state;
    this.#parts.veil.hidden = state === "ready";
    this.#parts.message.textContent = message;
    this.#parts.retry.hidden = !canRetry;
    this.#parts.controls.inert = state === "error" || state === "loading";
  }

  showNote(text) {
    this.#parts.note.hidden = !text;
    this.#parts.note.textContent = text;
  }

  say(text) {
    this.#parts.live.textContent = "";
    requestAnimationFrame(() => { this.#parts.live.textContent = text; }); // the same words twice are said twice
  }
}
