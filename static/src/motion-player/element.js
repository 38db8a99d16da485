// <motion-player>: attributes, the media-like interface, and the life of one player. docs/player.md describes it for pages.
import { actionOfKey, ACTIONS, OVERLAYS } from "./actions.js";
import { alignment } from "./alignment.js";
import { BODY_ATTRIBUTES, BodyView } from "./body-view.js";
import { Callouts } from "./callouts.js";
import { CameraRig, kneePoints, PRESETS } from "./cameras.js";
import { PlaybackClock } from "./clock.js";
import { Controls } from "./controls.js";
import { describe } from "./description.js";
import { loadMotion, PlayerError } from "./document.js";
import { Exercise } from "./exercise.js";
import { FloatingPicture } from "./floating.js";
import { inspect } from "./inspect.js";
import { overlaysFor } from "./overlays.js";
import { phaseAt, phaseSentence, phaseWord, repetitionAt, repetitionsIn } from "./phases.js";
import { Skeleton } from "./skeleton.js";
import { Voice } from "./speech.js";
import { Stage } from "./stage.js";
import { watchSurroundings } from "./surroundings.js";
import { readTheme } from "./theme.js";
import controlStyles from "./controls.css";
import bodyStyles from "./body-view.css";
import styles from "./styles.css";

const sheets = [styles, controlStyles, bodyStyles].map((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
});

const MOST_COMPARED = 3;
const KINDS = ["full", "simple", "none"];
const EXERCISE = ["exercise", "repetitions", "sets", "rest"];
const reducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export class MotionPlayer extends HTMLElement {
  static observedAttributes = ["src", "bones", "compare-src", "controls", "camera", "loop", "mirrored", "label", "align", ...EXERCISE, ...BODY_ATTRIBUTES, ...OVERLAYS];

  #clock = new PlaybackClock();
  #map = null; // how this motion follows another one on a shared clock
  #controls; #body; #stage = null; #rig = null; #skeletons = []; #overlays = []; #loading = null; #release = [];
  #time = 0; // of the last picture or the last seek
  #shown = { time: NaN, phase: null };
  #marks = { start: null, end: null };
  #announcing = false;
  #voice = new Voice();
  #floating = new FloatingPicture(this, () => { this.#controls.update(); this.#stage?.drawNow(); });
  #callouts; #wanted = []; #exercise = null; #description = [];
  #playWhenReady = false;
  #unlisten = null;
  #state = "loading";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = sheets;
    this.#controls = new Controls(this, root);
    this.#body = new BodyView(this, this.#controls);
    this.#callouts = new Callouts(this.#controls.stage);
    this.addEventListener("keydown", (event) => {
      const action = actionOfKey(event);
      if (!action || !this.motion) return;
      event.preventDefault();
      ACTIONS[action](this);
    });
  }

  // ---- life ----

  connectedCallback() {
    this.#listen();
    this.#planExercise();
    this.#controls.build(this.#kind);
    if (this.#openStage()) this.#load();
  }

  disconnectedCallback() {
    this.#loading?.abort();
    if (this.#exercise?.running) this.#exercise.stop();
    this.#voice.on = false;
    this.#floating.close();
    this.#clock.setDuration(this, null);
    if (!this.#clock.duration) this.#clock.pause(); // nobody else is driven by it
    this.#clear();
    for (const release of this.#release.splice(0)) release();
    this.#unlisten?.();
    this.#stage = this.#rig = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.#stage || before === after) return;
    if (["src", "bones", "compare-src"].includes(name)) this.#load();
    else if (name === "controls") this.#controls.build(this.#kind);
    else if (name === "camera" && PRESETS[after]) this.camera = after;
    else if (name === "loop") this.#clock.loop = this.loop;
    else if (name === "align") this.#align();
    else if (EXERCISE.includes(name)) { this.#planExercise(); this.#controls.build(this.#kind); }
    else if (name === "mirrored") this.#mirror();
    else if (OVERLAYS.includes(name)) this.#dressOverlays();
    else if (BODY_ATTRIBUTES.includes(name)) this.#body.changed(name);
    this.#controls.update();
  }

  get #kind() { return KINDS.includes(this.getAttribute("controls")) ? this.getAttribute("controls") : "full"; }

  #openStage() {
    const frame = this.#controls.stage;
    frame.querySelector("canvas")?.remove();
    const canvas = document.createElement("canvas"); // a new one each time: a disposed context cannot be used again
    canvas.setAttribute("aria-hidden", "true"); // the frame around it carries the words
    frame.prepend(canvas);
    try {
      this.#stage = new Stage(canvas, (now) => this.#draw(now));
    } catch {
      const instead = this.#body.showFallback(this.#controls.veil);
      this.#fail(`This browser cannot show 3D pictures: WebGL is missing or switched off. ${instead ? "Here is the motion as recorded from it." : "Switch on hardware acceleration or try another browser."}`, false);
      return false;
    }
    this.#rig = new CameraRig(canvas, {
      onChange: () => this.#stage?.requestRender(),
      onFree: () => this.#cameraChanged(),
    });
    if (PRESETS[this.getAttribute("camera")]) this.#rig.preset = this.getAttribute("camera");
    const stage = this.#stage, rig = this.#rig;
    this.#release.push(watchSurroundings(this, stage, frame, canvas, {
      onResize: () => this.#resize(frame),
      onTheme: () => this.#recolour(),
      onFullscreen: () => this.#controls.update(),
      onLost: () => {
        this.#controls.showState("waiting", "The 3D view was interrupted and comes back in a moment.");
        this.#body.showFallback(this.#controls.veil);
      },
      onRestored: () => {
        this.#body.hideFallback();
        this.#controls.showState(this.#state);
      },
    }), () => rig.dispose(), () => stage.dispose());
    this.#recolour();
    this.#mirror();
    return true;
  }

  #resize(frame) {
    const { clientWidth: width, clientHeight: height } = frame;
    if (!width || !height) return;
    const buttons = frame.querySelector(".orbit");
    // In a narrow picture the phase label would cover the head: the body stays below it (as wide as styles.css's small screens).
    // Exercising along, the words stand under the feet there.
    const y = width > 560 ? 16 : this.#exercise ? 92 : 64;
    this.#rig.resize(width, height, { x: buttons.offsetWidth ? buttons.offsetWidth + 14 : 12, y });
    this.#stage.resize(width, height);
  }

  // ---- loading ----

  async #load() {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    if (!this.src) return;
    const goOn = this.#clock.playing || this.#playWhenReady || (this.hasAttribute("autoplay") && !reducedMotion());
    this.pause();
    this.#clock.setDuration(this, null);
    this.#state = "loading";
    this.#playWhenReady = goOn;
    this.#controls.showState("loading", "Loading the motion…");
    try {
      const sources = [this.src, ...(this.getAttribute("compare-src") ?? "").split(/\s+/).filter(Boolean).slice(0, MOST_COMPARED)];
      const motions = await Promise.all(sources.map((url) => loadMotion(url, loading.signal)));
      this.#clear();
      this.#skeletons = motions.map((motion, index) => new Skeleton(motion, { ghost: index > 0 }));
      this.#begin();
      await Promise.all(this.#skeletons.map((skeleton) => skeleton.dress(this.bones)));
      if (loading.signal.aborted) return;
      this.#present();
    } catch (error) {
      if (loading.signal.aborted) return;
      if (!(error instanceof PlayerError)) console.error(error);
      this.#fail(error instanceof PlayerError ? error.message : "The motion could not be shown. Reload the page.", true);
      return;
    }
    if (this.#playWhenReady) this.play();
  }

  #begin() {
    const { duration, frameRate, frames, phases } = this.motion;
    const alone = !this.#clock.duration;
    this.#marks = { start: null, end: null };
    this.#align();
    if (alone) {
      this.#clock.interval = null;
      this.#clock.seek(0);
    }
    this.#time = this.#clock.time;
    this.#shown = { time: NaN, phase: null };
    this.#description = describe(this.motion);
    this.#callouts.set(this.#wanted, this.motion);
    this.#controls.showMotion();
    this.#emit("loadedmetadata", { duration, frameRate, frames, phases });
  }

  #dressStage() {
    for (const { root } of this.#skeletons) this.#stage.people.add(root);
    this.#body.dress(this.#stage, this.#rig, this.#skeletons);
    this.#dressOverlays();
  }

  #present() {
    this.#dressStage();
    this.#frameCamera();
    this.#recolour();
    this.#state = "ready";
    this.#controls.showState("ready");
    const bones = this.#skeletons.every((skeleton) => skeleton.hasBones);
    this.#controls.showNote(bones || !this.bones ? "" : "The bones could not be loaded: a simple figure is shown.");
    this.#controls.update();
    this.#emit("ready", { bones });
    this.#stage.requestRender();
  }

  #fail(message, canRetry) {
    this.#state = "error";
    this.#clear();
    this.#controls.showState("error", message, canRetry);
    this.#emit("error", { message });
    this.#stage?.requestRender();
  }

  #dropOverlays() {
    for (const overlay of this.#overlays.splice(0)) {
      overlay.root.removeFromParent();
      overlay.dispose();
    }
  }

  #clear() {
    this.#dropOverlays();
    this.#body.clear();
    for (const skeleton of this.#skeletons.splice(0)) skeleton.dispose();
  }

  #dressOverlays() {
    this.#dropOverlays();
    if (!this.#skeletons[0]?.feet) return; // not dressed yet
    this.#overlays = overlaysFor(this.#skeletons, OVERLAYS.filter((name) => this.hasAttribute(name)));
    for (const overlay of this.#overlays) {
      this.#stage.people.add(overlay.root);
      overlay.colour(this.#stage.theme);
      overlay.update();
    }
    this.#stage.requestRender();
  }

  #frameCamera() {
    if (!this.#skeletons[0]?.feet) return;
    const flip = (point) => (this.mirrored ? point.setZ(-point.z) : point);
    const whole = this.#skeletons.flatMap((skeleton) => skeleton.extent()).map(flip);
    const knees = this.#skeletons.flatMap((skeleton) => kneePoints(skeleton.motion)).map(flip);
    const centre = whole.reduce((sum, point) => sum.add(point), whole[0].clone().set(0, 0, 0)).divideScalar(whole.length);
    this.#stage.centreOn(centre);
    this.#rig.frame({ whole, knees });
  }

  #recolour() {
    const theme = readTheme(this.#controls.swatches);
    this.#stage.colour(theme);
    this.#skeletons.forEach((skeleton, index) => skeleton.colour(theme, index > 0));
    for (const overlay of this.#overlays) overlay.colour(theme);
    this.#body.colour(theme);
  }

  #mirror() {
    this.#stage.mirrored = this.mirrored;
    this.#frameCamera();
    this.#stage.requestRender();
  }

  // ---- one picture ----

  #draw(timestamp = performance.now()) {
    this.#clock.tick(timestamp);
    this.#time = this.#clock.at(timestamp);
    const moved = this.#time !== this.#shown.time;
    if (moved) {
      this.#skeletons.forEach((skeleton) => skeleton.pose(this.#ownTime(skeleton)));
      for (const overlay of this.#overlays) overlay.update();
      this.#body.update();
    }
    this.#stage.render(this.#rig.camera, this.#clock.playing);
    this.#body.place(this.#rig.camera, this.#stage.people, this.#overlays);
    if (this.motion) this.#callouts.place(this.#skeletons[0], this.#rig.camera, this.#stage.people);
    if (moved && this.motion) this.#showTime();
    if (this.#clock.playing) this.#stage.requestRender();
  }

  #showTime() {
    const { phase, repetition, motion } = this;
    const repeating = this.#clock.repeats && !this.#clock.interval;
    this.#controls.updateTime({ time: this.#time, phase, repetition, repetitions: repeating ? null : repetitionsIn(motion.phases) });
    const begins = phase !== this.#shown.phase;
    this.#shown = { time: this.#time, phase };
    if (begins && !this.paused) {
      if (this.#announcing) this.say();
      if (!this.#exercise?.running) this.#voice.say(phaseWord(phase));
      this.#emit("phase", { name: phase });
    }
    this.#exercise?.advance();
    this.#emit("timeupdate", { currentTime: this.#time, phase, repetition, frame: Math.round(this.#time * motion.frameRate) });
  }

  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // ---- media-like interface ----

  get motion() { return this.#skeletons[0]?.motion ?? null; }
  get duration() { return this.motion ? this.#clock.duration : NaN; }
  get motionTime() { return this.motion ? this.#ownTime(this.#skeletons[0]) : 0; }
  get paused() { return !this.#clock.playing; }
  get ended() { return this.paused && this.motion !== null && this.#time >= this.duration; }
  get currentTime() { return this.#time; }
  get phase() { return this.motion ? phaseAt(this.motion.phases, this.motionTime) : ""; }

  get repetition() {
    if (!this.motion) return 0;
    const before = this.#clock.interval ? 0 : this.#clock.loops * repetitionsIn(this.motion.phases);
    return before + repetitionAt(this.motion.phases, this.motionTime);
  }

  set currentTime(seconds) {
    if (!this.motion || !Number.isFinite(seconds)) return;
    this.#clock.seek(seconds);
  }

  play() {
    this.#playWhenReady = this.#state === "loading";
    if (this.#state === "ready") this.#clock.play();
  }

  pause() {
    this.#playWhenReady = false;
    this.#clock.pause();
  }

  get playbackRate() { return this.#clock.rate; }
  set playbackRate(rate) {
    if (!Number.isFinite(rate)) return;
    this.#clock.rate = rate;
    this.#emit("ratechange", { playbackRate: this.#clock.rate });
  }

  get loopInterval() { return this.#clock.interval; }
  set loopInterval(interval) {
    this.#marks = { start: null, end: null };
    if (!this.motion || !interval) {
      this.#clock.interval = null;
    } else {
      const [start, end] = interval.map((time) => Math.min(Math.max(time, 0), this.duration));
      if (!(end - start >= 1 / this.motion.frameRate)) throw new RangeError("loopInterval needs [start, end], at least one frame apart");
      this.#clock.interval = [start, end];
      this.#marks = { start, end };
    }
  }

  /** Sets one end of the repeated part to the moment shown; the other end stays, or is the motion's own. */
  markInterval(which) {
    const marks = { ...this.#marks, [which]: this.#time };
    const start = marks.start ?? 0, end = marks.end ?? this.duration;
    if (end - start >= 1 / this.motion.frameRate) this.loopInterval = [start, end];
    else this.loopInterval = which === "start" ? [this.#time, this.duration] : [0, this.#time];
  }

  /** Pauses and draws the moment `seconds` in full quality: the picture is on the canvas when this returns. For video and tests. */
  drawFrame(seconds) {
    if (this.#state !== "ready") throw new Error("drawFrame needs a motion that is shown: wait for `ready`");
    this.pause();
    this.currentTime = seconds;
    this.#stage.drawNow();
  }

  stepFrames(count) {
    if (!this.motion) return;
    this.pause();
    this.currentTime = (Math.round(this.#time * this.motion.frameRate) + count) / this.motion.frameRate;
  }

  // ---- the clock, alone or shared ----

  get clock() { return this.#clock; }
  /** Several players on one clock show the same moment: `b.clock = a.clock`. */
  set clock(clock) {
    if (clock === this.#clock) return;
    this.#clock.setDuration(this, null);
    this.#unlisten?.();
    this.#clock = clock;
    if (!this.isConnected) return;
    this.#listen();
    if (this.motion) this.#align();
  }

  /** Shows the moment of this motion that belongs beside the reference's: see alignment.js. `reference` null: its own time. */
  follow(reference, how = "phase") {
    this.#map = reference && this.motion ? alignment(how, reference, this.motion) : null;
    this.#align();
  }

  // Motions in one picture follow the first; all of them run by the one clock.
  #align() {
    const how = this.getAttribute("align");
    for (const skeleton of this.#skeletons) skeleton.map = null;
    if (how) for (const skeleton of this.#skeletons.slice(1)) skeleton.map = alignment(how, this.motion, skeleton.motion);
    const ends = this.#skeletons.map((skeleton, index) => (index ? skeleton.map?.end : this.#map?.end) ?? skeleton.motion.duration);
    if (ends.length) this.#clock.setDuration(this, Math.max(...ends));
    this.#shown.time = NaN;
    this.#stage?.requestRender();
  }

  #ownTime(skeleton) {
    const time = this.#map ? this.#map.own(this.#time) : Math.min(this.#time, this.#clock.duration);
    return skeleton.map ? skeleton.map.own(time) : Math.min(time, skeleton.motion.duration);
  }

  #listen() {
    const clock = this.#clock;
    const listeners = {
      play: () => { this.#controls.update(); this.#emit("play"); },
      pause: () => { this.#controls.update(); this.#emit("pause"); },
      ended: () => this.#emit("ended"),
      seek: () => { this.#time = clock.time; this.#exercise?.sought(); },
      change: () => { this.#controls.update(); this.#controls.showMotion(); },
    };
    if (this.loop) clock.loop = true;
    for (const [name, listener] of Object.entries(listeners)) clock.addEventListener(name, listener);
    const draw = () => this.#stage?.requestRender();
    for (const name of ["play", "pause", "seek", "change"]) clock.addEventListener(name, draw);
    this.#unlisten = () => {
      for (const [name, listener] of Object.entries(listeners)) clock.removeEventListener(name, listener);
      for (const name of ["play", "pause", "seek", "change"]) clock.removeEventListener(name, draw);
    };
  }

  reload() {
    if (this.#stage) this.#load();
  }

  /** Reads `src` again behind the picture, which stays until the new motion is there; view, moment and playing go on. */
  async refresh() {
    if (this.#state === "loading") return; // what is on its way is new enough
    if (this.#state !== "ready") { this.reload(); return; }
    const loading = (this.#loading = new AbortController());
    try {
      const skeleton = new Skeleton(await loadMotion(this.src, loading.signal));
      await skeleton.dress(this.bones);
      if (loading.signal.aborted) { skeleton.dispose(); return; }
      this.#clear();
      this.#skeletons = [skeleton];
      this.#align();
      this.#description = describe(this.motion);
      this.#dressStage();
      this.#recolour();
      this.#controls.showMotion();
      this.#callouts.set(this.#wanted, this.motion);
      this.#emit("refreshed");
    } catch (error) {
      if (!(error instanceof PlayerError) && error.name !== "AbortError") console.error(error); // the picture stays as it is
    }
  }

  // ---- view ----

  get camera() { return this.#rig?.preset ?? "front"; }
  set camera(name) {
    if (!PRESETS[name]) throw new RangeError(`camera is one of ${Object.keys(PRESETS).join(", ")}`);
    if (!this.#rig) return;
    this.#rig.show(name);
    this.#cameraChanged();
  }

  #cameraChanged() {
    this.#controls.update();
    this.#emit("camerachange", { camera: this.camera });
  }

  orbit(azimuthDeg, heightDeg) { this.#rig?.orbit(azimuthDeg, heightDeg); }
  zoom(factor) { this.#rig?.zoom(factor); }

  async toggleFullscreen() {
    if (document.fullscreenElement === this) await document.exitFullscreen();
    else await this.requestFullscreen?.().catch(() => {}); // refused by the browser: the page stays as it is
  }

  // ---- words ----

  get announcing() { return this.#announcing; }
  toggleAnnouncing() {
    this.#announcing = !this.#announcing;
    this.#controls.update();
    if (this.#announcing) this.say();
  }

  /** Tells a screen reader the phase and the repetition of the moment shown. */
  say() {
    if (this.motion) this.#controls.say(`${phaseSentence(this.phase) || "No phase"}, repetition ${this.repetition}, ${this.#time.toFixed(1)} seconds`);
  }

  /** Sentences about the motion: tempo, depth, angles at the bottom. Empty before it is loaded. */
  get description() { return this.#description; }

  get speaking() { return this.#voice.on; }
  toggleVoice() {
    this.#voice.on = !this.#voice.on;
    this.#controls.update();
    if (!this.#exercise?.running) this.#voice.say(this.#description.join(" "));
  }

  get floating() { return this.#floating.open; }
  async toggleFloating() {
    if (this.#state === "ready") await this.#floating.toggle(this.#controls.stage.querySelector("canvas"));
  }

  /** Words at joints: [{joint: name of a joint centre, text, tone: "more" | "less" | "", title}]. */
  get callouts() { return this.#wanted; }
  set callouts(callouts) {
    this.#wanted = callouts;
    if (this.motion) this.#callouts.set(callouts, this.motion);
    this.#stage?.requestRender();
  }

  // ---- exercising along ----

  /** What counts and rests, or null without the attribute: see exercise.js. */
  get exercise() { return this.#exercise; }

  startExercise() { if (this.#state === "ready") this.#exercise?.start(); }
  stopExercise() { this.#exercise?.stop(); }

  #planExercise() {
    if (this.#exercise?.running) this.#exercise.stop();
    const whole = (name, fallback) => Math.max(name === "rest" ? 0 : 1, Math.round(Number(this.getAttribute(name) ?? fallback)) || fallback);
    this.#exercise = !this.hasAttribute("exercise") ? null : new Exercise(
      this, { repetitions: whole("repetitions", 8), sets: whole("sets", 1), rest: whole("rest", 0) }, {
        emit: (name, detail) => this.#emit(name, detail),
        onChange: () => this.#controls.update(),
        say: (text) => { this.#voice.say(text); this.#controls.say(text); },
      });
  }

  inspect() {
    return inspect({ stage: this.#stage, rig: this.#rig, skeletons: this.#skeletons, overlays: this.#overlays, body: this.#body, time: this.#time });
  }

  // ---- attributes as properties ----

  get src() { return this.getAttribute("src"); }
  set src(url) { this.setAttribute("src", url); }
  get bones() { return this.getAttribute("bones"); }
  set bones(url) { this.setAttribute("bones", url); }
  get label() { return this.getAttribute("label") || "Motion"; }
  set label(text) { this.setAttribute("label", text); }
  get loop() { return this.hasAttribute("loop"); }
  set loop(on) { this.toggleAttribute("loop", Boolean(on)); }
  get mirrored() { return this.hasAttribute("mirrored"); }
  set mirrored(on) { this.toggleAttribute("mirrored", Boolean(on)); }
}
