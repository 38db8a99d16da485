// How the body is shown: bones, skin or outfit; muscles; forces of the floor; angles at the joints; paths of joints. Their labels in the
// picture, their legends under it, their options under the controls. The player tells it what happens; docs/player.md lists its attributes.
import { Raycaster, Vector2 } from "three";
import { GroundReaction } from "./ground-reaction.js";
import { JointAngles } from "./joint-angles.js";
import { Labels } from "./labels.js";
import { Legends } from "./legends.js";
import { loadLimits } from "./limits.js";
import { loadMuscles } from "./muscle-document.js";
import { Muscles } from "./muscles.js";
import { JointPath } from "./overlays.js";
import { PlayerError } from "./packed.js";
import { APPEARANCES, Skin } from "./skin.js";

export const BODY_ATTRIBUTES = ["muscles", "muscle-activity", "muscle-group", "limits", "joint-angles", "ground-reaction", "paths", "appearance"];
const COLOURS = ["within", "near", "past", "force", "muscle", "skin", "shirt", "shorts", "shoes"];
const WORDS = { bones: "Bones", skin: "Skin", outfit: "Sportswear" };
const PATHS = { hip: "hips", knee: "knees", ankle: "ankles", shoulder: "shoulders", wrist: "wrists" };
const REMEMBERED = "motion-player.appearance"; // in the browser of whoever looks
const STILL_PX = 5; // a press that moves less is a tap

const chip = (name, label, text) => `<button type="button" class="chip toggle" data-body="${name}" aria-pressed="false" title="${label}">${text}</button>`;
const CHOICES = `
  <div class="row choices">
    <div class="segments" role="group" aria-label="Body">
      ${APPEARANCES.map((name) => chip(`appearance-${name}`, `Show ${WORDS[name].toLowerCase()}`, WORDS[name])).join("")}
    </div>
    <div class="group more">
      ${chip("muscle-activity", "Muscles, coloured by their activation", "Muscles")}
      ${chip("ground-reaction", "Force of the floor on each foot", "Floor forces")}
      ${chip("joint-angles", "Angles at the joints, with their limits", "Angles")}
      <label class="named"><span>Path of</span><select data-body-select="paths" aria-label="Path of joints over the motion">
        <option value="">–</option>${Object.entries(PATHS).map(([joint, word]) => `<option value="${joint}_r ${joint}_l">${word}</option>`).join("")}</select></label>
      <label class="named groups" hidden><span>Group</span><select data-body-select="muscle-group" aria-label="Muscles shown"></select></label>
    </div>
  </div>`;

export class BodyView {
  #player; #frame; #choices; #legends; #labels = null; #stage = null; #rig = null; #skeletons = []; #theme = null;
  #muscles = null; #document; #ground = null; #angles = null; #limits; #paths = null; #skin = null;
  #loading = null; #pressed = null; #fallback = null;

  /** @param controls its `stage` is the picture's frame, its `swatches` give the colours */
  constructor(player, controls) {
    this.#player = player;
    this.#frame = controls.stage;
    for (const name of COLOURS) {
      const swatch = document.createElement("i");
      swatch.dataset.colour = name;
      controls.swatches.append(swatch);
    }
    this.#choices = document.createElement("div");
    this.#choices.className = "body-view";
    this.#choices.innerHTML = CHOICES;
    this.#frame.parentElement.querySelector(".controls").after(this.#choices);
    this.#legends = new Legends(this.#frame);
    this.#choices.addEventListener("click", (event) => this.#press(event.target.closest("[data-body]")?.dataset.body));
    this.#choices.addEventListener("change", ({ target }) => {
      if (target.dataset.bodySelect) player.setAttribute(target.dataset.bodySelect, target.value);
    });
    this.#frame.addEventListener("pointermove", (event) => { if (!event.buttons) this.#point(event); });
    this.#frame.addEventListener("pointerleave", () => this.#pick(-1));
    this.#frame.addEventListener("pointerdown", (event) => { this.#pressed = event; });
    this.#frame.addEventListener("pointerup", (event) => {
      const still = this.#pressed && Math.hypot(event.clientX - this.#pressed.clientX, event.clientY - this.#pressed.clientY) < STILL_PX;
      if (still && event.pointerType !== "mouse") this.#point(event);
    });
  }

  #press(name) {
    if (!name) return;
    if (!name.startsWith("appearance-")) {
      this.#player.toggleAttribute(name);
      return;
    }
    const chosen = name.slice("appearance-".length);
    try {
      localStorage.setItem(REMEMBERED, chosen);
    } catch { /* storage is switched off: it holds for this page */ }
    this.#player.setAttribute("appearance", chosen);
  }

  get #appearance() {
    const asked = this.#player.getAttribute("appearance");
    return APPEARANCES.includes(asked) ? asked : "bones";
  }

  // What this viewer chose before comes before what the page says.
  #remember() {
    let chosen = null;
    try {
      chosen = localStorage.getItem(REMEMBERED);
    } catch { /* storage is switched off */ }
    if (APPEARANCES.includes(chosen) && chosen !== this.#appearance) this.#player.setAttribute("appearance", chosen);
  }

  #wants(name) {
    return this.#player.hasAttribute(name);
  }

  // ---- what the player tells ----

  /** The skeletons hang on the stage. */
  dress(stage, rig, skeletons) {
    this.clear();
    [this.#stage, this.#rig, this.#skeletons] = [stage, rig, skeletons];
    this.#labels = new Labels(this.#frame);
    this.#theme = stage.theme;
    this.#remember();
    this.#wear();
    this.#drawPaths();
    this.#fetch();
    this.#updateChoices();
  }

  clear() {
    this.#loading?.abort();
    for (const part of this.#parts()) part.dispose();
    this.#labels?.dispose();
    this.#labels = this.#muscles = this.#ground = this.#angles = this.#paths = this.#skin = null;
    this.#document = this.#limits = undefined;
    this.#skeletons = [];
    this.#legends.say("");
    this.#legends.ofForces(null);
    this.#legends.ofAngles(false);
    this.#legends.ofBalance(false);
  }

  #parts() {
    return [this.#muscles, this.#ground, this.#angles, this.#paths, this.#skin].filter(Boolean);
  }

  changed(name) {
    if (!this.#skeletons.length) return;
    if (name === "muscles") this.#document = undefined;
    if (name === "limits") { this.#limits = undefined; this.#drop("angles"); }
    if (name === "appearance" || name === "muscle-activity") this.#wear();
    if (name === "paths") this.#drawPaths();
    else if (name === "muscle-group" && this.#muscles) this.#muscles.group = this.#player.getAttribute(name) ?? "";
    else if (name !== "appearance") this.#fetch();
    this.#updateChoices();
    this.#stage.requestRender();
  }

  colour(theme) {
    this.#theme = theme;
    for (const part of this.#parts()) part.colour(theme);
  }

  /** After the skeletons are posed. */
  update() {
    const { phase } = this.#player;
    for (const part of this.#parts()) part.update(phase);
    if (this.#muscles) this.#legends.ofMoment(this.#muscles, this.#document.activation);
  }

  /** After a picture: labels follow the camera. `overlays` are the player's own. */
  place(camera, people, overlays) {
    if (!this.#labels) return;
    const wanted = [...this.#parts(), ...overlays].flatMap((part) => part.labels?.() ?? []);
    this.#labels.set(wanted);
    this.#labels.place(camera, people);
    this.#legends.ofBalance(overlays.some((overlay) => "margin" in overlay));
  }

  // ---- what is shown ----

  #wear() {
    const worn = this.#appearance !== "bones";
    if (worn && !this.#skin) this.#add("skin", new Skin(this.#skeletons[0]));
    if (this.#skin) {
      this.#skin.root.visible = worn;
      if (worn) this.#skin.wear(this.#appearance, this.#wants("muscle-activity"));
    }
    const hides = worn && this.#skin.ready && this.#appearance === "outfit";
    this.#skeletons[0].material.visible = this.#skeletons[0].padMaterial.visible = !hides;
  }

  #drawPaths() {
    this.#drop("paths");
    const joints = (this.#player.getAttribute("paths") ?? "").split(/\s+/).filter(Boolean);
    if (joints.length) this.#add("paths", new JointPath(this.#skeletons[0].motion, { joints }));
  }

  #add(name, part) {
    if (name === "skin") this.#skin = part;
    else if (name === "paths") this.#paths = part;
    else if (name === "muscles") this.#muscles = part;
    else if (name === "ground") this.#ground = part;
    else if (name === "angles") this.#angles = part;
    this.#stage.people.add(part.root);
    part.colour(this.#theme);
    part.update(this.#player.phase);
    this.#stage.requestRender();
  }

  #drop(name) {
    const part = { paths: this.#paths, muscles: this.#muscles, ground: this.#ground, angles: this.#angles }[name];
    part?.dispose();
    if (name === "paths") this.#paths = null;
    else if (name === "muscles") this.#muscles = null;
    else if (name === "ground") this.#ground = null;
    else if (name === "angles") this.#angles = null;
  }

  // Gets what is wanted and not there, and shows or hides it.
  async #fetch() {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const [skeleton] = this.#skeletons;
    const forMuscles = this.#wants("muscle-activity"), forGround = this.#wants("ground-reaction"), forAngles = this.#wants("joint-angles");
    let trouble = "";
    try {
      const url = this.#player.getAttribute("muscles");
      if (url && (forMuscles || forGround) && this.#document === undefined) {
        this.#legends.say("Loading the muscles…");
        this.#document = await loadMuscles(url, skeleton.motion, signal);
      }
      if (forAngles && this.#limits === undefined) this.#limits = await loadLimits(this.#player.getAttribute("limits"), signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble = error instanceof PlayerError ? error.message : "This could not be shown. Reload the page.";
      if (!(error instanceof PlayerError)) console.error(error);
    }
    if (signal.aborted || !this.#skeletons.includes(skeleton)) return;
    this.#show("muscles", forMuscles && this.#document, () => this.#newMuscles(skeleton));
    this.#show("ground", forGround && this.#document?.ground, () => new GroundReaction(skeleton, this.#document.ground));
    this.#show("angles", forAngles && !trouble, () => new JointAngles(skeleton, this.#limits));
    if (!trouble && (forMuscles || forGround) && this.#document === null) trouble = "The muscles of this motion are not computed yet.";
    if (trouble || !this.#muscles) this.#legends.say(trouble);
    else {
      this.#legends.ofMuscles(this.#document.activation);
      this.#legends.ofMoment(this.#muscles, this.#document.activation);
    }
    this.#updateChoices();
    this.#stage.requestRender();
  }

  #show(name, wanted, make) {
    const there = { muscles: this.#muscles, ground: this.#ground, angles: this.#angles }[name];
    if (!wanted) this.#drop(name);
    else if (!there) this.#add(name, make());
  }

  #newMuscles(skeleton) {
    const muscles = new Muscles(this.#document, skeleton);
    const select = this.#choices.querySelector("[data-body-select=muscle-group]");
    const named = [["", "all"], ...this.#document.groups.map(({ name, label }) => [name, label])];
    select.replaceChildren(...named.map(([value, text]) => new Option(text, value)));
    muscles.group = this.#player.getAttribute("muscle-group") ?? "";
    return muscles;
  }

  // ---- words ----

  #updateChoices() {
    const { dataset } = this.#frame.parentElement;
    const full = dataset.controls === "full", some = dataset.controls !== "none";
    this.#choices.querySelector(".choices").hidden = !some;
    this.#choices.querySelector(".more").hidden = !full;
    const press = (name, on) => this.#choices.querySelector(`[data-body="${name}"]`).setAttribute("aria-pressed", on);
    for (const name of APPEARANCES) press(`appearance-${name}`, this.#appearance === name);
    for (const name of ["muscle-activity", "ground-reaction", "joint-angles"]) press(name, this.#wants(name));
    for (const name of ["muscle-activity", "ground-reaction"]) this.#choices.querySelector(`[data-body="${name}"]`).hidden = !this.#wants("muscles");
    this.#choices.querySelector(".groups").hidden = !this.#muscles;
    for (const name of ["paths", "muscle-group"]) this.#choices.querySelector(`[data-body-select="${name}"]`).value = this.#player.getAttribute(name) ?? "";
    this.#legends.ofForces(this.#ground?.ground ?? null);
    this.#legends.ofAngles(Boolean(this.#angles));
  }

  #point(event) {
    if (!this.#muscles || !this.#rig) return;
    const box = this.#frame.getBoundingClientRect();
    const at = new Vector2(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2);
    const caster = new Raycaster();
    caster.setFromCamera(at, this.#rig.camera);
    this.#stage.people.updateMatrixWorld();
    this.#pick(this.#muscles.pick(caster.ray.applyMatrix4(this.#stage.people.matrixWorld.clone().invert())));
  }

  #pick(muscle) {
    if (!this.#muscles || this.#muscles.picked === muscle) return;
    this.#muscles.picked = muscle;
    this.#muscles.update();
    this.#legends.ofMoment(this.#muscles, this.#document.activation);
    this.#stage.requestRender();
  }

  // ---- without WebGL ----

  /** Shows the video or the poster of the page in place of the 3D view; true when there is one. */
  showFallback(veil) {
    this.hideFallback();
    const video = this.#player.getAttribute("video"), poster = this.#player.getAttribute("poster");
    if (!video && !poster) return false;
    this.#fallback = document.createElement(video ? "video" : "img");
    this.#fallback.className = "fallback";
    if (video) Object.assign(this.#fallback, { src: video, controls: true, playsInline: true, loop: this.#player.loop, ...(poster ? { poster } : {}) });
    else Object.assign(this.#fallback, { src: poster, alt: this.#player.label });
    if (video) this.#fallback.setAttribute("aria-label", this.#player.label);
    veil.append(this.#fallback);
    return true;
  }

  hideFallback() {
    this.#fallback?.remove();
    this.#fallback = null;
  }

  /** For tests: what is drawn. */
  inspect() {
    return {
      appearance: this.#appearance, skin: this.#skin?.ready ? this.#skin.root.visible : false, bonesVisible: this.#skeletons[0]?.material.visible,
      muscles: this.#muscles && this.#document.muscles.map(({ name }, index) => ({ name, rings: this.#muscles.rings(index) })),
      picked: this.#muscles?.picked ?? -1,
    };
  }
}
