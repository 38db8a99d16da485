// Exercising along: get ready, repetitions of a set at the motion's own tempo, rest, next set. The page stays loaded, so that
// nothing here needs the network; what is counted is told by events, for a diary to keep.
import { Metronome } from "./metronome.js";
import { phaseWord } from "./phases.js";

const GET_READY_S = 3;
const LOOK_EVERY_MS = 100;
const KEY = "genuflex.exercise"; // what the person switched on, kept in this browser

const wholeSeconds = (seconds) => Math.max(1, Math.ceil(seconds - 1e-6));

/** How many repetitions of the motion are complete at `time` of a pass: an ascent that has ended is one. */
export function completedAt(phases, time) {
  return phases.filter((phase) => phase.name === "ascent" && phase.end <= time + 1e-6).length;
}

export class Exercise {
  state = "idle"; // "ready", "moving", "rest", "finished"
  set = 1;
  count = 0; // repetitions of this set that are complete
  left = 0; // whole seconds of getting ready or resting
  options = { metronome: false, vibration: false, ...remembered() };
  #player; #plan; #timer = 0; #until = 0; #offset = 0; #begun = 0; #second = NaN; #phase = ""; #lock = null;
  #metronome = new Metronome();
  #hidden = () => { if (document.hidden) this.#player.pause(); }; // nobody squats behind another page: nothing is counted there

  /** @param plan {repetitions, sets, rest: seconds}; `onChange` is called when something to be shown changed */
  constructor(player, plan, { emit, onChange, say }) {
    Object.assign(this, { emit, onChange, say });
    this.#player = player;
    this.#plan = plan;
  }

  get plan() { return this.#plan; }
  get running() { return ["ready", "moving", "rest"].includes(this.state); }
  get repetitionsInMotion() { return Math.max(1, completedAt(this.#player.motion.phases, Infinity)); }

  start() {
    if (!this.#player.motion) return;
    if (this.options.metronome) this.#metronome.open(); // browsers allow sound only from a press like this one
    this.set = 1;
    this.#begun = performance.now();
    this.#keepAwake();
    document.addEventListener("visibilitychange", this.#hidden);
    this.#player.playbackRate = 1; // the prescribed tempo
    this.#player.loopInterval = null;
    this.#player.loop = true;
    this.#wait("ready", GET_READY_S, "Get ready");
  }

  stop() {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#hidden);
    this.#lock?.release().catch(() => {});
    this.#lock = null;
    this.#player.pause();
    this.state = "idle";
    this.onChange();
  }

  skipRest() {
    if (this.state === "rest") this.#until = 0;
  }

  toggle(option) {
    this.options[option] = !this.options[option];
    if (option === "metronome" && this.options.metronome) this.#metronome.open();
    if (option === "vibration" && this.options.vibration) navigator.vibrate?.(40);
    try {
      localStorage.setItem(KEY, JSON.stringify(this.options));
    } catch { /* storage is switched off: the choice lasts as long as the page */ }
    this.onChange();
  }

  #wait(state, seconds, words) {
    this.state = state;
    this.count = 0;
    this.#until = performance.now() + 1000 * seconds;
    this.left = wholeSeconds(seconds);
    this.#player.pause();
    this.#player.currentTime = 0;
    this.say(words);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.onChange();
  }

  #look() {
    const remaining = (this.#until - performance.now()) / 1000;
    if (remaining <= 0) {
      clearInterval(this.#timer);
      if (this.state === "rest") this.#wait("ready", GET_READY_S, `Set ${this.set}. Get ready`);
      else this.#move();
      return;
    }
    if (wholeSeconds(remaining) === this.left) return;
    this.left = wholeSeconds(remaining);
    if (this.state === "ready" || this.left <= 3) this.#beat(false);
    this.onChange();
  }

  #move() {
    this.state = "moving";
    this.#offset = 0;
    this.#phase = "";
    this.#second = NaN;
    this.onChange();
    this.#player.play();
  }

  /** The clock was set to another moment: what was counted stays counted. */
  sought() {
    if (this.state === "moving") this.#offset = this.count - this.#passed();
  }

  #passed() {
    const { clock, motion, currentTime } = this.#player;
    return clock.loops * this.repetitionsInMotion + completedAt(motion.phases, currentTime);
  }

  /** Called with every picture. */
  advance() {
    if (this.state !== "moving" || this.#player.paused) return;
    this.#tempo();
    const count = Math.min(this.#passed() + this.#offset, this.#plan.repetitions);
    while (this.count < count) {
      this.count += 1;
      if (this.options.vibration) navigator.vibrate?.(90);
      this.emit("repetition", { count: this.count, of: this.#plan.repetitions, set: this.set });
      this.onChange();
      if (this.count < this.#plan.repetitions) this.say(String(this.count));
    }
    if (this.count >= this.#plan.repetitions) this.#setDone();
  }

  // The word of the phase and its seconds that are left, a beat for each.
  #tempo() {
    const { motion, currentTime, phase } = this.#player;
    const now = motion.phases.findLast((one) => one.start <= currentTime + 1e-6);
    const left = now ? wholeSeconds(now.end - currentTime) : 0;
    if (phase === this.#phase && left === this.#second) return;
    const begins = phase !== this.#phase;
    this.#phase = phase;
    this.#second = left;
    this.left = left;
    if (phase !== "stand" || begins) this.#beat(begins);
    if (begins && phase !== "stand") this.say(phaseWord(phase));
    this.onChange();
  }

  #beat(strong) {
    if (this.options.metronome) this.#metronome.beat(strong);
    if (this.options.vibration && strong) navigator.vibrate?.(35);
  }

  #setDone() {
    this.emit("set", { set: this.set, of: this.#plan.sets, repetitions: this.count });
    if (this.set < this.#plan.sets) {
      this.set += 1;
      if (this.options.vibration) navigator.vibrate?.([120, 80, 120]);
      this.#wait(this.#plan.rest > 0 ? "rest" : "ready", this.#plan.rest || GET_READY_S, "Rest");
      return;
    }
    this.stop();
    this.state = "finished";
    const { sets, repetitions } = this.#plan;
    if (this.options.vibration) navigator.vibrate?.([120, 80, 120, 80, 240]);
    this.say("Well done. You have finished.");
    this.onChange();
    this.emit("finished", { sets, repetitions, seconds: (performance.now() - this.#begun) / 1000 });
  }

  // A phone that goes dark in the middle of a set helps nobody. Where the browser cannot hold it, it goes dark.
  async #keepAwake() {
    this.#lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
  }
}

function remembered() {
  try {
    const { metronome = false, vibration = false } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { metronome: metronome === true, vibration: vibration === true };
  } catch {
    return {};
  }
}
